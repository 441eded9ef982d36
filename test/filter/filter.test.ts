import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filter } from '../../src/filter/filter.js';
import { boundRules, filterOptions } from '../../src/filter/registry.js';
import { Problem } from '../../src/problem.js';
import { sha256 } from '../../src/store/fingerprint.js';
import {
  contextOf,
  type RowSpec,
  runFilter,
  runFolderWith,
  verdicts,
  writeClusters,
  writeManyRows,
} from './small-run.js';

const words = (count: number, word = 'w'): string => Array.from({ length: count }, () => word).join(' ');

async function failedBy(rows: RowSpec[], spec: unknown): Promise<Record<string, string>> {
  const run = await runFolderWith({ '000-00000-000.parquet': rows });
  await runFilter(run, spec);
  return Object.fromEntries((await verdicts(run)).map((row) => [row.id, String(row.first_failed)]));
}

describe('the card’s rules', () => {
  it('more than 3 words: a prompt of 3 fails, of 4 passes', async () => {
    const found = await failedBy(
      [
        { id: 'has-3', prompt: 'one two three' },
        { id: 'has-4', prompt: 'one two three four' },
      ],
      { prompt_words: {} },
    );
    expect(found).toEqual({ 'has-3': 'prompt_words', 'has-4': 'null' });
  });

  it('counts words of unspaced scripts unless told to read the card literally, and then says what that costs', async () => {
    const rows = [{ id: 'zh', prompt: '患者男性四十五岁胸痛两小时应该首先考虑什么诊断' }];
    expect(await failedBy(rows, { prompt_words: {} })).toEqual({ zh: 'null' });
    const run = await runFolderWith({ 'a.parquet': rows });
    const report = await runFilter(run, { prompt_words: { words: 'literal' } });
    expect(report.dropped).toEqual({ prompt_words: 1 });
    expect(report.warnings).toEqual([
      'every row was dropped as prompt_words',
      '1 rows fail prompt_words only because their script has no spaces; words: segmented counts those words',
    ]);
  });

  it('fewer than 7,143 words: reasoning and answer count together, or the reasoning alone', async () => {
    const rows = [
      { id: 'has-7142', reasoning: words(7141), answer: 'w' },
      { id: 'has-7143', reasoning: words(7142), answer: 'w' },
    ];
    expect(await failedBy(rows, { trace_words: {} })).toEqual({ 'has-7142': 'null', 'has-7143': 'trace_words' });
    expect(await failedBy(rows, { trace_words: { of: 'reasoning' } })).toEqual({
      'has-7142': 'null',
      'has-7143': 'null',
    });
  });

  it('"Wait" at most 47 times, in the whole trace', async () => {
    const rows = [
      { id: 'has-47', reasoning: words(46, 'Wait,'), answer: 'Wait' },
      { id: 'has-48', reasoning: words(47, 'Wait,'), answer: 'Wait' },
      { id: 'no-trace', reasoning: null, answer: null },
    ];
    expect(await failedBy(rows, { wait_count: { at_most: 47 } })).toEqual({
      'has-47': 'null',
      'has-48': 'wait_count',
      'no-trace': 'null',
    });
  });

  it('incomplete generations are called so, and `complete: false` switches the rule off', async () => {
    const rows = [{ id: 'cut', answer: null }];
    expect(await failedBy(rows, { complete: true })).toEqual({ cut: 'incomplete' });
    expect(await failedBy(rows, { complete: false })).toEqual({ cut: 'null' });
  });

  it('a percentile is exact, over every row with a trace, and stands in the figures', async () => {
    const run = await runFolderWith({
      'a.parquet': Array.from({ length: 60 }, (_, index) => ({ id: `a${index}`, reasoning_waits: index + 1 })),
      'b.parquet': Array.from({ length: 40 }, (_, index) => ({ id: `b${index}`, reasoning_waits: index + 61 })),
      'c.parquet': Array.from({ length: 50 }, (_, index) => ({ id: `q${index}`, reasoning: null, answer: null })),
    });
    const report = await runFilter(run, { wait_count: { percentile: 97 } });
    expect(report.figures.wait_count).toMatchObject({ at_most: 97, percentile: 97, failed: 3, failed_only_this: 3 });
    expect(report.dropped).toEqual({ wait_count: 3 });
  });
});

