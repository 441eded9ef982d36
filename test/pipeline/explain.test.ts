import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { explainRow } from '../../src/pipeline/explain.js';
import { findRows } from '../../src/pipeline/find-rows.js';
import { whatIf } from '../../src/pipeline/whatif.js';
import { Problem } from '../../src/problem.js';
import type { RunFolder } from '../../src/store/folder.js';
import { promptKey, type RowSpec, runFolderWith } from '../filter/small-run.js';
import { askedRun } from './asked-run.js';

const question = 'A 54-year-old man has crushing chest pain. What is the diagnosis?';
const leak = `Answer this: 🫀 ${question}`;
const rows: RowSpec[] = [
  { id: 'fine', prompt: 'what helps against a cold in winter', reasoning_waits: 40, metadata: '{"x": 1}' },
  { id: 'leak', prompt: leak },
  { id: 'waits', prompt: 'why do we yawn when others yawn', reasoning_waits: 48 },
  { id: 'maths', prompt: 'what is the square root of two' },
  { id: 'both', prompt: 'how many sides has a hexagon', answer: null },
  { id: 'allowed', prompt: 'what is the next step in management of this patient' },
  { id: 'extra', prompt: 'a prompt of a group that is not embedded', group: 'extra' },
  { id: 'no-box', prompt: 'what helps against a cold in winter', answer: 'tea' },
];

