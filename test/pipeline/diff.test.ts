import { beforeAll, describe, expect, it } from 'vitest';
import { diffRuns, type RunDiff } from '../../src/pipeline/diff.js';
import type { RunFolder } from '../../src/store/folder.js';
import type { RowSpec } from '../filter/small-run.js';
import { askedRun } from './asked-run.js';

const rows: RowSpec[] = Array.from({ length: 20 }, (_, index) => ({
  id: `row-${index}`,
  source: index < 10 ? 'one' : 'two',
  prompt: `what about number ${index}`,
  reasoning_waits: index,
}));
const prompts = rows.map((row) => row.prompt ?? '');

describe('diff', () => {
  let a: RunFolder;
  let b: RunFolder;
  let diff: RunDiff;
  beforeAll(async () => {
    a = await askedRun({
      files: { 'a.parquet': rows.slice(0, 19) },
      clusters: [
        { label: 'Medical', prompts: prompts.slice(0, 15) },
        { label: 'Math', prompts: prompts.slice(15) },
      ],
      filter: { domain: { keep: ['Medical'] }, wait_count: { at_most: 9 } },
      inputs: [{ kind: 'source', name: 'one/x.jsonl', sha256: '1111111111111111', revision: '3c1d07a' }],
    });
    b = await askedRun({
      files: { 'a.parquet': rows.slice(1, 10), 'b.parquet': rows.slice(10) },
      clusters: [
        { label: 'Medical', prompts: prompts.slice(0, 12) },
        { label: 'Math', prompts: prompts.slice(12) },
      ],
      filter: { domain: { keep: ['Medical'] }, wait_count: { at_most: 11 }, prompt_words: {} },
      inputs: [{ kind: 'source', name: 'one/x.jsonl', sha256: '2222222222222222', revision: '9be0f42' }],
      seed: 43,
    });
    diff = await diffRuns(a.path, b.path, 2);
  });

  it('says what differs in config and inputs', () => {
    expect(diff.config).toEqual(['seed 42 → 43', 'filter.wait_count.at_most 9 → 11', 'filter.prompt_words is new']);
    expect(diff.inputs).toEqual([
      'source one/x.jsonl "revision 3c1d07a sha256 111111111111" → "revision 9be0f42 sha256 222222222222"',
    ]);
  });

  it('counts rows, kept rows and reasons of both', () => {
    expect(diff.rows).toEqual({ a: 19, b: 19, both: 18, onlyA: 1, onlyB: 1 });
    expect(diff.kept).toEqual({ a: 10, b: 11, both: 9 });
    expect(diff.reasons).toEqual([
      { reason: 'domain', a: 4, b: 8 },
      { reason: 'wait_count', a: 5, b: 0 },
      { reason: 'prompt_words', a: 0, b: 0 },
    ]);
    expect(diff.sources).toEqual([
      { source: 'one', rows: { a: 10, b: 9 }, kept: { a: 10, b: 9 } },
      { source: 'two', rows: { a: 9, b: 10 }, kept: { a: 0, b: 2 } },
    ]);
  });

  it('names the rows gained and lost with the reason on the other side', () => {
    expect(diff.gained).toMatchObject({ count: 2, reasons: { wait_count: 2 } });
    expect(diff.gained.examples.map((each) => each.id).sort()).toEqual(['row-10', 'row-11']);
    expect(diff.gained.examples[0]?.prompt).toMatch(/^what about number 1[01]$/);
    expect(diff.lost).toEqual({
      count: 1,
      reasons: { absent: 1 },
      examples: [{ id: 'row-0', source: 'one', reason: 'absent', prompt: 'what about number 0' }],
    });
    expect(diff.moved).toEqual({ count: 3, moves: [{ from: 'wait_count', to: 'domain', count: 3 }] });
  });

  it('counts prompts whose label changed', () => {
    expect(diff.labels).toEqual({
      compared: 20,
      changed: 3,
      changes: [{ from: 'Medical', to: 'Math', count: 3 }],
    });
  });

  it('of a run and itself says nothing', async () => {
    expect(await diffRuns(a.path, a.path)).toMatchObject({
      config: [],
      inputs: [],
      tables: [],
      gained: { count: 0, examples: [] },
      lost: { count: 0, examples: [] },
      moved: { count: 0 },
      labels: { changed: 0 },
    });
  });
});