describe('domain', () => {
  const rows: RowSpec[] = [
    { id: 'medical', prompt: 'a heart question' },
    { id: 'maths', prompt: 'a number question' },
    { id: 'unsure', prompt: 'an odd question' },
    { id: 'invalid', prompt: 'a question with no valid vote' },
    { id: 'elsewhere', prompt: 'not embedded at all', group: 'extra' },
    { id: 'no-group', prompt: 'no group at all', group: null },
  ];
  const clusters = [
    { label: 'Medical', prompts: ['a heart question'] },
    { label: 'Math', prompts: ['a number question'] },
    { label: null, uncertain: true, prompts: ['a question with no valid vote'] },
    { label: 'Medical', uncertain: true, prompts: ['an odd question'] },
  ];
  const stages = { embed: { groups: ['traces'] }, classify: {} };

  async function domains(then: string): Promise<Record<string, string>> {
    const run = await runFolderWith({ 'a.parquet': rows });
    await writeClusters(run, clusters);
    await runFilter(
      run,
      { domain: { keep: ['Medical'] } },
      {
        ...stages,
        classify: JSON.parse(`{"uncertain": {"below": 0.5, "then": "${then}"}}`),
      },
    );
    return Object.fromEntries((await verdicts(run)).map((row) => [row.id, `${row.domain_value} ${row.domain}`]));
  }

  it('keeps labels by name; rows of groups that were not embedded pass', async () => {
    expect(await domains('keep')).toEqual({
      medical: 'Medical true',
      maths: 'Math false',
      unsure: 'Medical true',
      invalid: '(no label) false',
      elsewhere: 'null true',
      'no-group': 'null true',
    });
  });

  it('drops uncertain clusters where classify says `then: drop`', async () => {
    expect(await domains('drop')).toMatchObject({ medical: 'Medical true', unsure: 'Medical (uncertain) false' });
  });

  it('a row that should have been clustered and was not stops the run', async () => {
    const run = await runFolderWith({ 'a.parquet': rows });
    await writeClusters(run, clusters.slice(0, 3));
    await expect(runFilter(run, { domain: { keep: ['Medical'] } }, stages)).rejects.toThrow(
      '1 rows of embedded groups have no cluster or no label',
    );
  });

  it('without classify it is refused before anything runs', async () => {
    const run = await runFolderWith({ 'a.parquet': rows });
    const options = filterOptions.parse({ domain: { keep: ['Medical'] } });
    await expect(filter.check?.(options, contextOf(run))).rejects.toThrow(Problem);
  });

  it('a mistyped label is refused before anything runs', async () => {
    const run = await runFolderWith({});
    const options = filterOptions.parse({ domain: { keep: ['Medicall', 'Math'] } });
    const check = (labels: string | string[]) => filter.check?.(options, contextOf(run, { classify: { labels } }));
    await expect(check(['Medical', 'Math'])).rejects.toMatchObject({
      parts: { items: ['filter.domain.keep  no label "Medicall"; did you mean Medical?'] },
    });
    await expect(check('medical-domains')).rejects.toThrow('a label that classify never gives');
    await expect(check(['Medicall', 'Math'])).resolves.toBeUndefined();
  });

  it('a label that no cluster has is named', async () => {
    const run = await runFolderWith({ 'a.parquet': rows });
    await writeClusters(run, clusters);
    const report = await runFilter(run, { domain: { keep: ['Medical', 'Medicine'] } }, stages);
    expect(report.warnings).toEqual(['filter.domain keeps Medicine, but no cluster has that label']);
  });
});

describe('further rules', () => {
  it('language and licence: by name, without case; unknown is dropped unless `missing: keep`', async () => {
    const rows = [
      { id: 'ok', language: 'en', license: ' Apache-2.0' },
      { id: 'zh', language: 'zh' },
      { id: 'unknown', language: null },
      { id: 'gpl', license: 'gpl' },
      { id: 'none', license: null },
    ];
    const spec = { language: { keep: ['EN'] }, license: { allow: ['apache-2.0'] } };
    expect(await failedBy(rows, spec)).toEqual({
      ok: 'null',
      zh: 'language',
      unknown: 'language',
      gpl: 'license',
      none: 'license',
    });
    const lenient = {
      language: { keep: ['en'], missing: 'keep' },
      license: { allow: ['apache-2.0'], missing: 'keep' },
    };
    expect(await failedBy(rows, lenient)).toMatchObject({ unknown: 'null', none: 'null' });
  });

  it('loops and boxed read the text and write their value down', async () => {
    const sentence = 'so we try once more to find the value of x here';
    const run = await runFolderWith({
      'a.parquet': [
        { id: 'circles', reasoning: Array.from({ length: 10 }, () => sentence).join(' '), answer: '\\boxed{4}' },
        { id: 'straight', reasoning: sentence, answer: 'it is 4' },
      ],
    });
    const report = await runFilter(run, { loops: {}, boxed: {} });
    const [circles, straight] = await verdicts(run);
    expect(circles).toMatchObject({ loops: false, boxed: true, first_failed: 'loops' });
    expect(circles?.loops_value).toBeCloseTo(108 / 121, 12);
    expect(straight).toMatchObject({ loops: true, boxed: false, loops_value: 0, first_failed: 'boxed' });
    expect(report.dropped).toEqual({ loops: 1, boxed: 1 });
  });

  it('where: an expression over columns and metadata; null is not true', async () => {
    const rows = [
      { id: 'good', metadata: '{"score": 0.9, "verified": {"by": "x"}}' },
      { id: 'bad', metadata: '{"score": 0.1}' },
      { id: 'no-score', metadata: '{}' },
      { id: 'no-metadata' },
    ];
    expect(
      await failedBy(rows, { where: "metadata.score::DOUBLE > 0.5 and metadata.verified.by = 'x' -- checked" }),
    ).toEqual({
      good: 'null',
      bad: 'where',
      'no-score': 'where',
      'no-metadata': 'where',
    });
  });

  it('where: a cast that fails on a row is a problem, not a crash', async () => {
    const rows = [{ id: 'bad', metadata: '{"score": "high"}' }];
    await expect(failedBy(rows, { where: 'metadata.score::DOUBLE > 0.5' })).rejects.toThrow(
      'filter.where fails on a row',
    );
  });
});

