import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { askedRun } from '../pipeline/asked-run.js';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const scratch = mkdtempSync(join(tmpdir(), 'curate-questions-'));
const faults = join(import.meta.dirname, '..', 'pipeline', 'faults');
let asked = '';
let finished = '';

/** Escape codes and a cursor movement, as a hostile row may hold them. */
const hostile = 'read \u001b[2J\u001b]0;owned\u0007 this \u202eprompt of many words';

function curate(...args: string[]) {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', COLUMNS: '80' };
  const ran = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

function json(...args: string[]): unknown {
  const ran = curate(...args, '--json');
  expect(ran.stderr).not.toContain('error');
  expect(ran).toMatchObject({ status: 0 });
  return JSON.parse(ran.stdout);
}

beforeAll(async () => {
  const run = await askedRun({
    files: {
      'a.parquet': [
        { id: 'kept', prompt: hostile },
        { id: 'waits', prompt: 'a question about nothing much', reasoning_waits: 50 },
        { id: 'leak', prompt: 'a question that stands in a benchmark' },
      ],
    },
    clusters: [
      {
        label: 'Medical',
        prompts: [hostile, 'a question about nothing much', 'a question that stands in a benchmark'],
      },
    ],
    filter: { domain: { keep: ['Medical'] }, prompt_words: {}, wait_count: { at_most: 47 } },
    decontam: {
      options: { benchmarks: ['medqa'] },
      methods: ['ngram_10'],
      hits: [
        {
          prompt: 'a question that stands in a benchmark',
          method: 'ngram_10',
          benchmark: 'own',
          item: '3',
          span: [2, 10],
        },
      ],
    },
  });
  asked = run.path;
  finished = join(scratch, 'finished');
  cpSync(faults, join(scratch, 'inputs'), { recursive: true });
  const ran = curate('run', join(scratch, 'inputs', 'pipeline.yaml'), '--out', finished, '--workers', '1', '--quiet');
  expect(ran).toMatchObject({ status: 0 });
});
afterAll(() => {
  for (const folder of [scratch, asked]) rmSync(folder, { recursive: true, force: true });
});

const text = z.string();
const number = z.number();
const counts = z.strictObject({ kept: number, dropped: z.record(text, number) });
const examples = z.array(z.strictObject({ id: text, source: text, reason: text, prompt: text }));
const change = z.strictObject({ count: number, reasons: z.record(text, number), examples });
const both = z.strictObject({ a: number, b: number });

const shapes = {
  explain: z.strictObject({
    id: text,
    source: text,
    group: text.nullable(),
    origin: z.strictObject({ file: text, row: number, revision: text.nullable(), sha256: text.nullable() }),
    place: z.strictObject({ file: text, row: number }),
    prompt: text,
    reasoning: text.nullable(),
    answer: text.nullable(),
    language: text.nullable(),
    model: text.nullable(),
    license: text.nullable(),
    finishReason: text.nullable(),
    kept: z.boolean().nullable(),
    reason: text.nullable(),
    cluster: z.strictObject({
      id: number,
      label: text.nullable(),
      agreement: number.nullable(),
      agreementHigh: number.nullable(),
      votes: number.nullable(),
      decidedBy: text.nullable(),
      uncertain: z.boolean().nullable(),
      distance: number,
      prompts: number,
      exemplars: z.array(z.strictObject({ rank: number, prompt: text, vote: z.null() })),
    }),
    rules: z.array(
      z.strictObject({
        rule: text,
        reason: text,
        passes: z.boolean(),
        value: z.unknown(),
        limit: number.nullable(),
        found: text,
        required: text,
      }),
    ),
    methods: z.array(z.strictObject({ method: text, passes: z.boolean() })),
    hits: z.array(
      z.strictObject({
        method: text,
        benchmark: text,
        item: text,
        score: number,
        field: text,
        span: z.strictObject({ start: number, end: number, text }),
        spanCount: number.nullable(),
        itemText: text.nullable(),
        measured: z.null(),
        shared: z.array(text),
        allowed: z.boolean(),
      }),
    ),
    flips: z.array(z.strictObject({ change: text, set: text.nullable(), becomes: z.enum(['kept', 'dropped']) })),
  }),
  found: z.strictObject({
    whole: z.boolean(),
    matching: number,
    rows: z.array(z.strictObject({ id: text, source: text, reason: text.nullable(), prompt: text })),
  }),
  sample: z.strictObject({
    matching: number,
    seed: number,
    rows: z.array(
      z.strictObject({
        id: text,
        source: text,
        reason: text.nullable(),
        prompt: text,
        reasoning: text.nullable(),
        answer: text.nullable(),
      }),
    ),
  }),
  whatif: z.strictObject({
    changes: z.array(text),
    rows: number,
    before: counts,
    after: counts,
    sources: z.array(z.strictObject({ source: text, rows: number, before: counts, after: counts })),
    gained: change,
    lost: change,
    histograms: z.array(
      z.strictObject({
        rule: text,
        passes: z.enum(['<', '<=', '>']),
        limit: number.nullable(),
        before: number.nullable(),
        failed: number,
        bins: z.array(z.tuple([number, number, number])),
      }),
    ),
  }),
  diff: z.strictObject({
    config: z.array(text),
    inputs: z.array(text),
    tables: z.array(text),
    rows: z.strictObject({ a: number, b: number, both: number, onlyA: number, onlyB: number }),
    kept: z.strictObject({ a: number, b: number, both: number }),
    reasons: z.array(z.strictObject({ reason: text, a: number, b: number })),
    sources: z.array(z.strictObject({ source: text, rows: both, kept: both })),
    labels: z
      .strictObject({
        compared: number,
        changed: number,
        changes: z.array(z.strictObject({ from: text, to: text, count: number })),
      })
      .nullable(),
    gained: change,
    lost: change,
    moved: z.strictObject({
      count: number,
      moves: z.array(z.strictObject({ from: text, to: text, count: number })),
    }),
  }),
  status: z.strictObject({
    pipeline: text,
    running: number.nullable(),
    stages: z.array(
      z.strictObject({
        stage: text,
        state: z.enum(['finished', 'begun', 'not begun']),
        tasksDone: number,
        tasks: number.nullable(),
        seconds: number.nullable(),
        secondsLeft: number.nullable(),
      }),
    ),
    rows: z.strictObject({ total: number, kept: number, quarantined: number, dropped: z.record(text, number) }),
    rules: z.array(z.strictObject({ rule: text, failed: number, failedOnly: number })),
    figures: z.record(text, z.record(text, z.unknown())),
    sentence: text,
  }),
  verify: z.strictObject({
    ok: z.boolean(),
    files: number,
    bytes: number,
    tablesRead: number,
    findings: z.array(z.strictObject({ kind: text, path: text, what: text })),
    rerun: z
      .strictObject({
        ok: z.boolean(),
        stages: z.array(z.strictObject({ stage: text, result: text, detail: text.nullable() })),
        first: z.null(),
        why: z.array(text),
      })
      .nullable(),
  }),
};

describe('--json has the documented shape', () => {
  it('explain', () => {
    shapes.explain.parse(json('explain', asked, 'leak'));
    shapes.explain.parse(json('explain', asked, '--prompt', 'nothing much'));
    expect(shapes.found.parse(json('explain', asked, '--prompt', 'a question')).matching).toBe(2);
  });

  it('sample', () => {
    expect(shapes.sample.parse(json('sample', asked, '--kept', '-n', '3')).rows.map((row) => row.prompt)).toEqual([
      hostile,
    ]);
  });

  it('whatif', () => {
    shapes.whatif.parse(json('whatif', asked, '--set', 'filter.wait_count.at_most=60'));
  });

  it('diff', () => {
    shapes.diff.parse(json('diff', asked, asked));
  });

  it('status', () => {
    for (const run of [asked, finished]) shapes.status.parse(json('status', run));
    expect(shapes.status.parse(json('status', finished)).stages.every((each) => each.state === 'finished')).toBe(true);
  });

  it('verify', () => {
    shapes.verify.parse(json('verify', finished, '--deep'));
    expect(shapes.verify.parse(json('verify', finished, '--rerun', '--workers', '1')).rerun?.ok).toBe(true);
  });

  it('docs/json.md names every field', () => {
    const documented = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'json.md'), 'utf8');
    const words = new Set(documented.match(/\w+/g));
    const fields = Object.values(shapes).flatMap(
      (shape) => JSON.stringify(z.toJSONSchema(shape)).match(/"\w+"(?=:\{)/g) ?? [],
    );
    const missing = fields.map((field) => field.slice(1, -1)).filter((field) => !words.has(field));
    expect(
      missing.filter(
        (field) => !['properties', 'items', 'additionalProperties', 'propertyNames', 'anyOf'].includes(field),
      ),
    ).toEqual([]);
  });
});

