import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTinyModel } from '../compute/tiny-model.js';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'curate-reworded-kills-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nouns = 'river harbor violin glacier lantern orchard copper meadow saddle pepper comet anchor'.split(' ');
const verbs = 'crosses repairs paints measures carries follows'.split(' ');
const word = (list: string[], at: number) => list[at % list.length] as string;
const sentence = (at: number) =>
  `${word(nouns, at)} number ${at} ${word(verbs, at >> 2)} the ${word(nouns, at * 7 + 3)} of ${word(nouns, at >> 4)} town`;

/** Two shards of prompts; every hundredth is an item in other words. */
const count = 4_300;
const items = Array.from({ length: 60 }, (_, at) => ({
  item: `i${at}`,
  question: `Which ${sentence(at * 911 + 100_000)}?`,
}));
const prompts = Array.from({ length: count }, (_, at) => {
  const leak = items[at / 100];
  return leak === undefined
    ? `Tell of it when ${sentence(at)}.`
    : `Of the town: ${leak.question.replace('Which ', 'what ')}`;
});

function curate(out: string, workers: number): string[] {
  return [command, 'run', join(folder, 'pipeline.yaml'), '--out', out, '--workers', String(workers), '--quiet'];
}

function ran(out: string, workers: number, fault?: string) {
  const env = { ...process.env, NO_COLOR: '1', ...(fault === undefined ? {} : { CURATE_FAULT_AT: fault }) };
  return spawnSync(process.execPath, curate(out, workers), { encoding: 'utf8', env });
}

/** Candidates, hits and verdicts, byte for byte. */
function result(out: string): Record<string, string> {
  const read = (name: string) =>
    readdirSync(join(out, name)).map((file) => [`${name}/${file}`, readFileSync(join(out, name, file), 'base64')]);
  return {
    ...Object.fromEntries(['hits', 'verdicts/decontam'].flatMap(read)),
    candidates: readFileSync(join(out, 'candidates.parquet'), 'base64'),
    coverage: readFileSync(join(out, 'coverage.json'), 'utf8'),
  };
}

let expected: Record<string, string> = {};
beforeAll(() => {
  const model = makeTinyModel(
    [...nouns, ...verbs, 'number', 'the', 'of', 'town', 'which', 'what', 'tell', 'it', 'when'],
    9,
  );
  writeFileSync(
    join(folder, 'rows.jsonl'),
    prompts.map((prompt, id) => JSON.stringify({ id, prompt, answer: 'x' })).join('\n'),
  );
  writeFileSync(join(folder, 'own.json'), JSON.stringify(items));
  writeFileSync(
    join(folder, 'pipeline.yaml'),
    [
      'name: kills',
      'sources: [{ path: ./rows.jsonl, adapter: columns, group: mine, name: mine }]',
      `decontam: { benchmarks: [{ use: own, path: ./own.json }], presets: [reworded], reworded: { model: ${model.folder} } }`,
      'export: {}',
    ].join('\n'),
  );
  const out = join(folder, 'undisturbed');
  expect(ran(out, 2)).toMatchObject({ status: 0, stderr: '' });
  expected = result(out);
}, 120_000);

describe('reworded in a run that is killed', () => {
  test.each(['worker:4'])(
    'at the durable write %s gives the same bytes with other workers',
    (fault) => {
      const out = join(folder, fault.replace(':', '-'));
      expect(ran(out, 2, fault).signal).toBe('SIGKILL');
      expect(ran(out, 1)).toMatchObject({ status: 0 });
      expect(result(out)).toEqual(expected);
    },
    120_000,
  );

  test('from outside, while it looks for candidates', async () => {
    const out = join(folder, 'outside');
    const shards = () => (existsSync(join(out, 'candidates')) ? readdirSync(join(out, 'candidates')).length : 0);
    const child = spawn(process.execPath, curate(out, 1), { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const watch = setInterval(() => {
      if (shards() > 0) child.kill('SIGKILL');
    }, 5);
    await ended;
    clearInterval(watch);
    expect(ran(out, 2)).toMatchObject({ status: 0 });
    expect(result(out)).toEqual(expected);
  }, 120_000);
});

test('what was to be found was found in it', () => {
  const { reworded } = JSON.parse(expected.coverage ?? '{}') as { reworded: { prompts: number; prompts_hit: number } };
  expect(reworded.prompts).toBe(count);
  expect(reworded.prompts_hit).toBeGreaterThan(0);
});
