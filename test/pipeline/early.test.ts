import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContextParts } from '../../src/pipeline/context.js';
import { execute, type Grounds } from '../../src/pipeline/execute.js';
import type { RunEffects } from '../../src/pipeline/run.js';
import type { StageReport } from '../../src/pipeline/stage.js';
import type { AnyStage } from '../../src/pipeline/stages.js';
import { readTaskState, taskPath } from '../../src/pipeline/state.js';
import { RunFolder } from '../../src/store/folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curate-early-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const report: StageReport = {
  unit: 'rows',
  in: 0,
  kept: 0,
  dropped: {},
  quarantined: 0,
  figures: {},
  notes: {},
  warnings: [],
};

/** A stage of two tasks; `worked` are those that were done. */
function stageOf(worked: number[], beginsEarly: boolean): AnyStage {
  return {
    name: 'ingest',
    version: 1,
    reads: [],
    joins: [],
    writes: [],
    runs: 'here',
    beginsEarly,
    tasks: async () => [0, 1],
    work: async (task: number) => {
      worked.push(task);
      return { files: [] };
    },
    finish: async () => report,
  } as unknown as AnyStage;
}

const grounds: Grounds = {
  inputs: [],
  basis: {
    version: 1,
    seed: 1,
    compute: '',
    limit: null,
    options: {},
    optionsOf: {},
    inputs: {},
    reads: {},
    joins: {},
  },
};

function begin(stage: AnyStage, given: Promise<Grounds>): Promise<StageReport> {
  const pipeline = { file: '', folder, name: 'early', seed: 1, compute: 'native' as const, stages: { ingest: {} } };
  const parts: ContextParts = { folder, pipeline, stage: 'ingest', workers: 1, limit: null, optionsOf: {} };
  const nothing = () => {};
  const effects: RunEffects = {
    stage: nothing,
    progress: nothing,
    warn: nothing,
    log: nothing,
    seconds: () => 0,
    signal: new AbortController().signal,
  };
  return execute(stage, given, parts, false, effects);
}

/** Grounds that are known when `give` is called. */
function later(): { given: Promise<Grounds>; give: () => void; fail: (error: Error) => void } {
  let give = () => {};
  let fail: (error: Error) => void = () => {};
  const given = new Promise<Grounds>((resolve, reject) => {
    give = () => resolve(grounds);
    fail = reject;
  });
  given.catch(() => undefined);
  return { given, give, fail };
}

const turns = async () => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a stage that begins early works before its grounds are known, and files its reports under them', async () => {
  const worked: number[] = [];
  const { given, give } = later();
  const done = begin(stageOf(worked, true), given);
  while (worked.length === 0) await turns();
  const run = new RunFolder(folder);
  expect(existsSync(taskPath(run, 'ingest', 0))).toBe(false);
  give();
  expect(await done).toEqual(report);
  expect(worked).toEqual([0, 1]);

  const list = begin(stageOf(worked, false), Promise.resolve(grounds));
  expect(await list).toEqual(report);
  // Found again by a call that knew them from the beginning.
  expect(worked).toEqual([0, 1]);
});

test('another one waits for them', async () => {
  const worked: number[] = [];
  const { given, give } = later();
  const done = begin(stageOf(worked, false), given);
  await turns();
  expect(worked).toEqual([]);
  give();
  await done;
  expect(worked).toEqual([0, 1]);
});

test('what was done early under an earlier call is looked for before anything is done again', async () => {
  await begin(stageOf([], true), Promise.resolve(grounds));
  const worked: number[] = [];
  await begin(stageOf(worked, true), Promise.resolve(grounds));
  expect(worked).toEqual([]);
});

test('grounds that cannot be had stop the stage, and no report is filed', async () => {
  const { given, fail } = later();
  const done = begin(stageOf([], true), given);
  await turns();
  fail(new Error('cannot be read'));
  await expect(done).rejects.toThrow('cannot be read');
  expect(readTaskState(new RunFolder(folder), 'ingest', 0, '')).toBeNull();
  expect(existsSync(taskPath(new RunFolder(folder), 'ingest', 0))).toBe(false);
});