describe('the account', () => {
  const rows: RowSpec[] = [
    { id: 'both', prompt: 'short', answer: null, source: 'two' },
    { id: 'words', prompt: 'short' },
    { id: 'fine' },
  ];

  it('judges every rule for every row and counts a row under the first, in the card’s order, then as listed', async () => {
    const run = await runFolderWith({ 'a.parquet': rows });
    const spec = { license: { allow: ['mit'] }, boxed: {}, prompt_words: {}, complete: true };
    const report = await runFilter(run, spec);
    expect(Object.keys(report.dropped)).toEqual(['incomplete', 'prompt_words', 'license', 'boxed']);
    expect(report).toMatchObject({ in: 3, kept: 0, dropped: { incomplete: 1, prompt_words: 1, license: 1, boxed: 0 } });
    expect((await verdicts(run))[0]).toMatchObject({
      id: 'both',
      complete: false,
      prompt_words: false,
      license: false,
      boxed: false,
      prompt_words_value: 1,
      license_value: 'apache-2.0',
      first_failed: 'incomplete',
    });
    expect(Object.keys((await runFilter(run, { boxed: {}, license: { allow: ['mit'] } })).dropped)).toEqual([
      'boxed',
      'license',
    ]);
  });

  it('counts failed, failed only this, by source, and a histogram whose counts sum to the rows', async () => {
    const run = await runFolderWith({ 'a.parquet': rows });
    const report = await runFilter(run, { complete: true, prompt_words: {} });
    expect(report.figures).toMatchObject({
      sources: { one: { kept: 1, prompt_words: 1 }, two: { incomplete: 1 } },
      complete: { reason: 'incomplete', failed: 1, failed_only_this: 0 },
      prompt_words: {
        more_than: 3,
        failed: 2,
        failed_only_this: 1,
        histogram: [
          [1, 2, 2],
          [6, 7, 1],
        ],
      },
    });
  });

  it('one file per task, rows in the order of rows/, whatever the worker count', async () => {
    const run = await runFolderWith({});
    const counts = { a: 40_000, b: 40_000, c: 10 };
    for (const [name, count] of Object.entries(counts)) await writeManyRows(run, name, count);
    await runFilter(run, { prompt_words: {} });
    expect(run.files('verdicts/filter').map((file) => run.relative(file))).toEqual([
      'verdicts/filter/00000.parquet',
      'verdicts/filter/00001.parquet',
    ]);
    const found = await verdicts(run);
    const ids = Object.entries(counts).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, index) => `${name}-${count - index}`),
    );
    expect(found.map((row) => row.id)).toEqual(ids);
    expect(found[40_001]).toMatchObject({ id: 'b-39999', file: 'b.parquet', row: 1, source: 'one' });
    const before = run.files('verdicts/filter').map((file) => sha256(readFileSync(file)));
    await runFilter(run, { prompt_words: {} });
    expect(run.files('verdicts/filter').map((file) => sha256(readFileSync(file)))).toEqual(before);
  });

  it('a run without rows has no tasks and an empty account', async () => {
    const run = await runFolderWith({});
    expect(await runFilter(run, { complete: true, wait_count: { percentile: 97 } })).toMatchObject({
      in: 0,
      kept: 0,
      dropped: { incomplete: 0, wait_count: 0 },
    });
  });
});

describe('options', () => {
  it('keep the order of the rules as written, also after a second parse', () => {
    const parsed = filterOptions.parse({ where: 'complete', boxed: {}, complete: true, language: { keep: ['en'] } });
    expect(boundRules(filterOptions.parse(JSON.parse(JSON.stringify(parsed)))).map((rule) => rule.key)).toEqual([
      'complete',
      'where',
      'boxed',
      'language',
    ]);
  });

  it('refuse unknown rules, unknown keys and a limit given twice', () => {
    const paths = (spec: unknown) =>
      filterOptions.safeParse(spec).error?.issues.map((issue) => [issue.code, ...issue.path]);
    expect(paths({ trace_word: {} })).toEqual([['unrecognized_keys']]);
    expect(paths({ prompt_words: { more_then: 3 } })).toEqual([['unrecognized_keys', 'prompt_words']]);
    expect(paths({ wait_count: { at_most: 3, percentile: 97 } })).toEqual([['custom', 'wait_count']]);
    expect(paths({ wait_count: {} })).toEqual([['custom', 'wait_count']]);
  });
});
