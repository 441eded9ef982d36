import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuKind } from '../compute/cpu-kind.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder, type TableName } from '../store/folder.js';
import { compareAssignments, compareVectors, type FirstDifference, firstDifference } from './compare-tables.js';
import type { Pipeline } from './config.js';
import { withTables } from './fates.js';
import { type Lock, lockDifferences, readLock } from './lock.js';
import { type RunEffects, run as runPipeline } from './run.js';
import type { StageName } from './stage.js';
import { pipelineOf, readStageState, stageNamesOf, writeStageState } from './state.js';

export interface Rerun {
  ok: boolean;
  stages: StageComparison[];
  /** The first row that differs, of the first stage that does. */
  first: (FirstDifference & { stage: StageName; table: string }) | null;
  /** What differs around the run and may be why: inputs, versions, the kind of CPU. */
  why: string[];
}

export interface StageComparison {
  stage: StageName;
  /** `equal`: the same rows. `within rounding`: floats of another kind of CPU, compared by cosine or by cluster. */
  result: 'equal' | 'within rounding' | 'differs' | 'not compared';
  /** How near, in words, where it is not simply equal. */
  detail: string | null;
}

export interface RerunOptions {
  workers: number;
  /** An empty folder for the second run, which the caller makes and removes. */
  scratch: string;
}

/** Floats of one kind of CPU and of another agree to about 1e-6; anything less alike is another vector. */
const leastCosine = 0.99999;
/** Prompts at the same distance from two centres may fall to either side of a rounding. */
const leastEqualShare = 0.999;

/**
 * Runs the pipeline again in another folder and compares table by table. On another kind of CPU
 * vectors are compared by cosine, clusters by prompt, and every later stage exactly, computed from what is locked. Answers
 * that were paid for are taken from the run's own ledger, and vectors are computed and never taken from the cache.
 */
export async function rerun(folder: string, options: RerunOptions, effects: RunEffects): Promise<Rerun> {
  const original = new RunFolder(folder);
  const lock = readLock(original.lock);
  const pipeline = withoutVectorCache(pipelineOf(original));
  const again = new RunFolder(join(options.scratch, 'run'));
  takeLedger(original, again);
  return compareRuns(original, again, pipeline, lock, options, effects);
}

// ---------------------------------------------------------------------------------------------------------------------

async function compareRuns(
  original: RunFolder,
  again: RunFolder,
  pipeline: Pipeline,
  lock: Lock,
  options: RerunOptions,
  effects: RunEffects,
): Promise<Rerun> {
  const tolerant = pipeline.compute === 'native' && lock.environment.cpu !== cpuKind();
  const stages: StageComparison[] = [];
  let first: Rerun['first'] = null;
  for (const stage of stageNamesOf(pipeline)) {
    if (lock.stages[stage] === undefined) continue;
    if (first !== null) {
      stages.push({ stage, result: 'not compared', detail: `after ${first.stage}, which differs` });
      continue;
    }
    const settings = { out: again.path, workers: options.workers, limit: lock.limit, from: stage, to: stage };
    await runPipeline(pipeline, settings, effects);
    const differing = tablesThatDiffer(lock, again, stage);
    if (differing.length === 0) {
      stages.push({ stage, result: 'equal', detail: null });
      continue;
    }
    const detail = tolerant ? await withinRounding(original, again, stage) : null;
    if (detail !== null) {
      stages.push({ stage, result: 'within rounding', detail });
      await takeLocked(original, again, stage);
      continue;
    }
    first = await withTables(async (tables) => {
      for (const table of differing) {
        const found = await firstDifference(tables, original, again, table as TableName);
        if (found !== null) return { ...found, stage, table };
      }
      const differences = ['the same rows in the same files, but the lock names others: the run folder was changed'];
      return { file: differing[0] ?? '', row: null, key: null, differences, stage, table: differing[0] ?? '' };
    });
    stages.push({ stage, result: 'differs', detail: differing.join(', ') });
  }
  const why = first === null ? [] : reasonsFor(lock, again, pipeline);
  return { ok: first === null, stages, first, why };
}