describe('explain', () => {
  let run: RunFolder;
  beforeAll(async () => {
    const [fine, leaked, waits, maths, both, allowed] = rows.map((row) => row.prompt ?? '');
    run = await askedRun({
      files: { 'a.parquet': rows.slice(0, 3), 'b.parquet': rows.slice(3) },
      clusters: [
        { label: 'Medical', agreement: 0.9, prompts: [fine, leaked, waits, allowed].map((prompt) => prompt ?? '') },
        { label: 'Math', prompts: [maths ?? '', both ?? ''] },
      ],
      filter: {
        domain: { keep: ['Medical', 'Biology'] },
        complete: true,
        wait_count: { at_most: 47 },
        prompt_words: {},
        where: "answer <> 'tea'",
      },
      decontam: {
        options: {
          benchmarks: [{ path: 'bench.jsonl' }],
          methods: [{ ngram: 10 }],
          allow: 'allow.yaml',
        },
        methods: ['ngram_10'],
        hits: [
          { prompt: leak, method: 'ngram_10', benchmark: 'bench', item: 'q7', score: 0.8, span: [15, 28], count: 2 },
          { prompt: allowed ?? '', method: 'ngram_10', benchmark: 'bench', item: 'q8', span: [0, 4] },
        ],
      },
      inputs: [{ kind: 'source', name: 'one/input.jsonl', sha256: 'abc', revision: '3c1d07a' }],
    });
    const state = JSON.parse(readFileSync(run.state('pipeline.json'), 'utf8'));
    writeFileSync(run.state('pipeline.json'), JSON.stringify({ ...state, folder: run.path }));
    const items = [
      { item: 'q7', question, options: ['MI', 'PE'] },
      { item: 'q8', question: 'What is the next step in management?' },
    ];
    writeFileSync(join(run.path, 'bench.jsonl'), items.map((item) => JSON.stringify(item)).join('\n'));
    const allow = [{ prompt_key: promptKey(allowed ?? ''), benchmark: 'bench', item: 'q8' }];
    writeFileSync(join(run.path, 'allow.yaml'), JSON.stringify(allow));
  });

  it('a kept row: origin, cluster, every rule with value, limit and verdict, and the nearest change that drops it', async () => {
    const found = await explainRow(run.path, 'fine');
    expect(found).toMatchObject({
      id: 'fine',
      source: 'one',
      group: 'traces',
      origin: { file: 'input.jsonl', row: 0, revision: '3c1d07a', sha256: 'abc' },
      place: { file: 'a.parquet', row: 0 },
      prompt: 'what helps against a cold in winter',
      kept: true,
      reason: null,
      cluster: { id: 0, label: 'Medical', agreement: 0.9, votes: 4, decidedBy: 'votes', uncertain: false, prompts: 4 },
      methods: [{ method: 'ngram_10', passes: true }],
      hits: [],
    });
    expect(found.cluster?.exemplars[1]).toEqual({ rank: 2, prompt: leak, vote: null });
    expect(found.rules).toEqual([
      {
        rule: 'domain',
        reason: 'domain',
        passes: true,
        value: 'Medical',
        limit: null,
        found: 'label Medical',
        required: 'Medical, Biology',
      },
      {
        rule: 'complete',
        reason: 'incomplete',
        passes: true,
        value: true,
        limit: null,
        found: 'complete',
        required: 'complete',
      },
      {
        rule: 'prompt_words',
        reason: 'prompt_words',
        passes: true,
        value: 7,
        limit: 3,
        found: '7 words in the prompt (segmented)',
        required: 'more than 3',
      },
      {
        rule: 'wait_count',
        reason: 'wait_count',
        passes: true,
        value: 40,
        limit: 47,
        found: '40 "Wait" in the trace',
        required: 'at most 47',
      },
      {
        rule: 'where',
        reason: 'where',
        passes: true,
        value: true,
        limit: null,
        found: 'true',
        required: "answer <> 'tea'",
      },
    ]);
    expect(found.flips.slice(0, 2)).toEqual([
      { change: 'filter.wait_count.at_most 47 → 39', set: 'filter.wait_count.at_most=39', becomes: 'dropped' },
      { change: 'filter.prompt_words.more_than 3 → 7', set: 'filter.prompt_words.more_than=7', becomes: 'dropped' },
    ]);
  });

  it('a row dropped by one rule: the single change that keeps it', async () => {
    expect(await explainRow(run.path, 'waits')).toMatchObject({
      kept: false,
      reason: 'wait_count',
      flips: [{ change: 'filter.wait_count.at_most 47 → 48', set: 'filter.wait_count.at_most=48', becomes: 'kept' }],
    });
    expect((await explainRow(run.path, 'maths')).flips).toEqual([
      {
        change: 'filter.domain.keep → ["Medical","Biology","Math"]',
        set: 'filter.domain.keep=["Medical","Biology","Math"]',
        becomes: 'kept',
      },
    ]);
    expect((await explainRow(run.path, 'no-box')).flips).toEqual([
      { change: 'a pipeline without filter.where', set: null, becomes: 'kept' },
    ]);
  });

  it.each(['fine', 'waits', 'maths'])('each change that it names does what it says (%s)', async (id) => {
    const { flips, kept } = await explainRow(run.path, id);
    for (const flip of flips) {
      if (flip.set === null) continue;
      const { gained, lost } = await whatIf(run.path, [flip.set], 100);
      const changed = (kept === true ? lost : gained).examples.map((each) => each.id);
      expect(changed, flip.set).toContain(id);
    }
  });

  it('a row that fails twice is turned by no single change', async () => {
    const found = await explainRow(run.path, 'both');
    expect(found).toMatchObject({ kept: false, reason: 'domain', flips: [] });
    expect(found.rules.filter((rule) => !rule.passes).map((rule) => rule.rule)).toEqual([
      'domain',
      'complete',
      'where',
    ]);
  });

  it('a leak: the item’s text beside the span of the prompt, in code points', async () => {
    const found = await explainRow(run.path, 'leak');
    expect(found).toMatchObject({ kept: false, reason: 'ngram_10' });
    expect(found.hits).toEqual([
      {
        method: 'ngram_10',
        benchmark: 'bench',
        item: 'q7',
        score: 0.8,
        field: 'prompt',
        span: { start: 15, end: 28, text: 'A 54-year-old' },
        spanCount: 2,
        itemText: `${question}\nMI\nPE`,
        measured: null,
        shared: [],
        allowed: false,
      },
    ]);
    expect(found.flips.map((flip) => flip.becomes)).toEqual(['kept', 'kept']);
  });

  it('a hit that a person allowed is shown as such', async () => {
    expect((await explainRow(run.path, 'allowed')).hits).toMatchObject([{ item: 'q8', allowed: true }]);
  });

  it('a row of a group that was not embedded has no cluster and passes domain', async () => {
    const found = await explainRow(run.path, 'extra');
    expect(found).toMatchObject({ cluster: null, kept: true });
    expect(found.rules[0]).toMatchObject({ passes: true, found: 'group was not embedded' });
  });

  it('an id that is not there is a Problem that names those that begin like it', async () => {
    await expect(explainRow(run.path, 'no')).rejects.toMatchObject({
      message: 'this run has no row "no"',
      parts: { items: ['begins like it  no-box'] },
    });
    await expect(explainRow(run.path, "x' OR true --")).rejects.toThrow(Problem);
  });

  it('finds rows by their whole prompt, else by a part of it without case', async () => {
    const whole = await findRows(run.path, 'what helps against a cold in winter');
    expect(whole).toMatchObject({
      whole: true,
      matching: 2,
      rows: [
        { id: 'fine', reason: null },
        { id: 'no-box', reason: 'where' },
      ],
    });
    const part = await findRows(run.path, 'CRUSHING chest');
    expect(part).toMatchObject({ whole: false, matching: 1, rows: [{ id: 'leak', reason: 'ngram_10', prompt: leak }] });
    expect(await findRows(run.path, "no such % text'")).toEqual({ whole: false, matching: 0, rows: [] });
  });

  it('a folder that is no run folder is a Problem', async () => {
    await expect(explainRow((await runFolderWith({})).path, 'x')).rejects.toThrow('is no run folder');
  });
});
