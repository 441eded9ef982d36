// Rewrites the `expected/` of one case folder from what the command does now: read the difference before committing it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const name = process.argv[2];
const folder = fileURLToPath(new URL(`../test/cases/${name}/`, import.meta.url));
if (name === undefined || !existsSync(folder)) {
  console.error(`no case ${name ?? ''}: npm run accept -- NAME of a folder in test/cases`);
  process.exit(2);
}
rmSync(`${folder}expected`, { recursive: true, force: true });
const { status } = spawnSync('npx', ['vitest', 'run', 'test/cases.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, CURATE_CASE: name, CI: undefined },
});
if (status === 0) spawnSync('git', ['--no-pager', 'diff', '--', folder], { stdio: 'inherit' });
process.exit(status ?? 1);
