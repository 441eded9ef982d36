import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RewordedInput } from '../../src/decontam/options.js';
import { methodSpecs } from '../../src/decontam/presets.js';
import { checkData } from '../../src/decontam/stand-alone.js';
import { Problem } from '../../src/problem.js';
import { parquet, Tables } from '../../src/store/tables.js';
import { makeTinyModel } from '../compute/tiny-model.js';
import { type ChatRequest, FaultyServer } from '../servers/faulty-openai.js';

const subjects = 'fever cough rash ulcer angina stroke gout asthma anemia jaundice'.split(' ');
const items = [
  ...subjects.map((subject, at) => ({
    item: `drug-${at}`,
    question: `Which drug treats ${subject} in a patient of ${20 + at} years?`,
  })),
  ...subjects.map((subject, at) => ({
    item: `organ-${at}`,
    question: `Which organ causes ${subject} after ${40 + at} days of travel?`,
  })),
  { item: 'leak', question: 'What color does the litmus paper turn in vinegar with baking powder?' },
];
const leak = 'Vinegar with baking powder: what color does the litmus paper turn in it?';
const rows = [
  { id: 'leak', prompt: leak },
  { id: 'near', prompt: 'Which drug treats fever and cough in a dog of 9 years?' },
  { id: 'far', prompt: 'Write a poem about a lighthouse.' },
  { id: 'chinese', prompt: '石蕊试纸在醋和发酵粉中变成什么颜色？请详细说明其中的化学原理和过程。' },
];
const words = [
  ...new Set(
    items
      .map(({ question }) => question)
      .join(' ')
      .toLowerCase()
      .match(/[a-z]+/g),
  ),
];
const model = makeTinyModel(words, 21).folder;

/** Says of a prompt with vinegar that it asks what a question with vinegar asks. */
function oracle(prompt: string, chat: ChatRequest): string {
  const user = chat.messages.find(({ role }) => role === 'user')?.content ?? '';
  const questions = [...user.matchAll(/^===== question \d+ (\w+)\n([\s\S]*?)\n===== end of question \d+ \1$/gm)];
  const same = questions.flatMap((match, at) =>
    /vinegar/i.test(prompt) && /vinegar/.test(match[2] ?? '') ? [at + 1] : [],
  );
  return JSON.stringify({ same });
}

const server = await FaultyServer.start({ answer: oracle, inSchema: (answer) => answer });
afterAll(() => server.close());

const folder = mkdtempSync(join(tmpdir(), 'curate-reworded-alone-'));
writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
writeFileSync(join(folder, 'own.json'), JSON.stringify(items));

async function check(name: string, reworded: RewordedInput) {
  const out = join(folder, name);
  const { summary, selfTest } = await checkData(
    {
      data: [join(folder, 'rows.jsonl')],
      benchmarks: [join(folder, 'own.json')],
      specs: methodSpecs({ presets: ['reworded'] }),
      reworded,
      out,
      traces: false,
      allowed: [],
      workers: 2,
      seed: 42,
      selfTest: false,
    },
    { progress: () => {} },
  );
  const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
  const read = (file: string) => tables.rows(`SELECT * FROM ${parquet([join(out, file)])}`);
  const hits = await read('hits.parquet');
  const candidates = await read('candidates.parquet');
  const clean = await read(`clean/${readdirSync(join(out, 'clean'))[0]}`);
  tables.close();
  const coverage = JSON.parse(readFileSync(join(out, 'coverage.json'), 'utf8')) as {
    reworded: Record<string, unknown>;
  };
  return {
    summary,
    selfTest,
    coverage: coverage.reworded,
    candidates,
    kept: clean.map(({ id }) => id),
    hits: hits.map(({ id, method, item }) => ({ id, method, item })),
  };
}

/** With few items the threshold is so high that what is found lies in the band of doubt. */
const strict = { model, languages: ['en'], false_alarms: 0.0001, doubt: 1 };

describe('curate decontam --preset reworded', () => {
  it('reports what is in doubt and keeps it, names candidates by row, and counts what it did not read', async () => {
    const { summary, coverage, candidates, kept, hits, selfTest } = await check('alone', strict);
    expect(hits).toContainEqual({ id: 'leak', method: 'uncertain', item: 'leak' });
    expect(kept).toEqual(['leak', 'near', 'far', 'chinese']);
    expect(candidates.filter(({ id, rank }) => id === 'leak' && rank === 1)).toMatchObject([{ item: 'leak' }]);
    expect(new Set(candidates.map(({ id }) => id))).toEqual(new Set(['leak', 'near', 'far']));
    expect(coverage).toMatchObject({ prompts: 4, prompts_not_read: 1, languages: 'en', judged: null });
    expect(summary.judge).toBeNull();
    const planted = selfTest.find(({ kind }) => kind === 'reworded by rule: other words');
    expect(planted).toMatchObject({ method: 'reworded' });
  });

  it('drops what a judge finds to be the same question, lets the rest go, and never asks twice', async () => {
    const judge = { endpoint: server.url, model: 'judge-32b', concurrency: 2, timeout_seconds: 3 };
    const first = await check('judged', { ...strict, judge });
    expect(first.hits).toEqual([{ id: 'leak', method: 'reworded', item: 'leak' }]);
    expect(first.kept).toEqual(['near', 'far', 'chinese']);
    expect(first.coverage).toMatchObject({ prompts_hit: 1, prompts_uncertain: 0 });
    expect(first.summary.judge?.calls).toBeGreaterThan(0);
    const asked = server.requests.length;
    const again = await check('judged', { ...strict, judge });
    expect({ ...again, summary: null }).toEqual({ ...first, summary: null });
    expect(server.requests.length).toBe(asked);
  });

  it('names the flag that does not fit', async () => {
    await expect(check('wrong', { model, false_alarms: 2 })).rejects.toThrow(Problem);
    await expect(check('wrong', { model: 'nobody/nothing' })).rejects.toThrow('no model "nobody/nothing"');
  });
});
