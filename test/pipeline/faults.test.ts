import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const pipeline = join(import.meta.dirname, 'faults', 'pipeline.yaml');
const scratch = mkdtempSync(join(tmpdir(), 'curate-faults-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ran {
  status: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

function curate(out: string, fault: string | null): Ran {
  const env = { ...process.env, NO_COLOR: '1', ...(fault === null ? {} : { CURATE_FAULT_AT: fault }) };
  return spawnSync(process.execPath, [command, 'run', pipeline, '--out', out, '--workers', '1', '--quiet'], {
    encoding: 'utf8',
    env,
  });
}

/** Every byte that must be equal in an equal run. */
function result(out: string): Record<string, string> {
  const files = readdirSync(join(out, 'dataset')).sort();
  const texts = files.map((file) => [`dataset/${file}`, readFileSync(join(out, 'dataset', file), 'base64')]);
  return { ...Object.fromEntries(texts), lock: readFileSync(join(out, 'curate.lock'), 'utf8') };
}

function leftovers(out: string): string[] {
  const folder = join(out, '.curate', 'tmp');
  return existsSync(folder) ? readdirSync(folder) : [];
}

let expected: Record<string, string> = {};
beforeAll(() => {
  const out = join(scratch, 'undisturbed');
  expect(curate(out, null)).toMatchObject({ status: 0 });
  expected = result(out);
});

describe.each(['main', 'worker'])('a kill in the %s thread', (thread) => {
  test('at each durable write in turn leaves a folder from which the same command ends with the same bytes', {
    timeout: 600_000,
  }, () => {
    let kills = 0;
    for (let point = 1; ; point += 1) {
      const out = join(scratch, `${thread}-${point}`);
      const killed = curate(out, `${thread}:${point}`);
      if (killed.signal !== 'SIGKILL') {
        expect(killed).toMatchObject({ status: 0 });
        break;
      }
      kills += 1;
      expect({ point, ...curate(out, null) }).toMatchObject({ point, status: 0 });
      expect({ point, ...result(out) }).toEqual({ point, ...expected });
      expect(leftovers(out)).toEqual([]);
      rmSync(out, { recursive: true });
    }
    expect(kills).toBeGreaterThan(4);
  });
});

test('a kill while a stage is computed again keeps the folder from claiming that it is finished', () => {
  const out = join(scratch, 'again');
  cpSync(join(scratch, 'undisturbed'), out, { recursive: true });
  const env = { ...process.env, CURATE_FAULT_AT: 'main:5' };
  const ran = spawnSync(
    process.execPath,
    [command, 'run', pipeline, '--out', out, '--set', 'filter.prompt_words.more_than=5', '--quiet'],
    { env },
  );
  expect(ran.signal).toBe('SIGKILL');
  expect(existsSync(join(out, 'curate.lock'))).toBe(false);
  expect(curate(out, null)).toMatchObject({ status: 0 });
  expect(result(out)).toEqual(expected);
});
