import { beforeAll, describe, expect, it } from 'vitest';
import { sampleRun } from '../../src/pipeline/sample.js';
import type { RunFolder } from '../../src/store/folder.js';
import type { RowSpec } from '../filter/small-run.js';
import { askedRun } from './asked-run.js';

const rows: RowSpec[] = Array.from({ length: 40 }, (_, index) => ({
  id: `row-${index}`,
  source: index % 4 === 0 ? 'few' : 'many',
  prompt: index < 10 ? 'short' : `a long enough prompt with number ${index}`,
  reasoning_waits: index % 2 === 0 ? 50 : 0,
}));

describe('sample', () => {
  let run: RunFolder;
  beforeAll(async () => {
    const prompts = rows.map((row) => row.prompt ?? '');
    run = await askedRun({
      files: { 'a.parquet': rows.slice(0, 20), 'b.parquet': rows.slice(20) },
      clusters: [
        { label: 'Medical', prompts: prompts.slice(9, 20) },
        { label: 'Math', prompts: prompts.slice(20) },
      ],
      filter: { prompt_words: {}, wait_count: { at_most: 47 } },
      decontam: {
        options: { benchmarks: ['medqa'] },
        methods: ['ngram_10'],
        hits: [11, 12, 13].map((index) => ({
          prompt: prompts[index] ?? '',
          method: 'ngram_10',
          benchmark: index === 13 ? 'medmcqa' : 'medqa',
          item: String(index),
        })),
      },
    });
  });

  it('gives rows of a fate with their texts, and how many fit', async () => {
    const kept = await sampleRun(run.path, { kept: true, count: 3 });
    expect(kept).toMatchObject({ matching: 13, seed: 42 });
    expect(kept.rows).toHaveLength(3);
    for (const row of kept.rows)
      expect(row).toMatchObject({ reason: null, reasoning: 'thinking about it', answer: 'the answer' });
    const dropped = await sampleRun(run.path, { dropped: 'prompt_words', count: 100 });
    expect(dropped.matching).toBe(10);
    expect(new Set(dropped.rows.map((row) => row.reason))).toEqual(new Set(['prompt_words']));
  });

  it('is the same for a seed, another for another, and a smaller one is the head of a larger one', async () => {
    const ids = async (count: number, seed?: number) =>
      (await sampleRun(run.path, { count, ...(seed === undefined ? {} : { seed }) })).rows.map((row) => row.id);
    expect(await ids(10)).toEqual(await ids(10));
    expect((await ids(10)).slice(0, 4)).toEqual(await ids(4));
    expect(await ids(10, 7)).not.toEqual(await ids(10));
  });

  it('by benchmark, cluster and source, all of which must hold', async () => {
    const ids = async (question: object) =>
      (await sampleRun(run.path, { count: 100, ...question })).rows.map((row) => row.id).sort();
    expect(await ids({ hits: 'medqa' })).toEqual(['row-11', 'row-12']);
    expect(await ids({ hits: 'any' })).toEqual(['row-11', 'row-12', 'row-13']);
    expect(await ids({ hits: 'any', dropped: 'ngram_10' })).toEqual(['row-11', 'row-13']);
    expect((await ids({ cluster: 1 })).length).toBe(20);
    expect(await ids({ source: 'few', dropped: 'prompt_words' })).toEqual(['row-0', 'row-4', 'row-8']);
    expect((await ids({ dropped: 'any' })).length).toBe(27);
  });

  it.each([
    [{ dropped: 'wait_counts' }, 'no reason "wait_counts"'],
    [{ hits: 'medqaa' }, 'no benchmark with hits "medqaa"'],
    [{ cluster: 2 }, 'no cluster 2'],
    [{ source: 'none' }, 'no source "none"'],
  ])('%j names what there is not', async (question, message) => {
    await expect(sampleRun(run.path, { count: 1, ...question })).rejects.toThrow(message);
  });
});
