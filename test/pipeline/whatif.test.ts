import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { whatIf } from '../../src/pipeline/whatif.js';
import { Problem } from '../../src/problem.js';
import type { RunFolder } from '../../src/store/folder.js';
import type { RowSpec } from '../filter/small-run.js';
import { type AskedSpec, askedRun } from './asked-run.js';

const leak = 'a prompt that is a benchmark item';
const rows: RowSpec[] = [
  ...Array.from({ length: 10 }, (_, index) => ({
    id: `waits-${index}`,
    source: index < 5 ? 'one' : 'two',
    reasoning_waits: index,
    prompt: `tell me about number ${index}`,
  })),
  { id: 'leak', prompt: leak, reasoning_waits: 8 },
  { id: 'cut', answer: null, reasoning_waits: 9 },
  { id: 'zh', prompt: '患者男性四十五岁胸痛两小时应该首先考虑什么诊断', language: 'zh' },
];
const spec: AskedSpec = {
  files: { 'a.parquet': rows.slice(0, 6), 'b.parquet': rows.slice(6) },
  clusters: [
    { label: 'Medical', prompts: rows.slice(0, 8).map((row) => row.prompt ?? '') },
    {
      label: 'Math',
      prompts: [
        rows[8]?.prompt ?? '',
        rows[9]?.prompt ?? '',
        leak,
        'what is the meaning of cut',
        rows[12]?.prompt ?? '',
      ],
    },
  ],
  filter: { complete: true, prompt_words: {}, trace_words: {}, wait_count: { at_most: 7 } },
  decontam: {
    options: { benchmarks: ['medqa'] },
    methods: ['ngram_10'],
    hits: [{ prompt: leak, method: 'ngram_10', benchmark: 'medqa', item: '1' }],
  },
};

/** The same run, made with the other options: what whatif must say of the first. */
async function countsOf(filter: AskedSpec['filter']): Promise<unknown> {
  const run = await askedRun({ ...spec, ...(filter === undefined ? {} : { filter }) });
  return (await whatIf(run.path, [])).before;
}

