import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { decontam } from '../../src/decontam/decontam.js';
import { filter } from '../../src/filter/filter.js';
import { changedValues } from '../../src/pipeline/changed-values.js';
import { decide } from '../../src/pipeline/plan.js';
import type { StageBasis, StageState } from '../../src/pipeline/state.js';
import type { Json } from '../../src/store/fingerprint.js';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const scratch = mkdtempSync(join(tmpdir(), 'curate-plan-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const basis: StageBasis = {
  version: 1,
  seed: 42,
  compute: '',
  limit: null,
  options: { wait_count: { at_most: 47 } },
  optionsOf: {},
  inputs: {},
  reads: { rows: 'r1' },
  joins: {},
};

function decision(now: Partial<StageBasis>, waitsFor: ('ingest' | 'embed')[] = []) {
  const state = { basis } as StageState;
  const { state: verdict, why } = decide(filter, { ...basis, ...now }, state, waitsFor);
  return { verdict, why };
}

test('a stage says what made it stale, and nothing else does', () => {
  expect(decision({})).toEqual({ verdict: 'fresh', why: [] });
  expect(decision({ options: { wait_count: { at_most: 30 } } })).toEqual({
    verdict: 'stale',
    why: ['wait_count.at_most 47 → 30'],
  });
  expect(decision({ seed: 7 })).toEqual({ verdict: 'stale', why: ['seed 42 → 7'] });
  expect(decision({ reads: { rows: 'r2' } })).toEqual({ verdict: 'stale', why: ['rows changed'] });
  expect(decision({ version: 2 })).toEqual({
    verdict: 'stale',
    why: ['this version of curate computes it differently'],
  });
  expect(decision({ inputs: { 'model weights': 'abc' } })).toEqual({ verdict: 'stale', why: ['model weights is new'] });
  expect(decision({ reads: { rows: 'r2' } }, ['ingest'])).toEqual({ verdict: 'waiting', why: ['after ingest'] });
});

test('a file that only the finish reads keeps the tasks, another one does not', () => {
  const before: StageBasis = { ...basis, inputs: { 'allow allow.yaml': 'a', 'benchmark b.json': 'b' } };
  const now = (inputs: Record<string, string>) =>
    decide(decontam, { ...before, inputs }, { basis: before } as StageState);
  expect(now({ 'allow allow.yaml': 'other', 'benchmark b.json': 'b' })).toMatchObject({
    state: 'stale',
    why: ['allow allow.yaml changed'],
    finishOnly: true,
  });
  expect(now({ 'benchmark b.json': 'b' })).toMatchObject({ state: 'stale', finishOnly: true });
  expect(now({ 'allow allow.yaml': 'a', 'benchmark b.json': 'other' })).toMatchObject({
    state: 'stale',
    finishOnly: false,
  });
});

test('another judge asks again and looks for no candidate again, another model of sentences does', () => {
  const options = { benchmarks: ['b.json'], presets: ['reworded'] };
  const before: StageBasis = { ...basis, options: { ...options, reworded: { false_alarms: 0.005, judge: false } } };
  const now = (reworded: object, optionsOf: StageBasis['optionsOf'] = {}) =>
    decide(decontam, { ...before, options: { ...options, reworded: reworded as Json }, optionsOf }, {
      basis: before,
    } as StageState);
  const judged = now({ false_alarms: 0.005, judge: true }, { classify: { model: 'm' } });
  expect(judged).toMatchObject({ state: 'stale', finishOnly: true });
  expect(now({ false_alarms: 0.01, doubt: 0.3, judge: false })).toMatchObject({ state: 'stale', finishOnly: true });
  expect(now({ false_alarms: 0.005, model: './another' })).toMatchObject({ state: 'stale', finishOnly: false });
});

test('changed values are named by their path, long ones cut', () => {
  expect(changedValues({ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, '')).toEqual(['a.c 2 → 3']);
  expect(changedValues({ a: 1 }, { a: 1, b: 2 }, '')).toEqual(['b is new']);
  expect(changedValues({ a: 'x'.repeat(100) }, { a: 'y' }, '')[0]).toHaveLength('a  → "y"'.length + 60);
});

test('a run then does what the plan says', { timeout: 120_000 }, () => {
  cpSync(join(import.meta.dirname, 'faults'), join(scratch, 'p'), { recursive: true });
  const out = join(scratch, 'run');
  const both = (...options: string[]) => {
    const json = (name: string) =>
      JSON.parse(
        spawnSync(process.execPath, [command, name, 'pipeline.yaml', '--out', out, '--json', '--quiet', ...options], {
          cwd: join(scratch, 'p'),
          encoding: 'utf8',
        }).stdout,
      ) as {
        stages: { stage: string; state: string }[];
      };
    const planned = json('plan')
      .stages.filter((stage) => stage.state !== 'fresh')
      .map((stage) => stage.stage);
    const done = json('run')
      .stages.filter((stage) => stage.state === 'finished')
      .map((stage) => stage.stage);
    return { planned, done };
  };
  const all = ['ingest', 'filter', 'decontam', 'export'];
  expect(both()).toEqual({ planned: all, done: all });
  expect(both()).toEqual({ planned: [], done: [] });
  const threshold = ['--set', 'filter.prompt_words.more_than=6'];
  expect(both(...threshold)).toEqual({
    planned: ['filter', 'decontam', 'export'],
    done: ['filter', 'decontam', 'export'],
  });
  expect(both()).toEqual({ planned: ['filter', 'decontam', 'export'], done: ['filter', 'decontam', 'export'] });
  expect(both('--set', 'export.rows_per_file=3')).toEqual({ planned: ['export'], done: ['export'] });
  writeFileSync(
    join(scratch, 'p', 'more.jsonl'),
    '{"id":"9","prompt":"What is the capital city of Italy?","reasoning":"Known.","answer":"Rome"}\n',
  );
  expect(both('--set', 'export.rows_per_file=3')).toEqual({ planned: all, done: all });
});

test('a plan of the whole recipe needs neither endpoint nor network, and names what a run needs', () => {
  const { CURATE_LLM_URL: _, ...environment } = process.env;
  const recipe = join(import.meta.dirname, '..', '..', 'data', 'pipelines', 'ii-medical.yaml');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, 'plan', recipe, '--out', join(scratch, 'recipe'), '--json'],
    { cwd: scratch, encoding: 'utf8', env: { ...environment, HF_HUB_OFFLINE: '1' } },
  );
  expect(stderr).toContain('environment variable CURATE_LLM_URL, which is not set');
  expect(status).toBe(0);
  const planned = JSON.parse(stdout) as { unset: string[]; estimate: { sources: { rows: number }[] } };
  expect(planned.unset).toEqual(['CURATE_LLM_URL']);
  expect(planned.estimate.sources).toHaveLength(15);
  expect(planned.estimate.sources.every(({ rows }) => rows > 0)).toBe(true);

  const run = spawnSync(process.execPath, [command, 'run', recipe, '--out', join(scratch, 'recipe')], {
    cwd: scratch,
    encoding: 'utf8',
    env: { ...environment, HF_HUB_OFFLINE: '1' },
  });
  expect(run.stderr).toContain('classify.endpoint  environment variable CURATE_LLM_URL is not set');
  expect(run.status).toBe(2);
});
