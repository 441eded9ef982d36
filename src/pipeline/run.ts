import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { claim } from '../store/claim.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { type Account, accountOf, checkConservation, reportsOf } from './account.js';
import { type Pipeline, stagesOf } from './config.js';
import { type ContextParts, makeContext, optionsOf } from './context.js';
import { type Estimate, estimate } from './estimate.js';
import { execute, executeTask, prepareTasks, removeStage } from './execute.js';
import { expectedOf, lockDifferences, lockOf, readLock, writeLock } from './lock.js';
import { machineProblem } from './machine-problem.js';
import { writeManifest } from './manifest.js';
import { basisOf, decide, plan, type StageDecision, tableHashes, unfinished } from './plan.js';
import {
  type Progress,
  type StageInput,
  type StageName,
  type StageReport,
  stageNames,
  type TaskReport,
} from './stage.js';
import { type AnyStage, stageNamed, stages } from './stages.js';
import { openRun, readStageState } from './state.js';
import { closeWorkers, startWorkers } from './workers.js';

export interface RunOptions {
  /** The run folder. */
  out: string;
  workers: number;
  limit: number | null;
  /** Only these stages: those before them must be finished and fresh. Default: all of the pipeline. */
  from?: StageName;
  to?: StageName;
  /** Runs again although nothing changed. */
  force?: StageName;
  /** Fail unless sources, models, config and results equal this lock. */
  frozen?: string;
}

/** How a run speaks to whoever started it. The pipeline itself prints nothing and knows no clock. */
export interface RunEffects {
  stage(event: StageEvent): void;
  progress(stage: StageName, progress: Progress): void;
  warn(stage: StageName | null, sentence: string): void;
  /** A line of the run folder's log. */
  log(event: { [key: string]: Json }): void;
  seconds(): number;
  signal: AbortSignal;
}

export interface StageEvent {
  stage: StageName;
  state: 'fresh' | 'started' | 'finished';
  why: string[];
  report: StageReport | null;
  seconds: number;
}

export interface RunResult {
  folder: string;
  account: Account;
  stages: StageEvent[];
  warnings: string[];
}

/** Runs a pipeline: what is fresh stands, what is stale is computed, and every row is accounted for. */
export async function run(pipeline: Pipeline, options: RunOptions, effects: RunEffects): Promise<RunResult> {
  try {
    return await runStages(pipeline, options, effects);
  } catch (error) {
    throw machineProblem(error, options.out, goesOn);
  }
}

const goesOn = 'type the same command again: it goes on where it stopped (curate plan says what it needs)';

async function runStages(pipeline: Pipeline, options: RunOptions, effects: RunEffects): Promise<RunResult> {
  const folder = new RunFolder(options.out);
  const locked = options.frozen === undefined ? null : readLock(options.frozen);
  await checkStages(pipeline, options);

  const release = claim(folder.state('claim.json'));
  try {
    await openRun(folder, pipeline, options.limit);
    await rm(folder.temporary, { recursive: true, force: true });
    for (const stage of stages) if (pipeline.stages[stage.name] === undefined) await removeStage(folder, stage);
    const inputs = inputReader(pipeline, options);
    if (locked !== null) {
      const all = (await Promise.all(stagesOf(pipeline).map(({ stage, options: own }) => inputs(stage, own)))).flat();
      failOnDifferences(lockDifferences(locked, expectedOf(pipeline, options.limit, all)), 'before any work');
    }

    const events: StageEvent[] = [];
    const standing: StageName[] = [];
    for (const { stage, options: own } of stagesOf(pipeline)) {
      const state = readStageState(folder, stage.name);
      if (state === null && stage.runs === 'workers' && isSelected(stage.name, options))
        startWorkers(stage.name, options.workers);
      const tables = tableHashes(folder, pipeline);
      const grounds = inputs(stage, own).then((found) => ({
        inputs: found,
        basis: basisOf(stage, own, pipeline, options.limit, found, tables),
      }));
      // Awaited below, but may be rejected before.
      grounds.catch(() => undefined);
      const decision =
        state === null && stage.beginsEarly === true ? unfinished(stage) : decide(stage, (await grounds).basis, state);
      if (decision.state === 'fresh' || isSelected(stage.name, options)) standing.push(stage.name);
      if (!isSelected(stage.name, options)) {
        if (decision.state !== 'fresh' && isBefore(stage.name, options)) refuseToSkip(decision, pipeline, options);
        continue;
      }
      const forced = options.force === stage.name;
      const event: StageEvent = { stage: stage.name, state: 'fresh', why: decision.why, report: null, seconds: 0 };
      if (decision.state === 'fresh' && !forced) {
        event.report = state?.report ?? null;
      } else {
        effects.stage({ ...event, state: 'started', why: forced ? ['--force'] : decision.why });
        const begin = effects.seconds();
        event.report = await execute(stage, grounds, partsOf(stage, pipeline, options), forced, effects);
        event.state = 'finished';
        event.seconds = effects.seconds() - begin;
      }
      effects.stage(event);
      events.push(event);
    }
    checkConservation(reportsOf(folder, pipeline));

    const lock = lockOf(folder, pipeline, standing, options.limit);
    await writeLock(folder, lock);
    await writeManifest(folder, pipeline);
    if (locked !== null) failOnDifferences(lockDifferences(locked, lock), 'after the run');
    const warnings = events.flatMap((event) => event.report?.warnings ?? []);
    return { folder: folder.path, account: accountOf(folder, pipeline), stages: events, warnings };
  } finally {
    await closeWorkers();
    release();
  }
}