describe('for a person', () => {
  it('explain says why a row is out and what would keep it', () => {
    const ran = curate('explain', asked, 'waits');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain('dropped: wait_count');
    expect(ran.stdout).toMatch(/wait_count +FAILS +50 "Wait" in the trace +at most 47/);
    expect(ran.stdout).toContain('filter.wait_count.at_most 47 → 50');
    expect(ran.stdout.trimEnd().split('\n').at(-1)).toBe('waits is dropped: wait_count · fails 1 of 4 rules · 0 hits');
  });

  it('row text cannot move the cursor, ring or reorder, and no line is wider than the terminal', () => {
    for (const args of [
      ['explain', asked, 'kept'],
      ['explain', asked, '--prompt', 'r'],
      ['sample', asked],
    ]) {
      const { stdout } = curate(...args);
      expect(stdout).toContain('\\u{1b}[2J');
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      for (const line of stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
    }
  });

  it('whatif draws the threshold between what passes and what fails', () => {
    const { stdout } = curate('whatif', asked, '--set', 'filter.wait_count.at_most=60');
    expect(stdout).toContain('filter.wait_count.at_most 47 → 60');
    expect(stdout).toMatch(/wait_count <= 60, in the run 47 · 0 rows fail/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('would keep 2 of 3 rows instead of 1 · 1 gained · 0 lost');
  });

  it('verify fails with exit 1 and names the file', () => {
    const broken = join(scratch, 'broken');
    cpSync(finished, broken, { recursive: true });
    writeFileSync(join(broken, 'dataset', 'README.md'), 'other words');
    const ran = curate('verify', broken);
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^failed: 1 finding in /);
    expect(ran.stderr).toMatch(/changed +dataset\/README\.md/);
    expect(JSON.parse(curate('verify', broken, '--json').stdout)).toMatchObject({ ok: false, rerun: null });
  });

  it.each([
    [['explain', 'x'], 'explain needs the id of a row'],
    [['sample', 'x', '-n', 'many'], 'a whole number from 0 on'],
    [['sample', 'x', '--kept', '--dropped', 'domain'], '--kept and --dropped exclude each other'],
  ])('%j is refused with exit 2', (args, message) => {
    const ran = curate(...args);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain(message);
  });
});
