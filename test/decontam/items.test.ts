import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { findBenchmarks } from '../../src/decontam/benchmarks.js';
import { loadBenchmarks } from '../../src/decontam/items.js';
import { knownBenchmarks } from '../../src/decontam/known-benchmarks.js';
import type { BenchmarkEntry } from '../../src/decontam/options.js';
import { Problem } from '../../src/problem.js';
import { Tables } from '../../src/store/tables.js';

async function load(content: unknown, entry: (path: string) => BenchmarkEntry = (path) => path, name = 'bench.json') {
  const folder = mkdtempSync(join(tmpdir(), 'curate-items-'));
  const path = join(folder, name);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
  try {
    return await loadBenchmarks(
      findBenchmarks([entry(path)], (each) => each),
      tables,
    );
  } finally {
    tables.close();
  }
}

describe('loadBenchmarks', () => {
  it.each(['medmcqa', 'medqa', 'pubmedqa', 'mmlu-pro-health', 'mmlu-pro-biology', 'medxpertqa'])(
    'reads the copy of %s that ships, with as many items as are known',
    async (name) => {
      const [loaded] = await load([], () => name);
      const expected = {
        medmcqa: 4183,
        medqa: 1273,
        pubmedqa: 1000,
        'mmlu-pro-health': 818,
        'mmlu-pro-biology': 717,
        medxpertqa: 1449,
      };
      expect(loaded?.items.length).toBe(expected[name as keyof typeof expected]);
      const warned = loaded?.warnings.filter((warning) => !warning.includes('repeat'));
      expect(warned).toEqual(name === 'medxpertqa' ? ['medxpertqa: a declared subset, 1,449 of 2,450 items'] : []);
    },
  );

  it('reads the shape of m1_eval_data, one benchmark for each set', async () => {
    const loaded = await load({
      one: [{ question: 'Q1?', options: { A: 'a', B: 'b' }, answer_idx: 'A' }],
      two: [{ question: 'Q2?', options: { A: 'c' } }, { question: 'Q3?' }],
    });
    expect(
      loaded.map(({ name, items }) => [name, items.map((item) => [item.item, item.question, item.options])]),
    ).toEqual([
      ['one', [['0', 'Q1?', ['a', 'b']]]],
      [
        'two',
        [
          ['0', 'Q2?', ['c']],
          ['1', 'Q3?', []],
        ],
      ],
    ]);
  });

  it('takes the set that a known benchmark names from a file of several', async () => {
    const file = { MedQA: [{ question: 'a?' }], Lancet: [{ question: 'b?' }, { question: 'c?' }] };
    const [loaded] = await load(file, (path) => ({ use: 'lancet', path, optional: false }));
    expect([loaded?.name, loaded?.items.length]).toEqual(['lancet', 2]);
    expect(loaded?.warnings).toEqual(['lancet: 2 of the 412 items that are known, in bench.json']);
  });

  it('reads JSONL with lists of options, ids and contexts, also compressed', async () => {
    const rows =
      '{"id": 7, "question": "Q?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "context": "Given."}\n';
    const [loaded] = await load(rows, undefined, 'own.jsonl.gz');
    expect(loaded?.name).toBe('own');
    expect(loaded?.items).toMatchObject([{ item: '7', question: 'Given.\nQ?', stem: 'Q?', options: ['x', 'y'] }]);
  });

  it('refuses what is no benchmark and the train split', async () => {
    await expect(load([{ question: '  ' }])).rejects.toMatchObject({ message: 'the benchmark bench has no items' });
    await expect(load([{ text: 'x' }])).rejects.toMatchObject({ message: 'the benchmark bench lacks a question' });
    const train = Array.from({ length: 10_178 }, (_, index) => ({ question: `q${index}` }));
    await expect(load(train, (path) => ({ use: 'medqa', path, optional: false }))).rejects.toMatchObject({
      message: 'the file of medqa is its train split',
    });
  });

  it.each([
    ['an empty file', '', 'bench.json'],
    ['an empty list', '[]', 'bench.json'],
    ['empty lines', '\n\n', 'bench.jsonl'],
    ['an empty set', '{"bench": []}', 'bench.json'],
  ])('refuses %s, of which nothing could be found', async (_what, text, name) => {
    await expect(load(text, undefined, name)).rejects.toThrow(Problem);
  });

  it('warns of another split and of items without a text', async () => {
    const items = Array.from({ length: 1400 }, (_, index) => ({ question: index === 0 ? ' ' : `q${index}` }));
    const [loaded] = await load(items, (path) => ({ use: 'medqa', path, optional: false }));
    expect(loaded?.warnings).toEqual([
      'medqa: 1,400 items in bench.json, more than the 1,273 known: another split?',
      'medqa: 1 item without a text',
    ]);
  });

  it('warns of items that repeat another', async () => {
    const [loaded] = await load([{ question: 'same?' }, { question: 'same?' }, { question: 'other?' }]);
    expect(loaded?.warnings).toEqual(['bench: 1 item repeats another one word for word']);
  });

  it('knows the ten of the card', () => {
    expect(knownBenchmarks()).toEqual(
      'gpqa lancet medbullets-4 medbullets-5 medmcqa medqa medxpertqa mmlu-pro-biology mmlu-pro-health nejm pubmedqa'.split(
        ' ',
      ),
    );
  });
});
