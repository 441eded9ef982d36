import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const claimFile = join(import.meta.dirname, '..', '..', 'dist', 'store', 'claim.js');
const scratch = mkdtempSync(join(tmpdir(), 'curate-claim-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Says when it is ready, claims as soon as it is told to, says whether it got the folder, and lives until its input ends. */
const claimer = `
import { claim } from ${JSON.stringify(claimFile)};
process.stdout.write('ready ');
process.stdin.once('data', () => {
  try {
    claim(process.argv[1]);
    process.stdout.write('held');
  } catch (error) {
    process.stdout.write(error.message.includes('another process works') ? 'refused' : error.stack);
  }
});
process.stdin.on('end', () => process.exit());
`;

test('of processes that claim a folder at once, one gets it, whatever a killed one left there', {
  timeout: 60_000,
}, async () => {
  for (let round = 0; round < 12; round += 1) {
    const state = join(scratch, String(round), '.curate');
    const path = join(state, 'claim.json');
    mkdirSync(state, { recursive: true });
    const dead = JSON.stringify({ pid: 2 ** 30, host: hostname(), started: '1' });
    if (round % 3 > 0) writeFileSync(path, round % 3 === 1 ? dead : dead.slice(0, 9));
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', claimer, path]),
    );
    const said = await Promise.all(
      children.map(async ({ stdout }) => String((await once(stdout.setEncoding('utf8'), 'data'))[0])),
    );
    expect(said).toEqual(Array(4).fill('ready '));
    const answers = children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]));
    for (const { stdin } of children) stdin.write('now');
    expect((await Promise.all(answers)).sort()).toEqual(['held', 'refused', 'refused', 'refused']);
    for (const { stdin } of children) stdin.end();
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(readdirSync(state)).toEqual(['claim.json']);
  }
});