describe('whatif', () => {
  let run: RunFolder;
  beforeAll(async () => {
    run = await askedRun(spec);
  });

  it('without a change it gives the account of the run as it is', async () => {
    const found = await whatIf(run.path, []);
    expect(found.changes).toEqual([]);
    expect(found).toMatchObject({ rows: 13, gained: { count: 0 }, lost: { count: 0 } });
    expect(found.before).toEqual({ kept: 9, dropped: { incomplete: 1, wait_count: 3 } });
    expect(found.after).toEqual(found.before);
  });

  it('counts by reason and source under another limit, and names the rows that change', async () => {
    const found = await whatIf(run.path, ['filter.wait_count.at_most=3']);
    expect(found.changes).toEqual(['wait_count.at_most 7 → 3']);
    expect(found.after).toEqual({ kept: 5, dropped: { incomplete: 1, wait_count: 7 } });
    expect(found.sources.find((source) => source.source === 'two')).toEqual({
      source: 'two',
      rows: 5,
      before: { kept: 3, dropped: { wait_count: 2 } },
      after: { kept: 0, dropped: { wait_count: 5 } },
    });
    expect(found.lost).toMatchObject({ count: 4, reasons: { wait_count: 4 } });
    expect(found.lost.examples.map((each) => each.id).sort()).toEqual(['waits-4', 'waits-5', 'waits-6', 'waits-7']);
    expect(found.lost.examples[0]?.prompt).toMatch(/^tell me about number \d$/);
    expect(await countsOf({ ...spec.filter, wait_count: { at_most: 3 } })).toEqual(found.after);
  });

  it('a row that passes the filter only now may still be a leak', async () => {
    const found = await whatIf(run.path, ['filter.wait_count.at_most=8']);
    expect(found.after).toEqual({ kept: 10, dropped: { incomplete: 1, wait_count: 1, ngram_10: 1 } });
    expect(found.gained).toMatchObject({ count: 1, reasons: { wait_count: 1 }, examples: [{ id: 'waits-8' }] });
  });

  it('a percentile instead of the limit is computed from the values', async () => {
    const found = await whatIf(run.path, ['filter.wait_count.percentile=50']);
    expect(found.histograms.find((each) => each.rule === 'wait_count')).toMatchObject({
      limit: 5,
      before: 7,
      passes: '<=',
    });
    expect(found.after).toEqual(await countsOf({ ...spec.filter, wait_count: { percentile: 50 } }));
  });

  it('the same where the trace words of the run are not those that say which rows have a trace', async () => {
    const filter = { ...spec.filter, trace_words: { of: 'reasoning' } };
    const run = await askedRun({ ...spec, filter });
    const found = await whatIf(run.path, ['filter.wait_count.percentile=50']);
    expect(found.after).toEqual(await countsOf({ ...filter, wait_count: { percentile: 50 } }));
  });

  it.each([
    ['filter.prompt_words.words=literal', { ...spec.filter, prompt_words: { words: 'literal' } }],
    ['filter.trace_words.less_than=6', { ...spec.filter, trace_words: { less_than: 6 } }],
    ['filter.trace_words.of=reasoning', { ...spec.filter, trace_words: { of: 'reasoning' } }],
    ['filter.trace_words.words=segmented', { ...spec.filter, trace_words: { words: 'segmented' } }],
    [
      'filter.wait_count={percentile: 50, of: reasoning}',
      { ...spec.filter, wait_count: { percentile: 50, of: 'reasoning' } },
    ],
    ['filter.language={keep: [zh]}', { ...spec.filter, language: { keep: ['zh'] } }],
    ['filter.license={allow: [mit]}', { ...spec.filter, license: { allow: ['mit'] } }],
    ['filter.domain={keep: [Medical]}', { ...spec.filter, domain: { keep: ['Medical'] } }],
    [
      "filter.where=language = 'zh' and prompt_words_segmented > 3",
      { ...spec.filter, where: "language = 'zh' and prompt_words_segmented > 3" },
    ],
    ['filter.complete=false', { ...spec.filter, complete: false }],
    ['filter.wait_count=null', { complete: true, prompt_words: {}, trace_words: {} }],
  ])('%s says what the run itself would say', async (set, filter) => {
    expect((await whatIf(run.path, [set])).after).toEqual(await countsOf(filter));
  });

  it('opens no file of rows/ for a rule that counts otherwise or is new', async () => {
    const run = await askedRun(spec);
    for (const file of run.files('rows')) writeFileSync(file, 'unreadable');
    const set = [
      'filter.trace_words.of=reasoning',
      'filter.wait_count={percentile: 50, of: reasoning}',
      'filter.language={keep: [en]}',
    ];
    expect((await whatIf(run.path, set, 0)).rows).toBe(13);
  });

  it('works on a run that filtered nothing', async () => {
    const { filter: _, ...rest } = spec;
    const found = await whatIf((await askedRun(rest)).path, ['filter.wait_count.at_most=3']);
    expect(found.before).toEqual({ kept: 12, dropped: { ngram_10: 1 } });
    expect(found.after).toEqual({ kept: 5, dropped: { wait_count: 8 } });
  });

  it('a histogram of every numeric rule counts every row, with the limit and what fails it', async () => {
    const { histograms } = await whatIf(run.path, ['filter.wait_count.at_most=3']);
    expect(histograms.map((each) => each.rule)).toEqual(['prompt_words', 'trace_words', 'wait_count']);
    for (const each of histograms) expect(each.bins.reduce((sum, [, , count]) => sum + count, 0)).toBe(13);
    expect(histograms[2]).toMatchObject({ limit: 3, before: 7, failed: 8 });
  });

  it.each([
    ['cluster.k=3', 'whatif changes filter rules only'],
    ['filter', 'whatif changes filter rules only'],
    ['filter.wait_counts.at_most=3', 'no rule "wait_counts"'],
    ['filter.wait_count.at_least=3', 'these options are not possible'],
    ['filter.wait_count.at_most=many', 'these options are not possible'],
    ['filter.loops={}', 'loops was not measured like this in this run'],
    ["filter.where=exists (from 'x')", 'filter.where may only look at the row itself'],
  ])('%s is refused with a reason', async (set, message) => {
    const failed = whatIf(run.path, [set]);
    await expect(failed).rejects.toThrow(Problem);
    await expect(failed).rejects.toThrow(message);
  });
});