export interface PlannedRun {
  decisions: StageDecision[];
  /** What all of it would take from nothing; null where every stage is fresh. */
  estimate: Estimate | null;
}

/** What `run` would do and what it would take, without doing it. Fetches nothing, and goes by published sizes offline. */
export async function planRun(pipeline: Pipeline, options: RunOptions): Promise<PlannedRun> {
  const folder = new RunFolder(options.out);
  const afterIngest = { ...options, from: stageNames[1] };
  await checkStages(pipeline, afterIngest);
  return withScratch(async (scratch) => {
    const decisions = await plan(folder, pipeline, options.limit, inputReader(pipeline, options, scratch));
    if (decisions.every((decision) => decision.state === 'fresh')) return { decisions, estimate: null };
    const context = makeContext(partsOf(stageNamed('ingest'), pipeline, options, scratch), silent);
    const ingested = decisions.some(({ stage, state }) => stage === 'ingest' && state === 'fresh') ? folder : null;
    return { decisions, estimate: await estimate(pipeline, context, options.workers, ingested) };
  });
}

/** The number of a stage's tasks, or one of them done in this process: `curate worker`. */
export async function runTask(
  pipeline: Pipeline,
  options: RunOptions,
  name: StageName,
  index: number | 'count',
): Promise<number | TaskReport> {
  const found = stagesOf(pipeline).find((each) => each.stage.name === name);
  if (found === undefined) throw new Problem(`the pipeline of this run has no stage ${name}`, { where: options.out });
  const { stage, options: own } = found;
  const folder = new RunFolder(options.out);
  const inputs = await inputReader(pipeline, options)(stage, own);
  const basis = basisOf(stage, own, pipeline, options.limit, inputs, tableHashes(folder, pipeline));
  const context = makeContext(partsOf(stage, pipeline, options), silent);
  const list = await prepareTasks(stage, basis, context);
  return index === 'count' ? list.tasks.length : executeTask(stage, index, list, own, context);
}

/** Everything that can be seen to be wrong before any work, of all stages, before the run folder is touched. */
async function checkStages(pipeline: Pipeline, options: RunOptions): Promise<void> {
  await withScratch(async (scratch) => {
    for (const { stage, options: own } of stagesOf(pipeline)) {
      if (stage.check === undefined || !isSelected(stage.name, options)) continue;
      await stage.check(own, makeContext(partsOf(stage, pipeline, options, scratch), silent));
    }
  });
}

/** What a stage's context is made of in this run. */
function partsOf(stage: AnyStage, pipeline: Pipeline, options: RunOptions, scratch?: string): ContextParts {
  const { out: folder, workers, limit } = options;
  const parts = { folder, pipeline, stage: stage.name, workers, limit, optionsOf: optionsOf(stage, pipeline) };
  return scratch === undefined ? parts : { ...parts, scratch };
}

const silent = { progress: () => {}, warn: () => {}, signal: new AbortController().signal };

async function withScratch<T>(use: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'curate-'));
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A stage's inputs, hashed once a run. */
function inputReader(pipeline: Pipeline, options: RunOptions, scratch?: string) {
  const known = new Map<StageName, Promise<StageInput[]>>();
  return (stage: AnyStage, own: Json): Promise<StageInput[]> => {
    const parts = partsOf(stage, pipeline, options, scratch);
    const inputs = known.get(stage.name) ?? stage.inputs(own, makeContext(parts, silent));
    known.set(stage.name, inputs);
    return inputs;
  };
}

function isSelected(name: StageName, options: RunOptions): boolean {
  const position = stageNames.indexOf(name);
  const from = options.from === undefined ? 0 : stageNames.indexOf(options.from);
  const to = options.to === undefined ? stageNames.length : stageNames.indexOf(options.to);
  return position >= from && position <= to;
}

function isBefore(name: StageName, options: RunOptions): boolean {
  return options.from !== undefined && stageNames.indexOf(name) < stageNames.indexOf(options.from);
}

function refuseToSkip(decision: StageDecision, pipeline: Pipeline, options: RunOptions): never {
  throw new Problem(`${decision.stage} has to run first`, {
    where: options.out,
    found: decision.why.join('; '),
    try: `curate run ${pipeline.file} --out ${options.out} --to ${options.from ?? decision.stage}`,
  });
}

function failOnDifferences(differences: string[], when: string): void {
  if (differences.length === 0) return;
  const shown = differences.slice(0, 20);
  if (differences.length > shown.length) shown.push(`and ${differences.length - shown.length} more`);
  throw new Problem(
    `--frozen: ${when}, ${differences.length === 1 ? '1 value is' : `${differences.length} values are`} not the locked one`,
    {
      items: shown.map((each) => `locked → found  ${each}`),
      try: 'the same command without --frozen, then review curate diff',
      gate: true,
    },
  );
}