function withoutVectorCache(pipeline: Pipeline): Pipeline {
  const { embed } = pipeline.stages;
  if (embed === null || typeof embed !== 'object' || Array.isArray(embed)) return pipeline;
  return { ...pipeline, stages: { ...pipeline.stages, embed: { ...embed, cache: false } } };
}

/** The run's own ledger of votes: a second run must not pay for the same answers. */
function takeLedger(original: RunFolder, again: RunFolder): void {
  const ledger = original.state('classify');
  if (existsSync(ledger)) cpSync(ledger, again.state('classify'), { recursive: true });
}

function tablesThatDiffer(lock: Lock, again: RunFolder, stage: StageName): string[] {
  const tables = readStageState(again, stage)?.tables ?? {};
  return Object.keys(tables).filter((table) => tables[table] !== lock.tables[table]);
}

/** How near the floats of another kind of CPU are, in words; null where they are not near enough, or no floats. */
async function withinRounding(original: RunFolder, again: RunFolder, stage: StageName): Promise<string | null> {
  if (stage === 'embed') {
    const found = compareVectors(original, again);
    if (found === null || found.leastCosine < leastCosine) return null;
    return `${found.vectors} vectors, the least alike with cosine ${found.leastCosine.toFixed(7)}`;
  }
  if (stage === 'cluster') {
    const { prompts, equal } = await withTables((tables) => compareAssignments(tables, original, again));
    if (prompts === 0 || equal / prompts < leastEqualShare) return null;
    return `${equal} of ${prompts} prompts in the same cluster, from the locked vectors`;
  }
  return null;
}

/** Puts the locked result in the place of the recomputed one, so that later stages can be compared exactly. */
async function takeLocked(original: RunFolder, again: RunFolder, stage: StageName): Promise<void> {
  const locked = readStageState(original, stage);
  const own = readStageState(again, stage);
  if (locked === null || own === null) throw new Error(`${stage} has no result to take`);
  for (const file of Object.keys(own.files)) rmSync(join(again.path, file), { force: true });
  for (const file of Object.keys(locked.files)) cpSync(join(original.path, file), join(again.path, file));
  await writeStageState(again, stage, { ...own, files: locked.files, tables: locked.tables, report: locked.report });
}

function reasonsFor(lock: Lock, again: RunFolder, pipeline: Pipeline): string[] {
  const why: string[] = [];
  const inputs: { [name: string]: Json } = {};
  for (const name of stageNamesOf(pipeline)) {
    for (const { kind, name: input, sha256, revision } of readStageState(again, name)?.inputs ?? []) {
      inputs[`${kind} ${input}`] = { sha256, ...(revision === undefined ? {} : { revision }) };
    }
  }
  const known = Object.fromEntries(Object.keys(inputs).map((name) => [name, lock.inputs[name] ?? null]));
  why.push(...lockDifferences({ inputs: known as Lock['inputs'] }, { inputs: inputs as Lock['inputs'] }));
  const now = readLock(again.lock);
  if (now.curate !== lock.curate) why.push(`another version of curate: ${lock.curate} → ${now.curate}`);
  for (const [stage, report] of Object.entries(now.stages)) {
    const versions = [lock.stages[stage], report].map(
      (each) => (each as { version?: Json } | undefined)?.version ?? null,
    );
    if (versions[0] !== versions[1]) why.push(`this version of curate computes ${stage} differently`);
  }
  for (const key of Object.keys({ ...lock.environment, ...now.environment }).sort()) {
    const [locked, found] = [lock.environment[key], now.environment[key]];
    if (JSON.stringify(locked) !== JSON.stringify(found))
      why.push(`${key}: ${JSON.stringify(locked)} → ${JSON.stringify(found)}`);
  }
  if (why.length === 0)
    why.push('the same inputs, versions and kind of CPU: the run folder was changed, or a stage is not repeatable');
  return why;
}
