import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'curate-pack-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

// What someone who installs the tarball has to set, as the README says.
const environment = {
  ...process.env,
  ONNXRUNTIME_NODE_INSTALL: 'skip',
  NO_COLOR: '1',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
};

function sh(line: string, cwd: string) {
  const ran = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8', env: environment });
  if (ran.status !== 0) throw new Error(`${line}: exit ${ran.status}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

test('the package works away from its repository: pack, install, init, run', { timeout: 300_000 }, () => {
  const tarball =
    sh(`npm pack --ignore-scripts --silent --pack-destination ${scratch}`, root).trim().split('\n').at(-1) ?? '';
  const own = join(scratch, 'own');
  mkdirSync(own);
  const questions = [
    'What are the typical symptoms of acute pancreatitis in adults?',
    'How does insulin lower the concentration of glucose in the blood?',
    'Which antibiotic is first choice for community acquired pneumonia?',
    'Describe the pathway of blood through the chambers of the heart.',
  ];
  const rows = questions.map((prompt, index) => ({
    messages: [
      { role: 'user', content: prompt },
      { role: 'assistant', content: `<think>Step ${index}.</think>It depends on the patient.` },
    ],
  }));
  writeFileSync(join(own, 'traces.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  sh('npm init -y', own);
  sh(`npm install ${join(scratch, tarball)}`, own);
  expect(sh('npx curate init', own)).toContain('wrote pipeline.yaml for 1 file');
  const ran = sh('npx curate run pipeline.yaml', own);
  expect(ran.trimEnd().split('\n').at(-1)).toMatch(/^kept \d of 4 rows/);
  expect(existsSync(join(own, 'runs', 'own', 'dataset', 'README.md'))).toBe(true);
});
