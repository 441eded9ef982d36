import { fingerprint, type Json } from '../store/fingerprint.js';
import type { RunFolder, TableName } from '../store/folder.js';
import { changedValues } from './changed-values.js';
import { type Pipeline, stagesOf } from './config.js';
import { optionsOf } from './context.js';
import type { StageInput, StageName } from './stage.js';
import { type AnyStage, stages } from './stages.js';
import { readStageState, type StageBasis, type StageState } from './state.js';

/** What a run would do with one stage, and why. Plain JSON. */
export interface StageDecision {
  stage: StageName;
  /** fresh: its result stands. stale: it runs. waiting: a stage before it runs, and this one too if that changes its input. */
  state: 'fresh' | 'stale' | 'waiting';
  /** A sentence for each reason, naming what changed; of a waiting stage, the stages waited for. */
  why: string[];
  /** true where only `finish` runs again and the tasks' results are kept. */
  finishOnly: boolean;
}

/** Stages whose results depend on `compute`. */
const computing: readonly StageName[] = ['embed', 'cluster', 'classify'];

/**
 * What a run of the pipeline would do, stage by stage, from the states that the run folder holds. `inputsOf` gives a
 * stage's inputs with their hashes. Changes nothing.
 */
export async function plan(
  run: RunFolder,
  pipeline: Pipeline,
  limit: number | null,
  inputsOf: (stage: AnyStage, options: Json) => Promise<StageInput[]>,
): Promise<StageDecision[]> {
  const decisions: StageDecision[] = [];
  const running = new Set<StageName>();
  for (const { stage, options } of stagesOf(pipeline)) {
    const waitsFor = [...new Set([...stage.reads, ...stage.joins].map(writerOf))].filter((name) => running.has(name));
    const state = readStageState(run, stage.name);
    // Inputs decide only whether a result that is there still stands; to hash or list them for nothing would take hours.
    const inputs = state === null ? [] : await inputsOf(stage, options);
    const basis = basisOf(stage, options, pipeline, limit, inputs, tableHashes(run, pipeline));
    const decision = decide(stage, basis, state, waitsFor);
    if (decision.state !== 'fresh') running.add(stage.name);
    decisions.push(decision);
  }
  return decisions;
}

/** Compares what decides a stage's result now with what decided the result that is there. */
export function decide(
  stage: AnyStage,
  basis: StageBasis,
  state: StageState | null,
  waitsFor: readonly StageName[] = [],
): StageDecision {
  const name = stage.name;
  if (state === null) return unfinished(stage);
  const why = differences(state.basis, basis, new Set(waitsFor));
  const finishOnly = taskFingerprint(stage, state.basis) === taskFingerprint(stage, basis);
  if (why.length > 0) return { stage: name, state: 'stale', why, finishOnly };
  if (waitsFor.length > 0) {
    const onlyJoins = waitsFor.every((each) => !stage.reads.some((table) => writerOf(table) === each));
    return {
      stage: name,
      state: 'waiting',
      why: waitsFor.map((each) => `after ${each}`),
      finishOnly: finishOnly && onlyJoins,
    };
  }
  return { stage: name, state: 'fresh', why: [], finishOnly };
}

/** The decision about a stage that has no result, whatever its inputs are. */
export function unfinished(stage: AnyStage): StageDecision {
  return { stage: stage.name, state: 'stale', why: ['not finished yet'], finishOnly: false };
}

/** Everything that decides a stage's result. Environment values are no part of it: options hold `${NAME}` unexpanded. */
export function basisOf(
  stage: AnyStage,
  options: Json,
  pipeline: Pipeline,
  limit: number | null,
  inputs: readonly StageInput[],
  tables: Record<string, string>,
): StageBasis {
  const hashes = (names: readonly TableName[]) =>
    Object.fromEntries(
      names.filter((name) => tables[name] !== undefined).map((name) => [name, tables[name] as string]),
    );
  return {
    version: stage.version,
    seed: pipeline.seed,
    compute: computing.includes(stage.name) || stage.computes?.(options) === true ? pipeline.compute : '',
    limit: stage.name === 'ingest' ? limit : null,
    options,
    optionsOf: optionsOf(stage, pipeline) as { [stage: string]: Json },
    inputs: Object.fromEntries(inputs.map((input) => [`${input.kind} ${input.name}`, input.sha256])),
    reads: hashes(stage.reads),
    joins: hashes(stage.joins),
  };
}

/** Content hashes of the tables of the finished stages that the pipeline has. */
export function tableHashes(run: RunFolder, pipeline: Pipeline): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const { stage } of stagesOf(pipeline)) Object.assign(hashes, readStageState(run, stage.name)?.tables);
  return hashes;
}

export function stageFingerprint(basis: StageBasis): string {
  return fingerprint(basis as unknown as Json);
}

/** The part of the basis that tasks depend on: without what only `finish` reads, options and the files that they name. */
export function taskFingerprint(stage: AnyStage, basis: StageBasis): string {
  const options = (stage.finishOptions ?? []).reduce((left, path) => withoutPath(left, path.split('.')), basis.options);
  const looksAt = Object.entries(basis.optionsOf).filter(([name]) => stage.optionsOf?.includes(name as StageName));
  const inputs = Object.entries(basis.inputs).filter(
    ([name]) => stage.finishOptions?.includes(name.split(' ')[0] as string) !== true,
  );
  return fingerprint({
    ...basis,
    options,
    optionsOf: Object.fromEntries(looksAt),
    inputs: Object.fromEntries(inputs),
    joins: {},
  } as unknown as Json);
}

/** A value without what stands at a path of keys. */
function withoutPath(value: Json, [key = '', ...rest]: readonly string[]): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value[key] === undefined) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: withoutPath(inner as Json, rest) };
}

/** The stage that writes a table. */
export function writerOf(table: TableName): StageName {
  const writer = stages.find((stage) => stage.writes.includes(table));
  if (writer === undefined) throw new Error(`no stage writes ${table}`);
  return writer.name;
}

function differences(before: StageBasis, now: StageBasis, changing: Set<StageName>): string[] {
  const why: string[] = [];
  if (before.version !== now.version) why.push('this version of curate computes it differently');
  if (before.seed !== now.seed) why.push(`seed ${before.seed} → ${now.seed}`);
  if (before.compute !== now.compute) why.push(`compute ${before.compute} → ${now.compute}`);
  if (before.limit !== now.limit) why.push(`--limit ${before.limit ?? 'none'} → ${now.limit ?? 'none'}`);
  why.push(...changedValues(before.options, now.options, ''));
  for (const name of Object.keys({ ...before.optionsOf, ...now.optionsOf })) {
    why.push(...changedValues(before.optionsOf[name], now.optionsOf[name], name));
  }
  for (const name of Object.keys({ ...before.inputs, ...now.inputs })) {
    if (before.inputs[name] === now.inputs[name]) continue;
    why.push(
      `${name} ${before.inputs[name] === undefined ? 'is new' : now.inputs[name] === undefined ? 'is gone' : 'changed'}`,
    );
  }
  const tables = (basis: StageBasis) => ({ ...basis.reads, ...basis.joins });
  for (const name of Object.keys({ ...tables(before), ...tables(now) })) {
    if (changing.has(writerOf(name as TableName))) continue;
    if (tables(before)[name] !== tables(now)[name]) why.push(`${name} changed`);
  }
  return why;
}
