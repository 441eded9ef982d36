import type { z } from 'zod';
import type { Json } from '../store/fingerprint.js';
import type { RunFolder, TableName } from '../store/folder.js';
import type { FileSum } from '../store/sums.js';
import type { Tables } from '../store/tables.js';

/** The seven stages in the order in which they run. */
export const stageNames = ['ingest', 'embed', 'cluster', 'classify', 'filter', 'decontam', 'export'] as const;
export type StageName = (typeof stageNames)[number];

/** Something outside the run folder that decides a stage's result: a source's file, a benchmark, a model, a votes file. */
export interface StageInput {
  kind: 'source' | 'benchmark' | 'model' | 'votes' | 'overrides' | 'allow' | 'labels';
  /** Unique within its kind and free of machine paths: `general-thought/part-000.parquet`. */
  name: string;
  sha256: string;
  /** Commit of the hub, where it came from there. */
  revision?: string;
  bytes?: number;
}

/** What a task leaves behind: kept in the run folder's state and handed to `finish`. Must not depend on time or load. */
export type TaskReport = {
  /** The files that the task wrote, relative to the run folder. */
  files: string[];
  [figure: string]: Json;
} & {
  /** What some of those files say, by file, told by who wrote them: unless they change they are not read to be hashed. */
  sums?: { [file: string]: FileSum };
};

/** The account of a finished stage: `in = kept + dropped + quarantined`, checked by the pipeline. */
export interface StageReport {
  unit: 'rows' | 'prompts' | 'clusters';
  in: number;
  kept: number;
  /** By reason, in the order in which reasons are tried: a row counts once, under the first. */
  dropped: Record<string, number>;
  quarantined: number;
  /** Further figures that must be equal in an equal run (thresholds computed, inertia, coverage …): they go into the lock. */
  figures: { [name: string]: Json };
  /** Figures that may differ between equal runs (seconds, retries, calls): shown, never locked. */
  notes: { [name: string]: Json };
  /** Sentences that a person must see at the end of the run. */
  warnings: string[];
}

export interface Progress {
  done: number;
  total: number | null;
  unit: string;
}

/** What a stage may know of the run. Everything else it reads from the tables of the stages before it. */
export interface StageContext {
  run: RunFolder;
  seed: number;
  compute: 'native' | 'portable';
  /** Cores to use. Must never change a result. */
  workers: number;
  /** `--limit`: rows per source, for a try. */
  limit: number | null;
  /** Options of the stages named in `optionsOf` that are in the pipeline. */
  options: Partial<Record<StageName, Json>>;
  /** Absolute path of a path written in the pipeline file. */
  resolve(path: string): string;
  /** `${NAME}` in an option's text replaced by the environment's value. Never write the result to a file, log or error. */
  expand(text: string): string;
  /** SHA-256 of a file, remembered by path, size and time of change. */
  hash(path: string): Promise<string>;
  /** A DuckDB instance for the caller, which closes it. Default: one thread, 512 MB. */
  openTables(options?: { threads?: number; memoryMegabytes?: number }): Promise<Tables>;
  progress(progress: Progress): void;
  /** A sentence for a person, shown once and kept in the run's log. Escape row text before. */
  warn(sentence: string): void;
  /** Aborted on Ctrl-C: finish the batch in hand, save, and return or throw. */
  signal: AbortSignal;
}

/**
 * A stage learns something about rows and writes it down. `tasks` cuts the work by a fixed rule on the input, `work` does
 * one task (whole or not at all: files are written to a temporary name and renamed), `finish` merges, checks and counts.
 * A killed run does again only the tasks that left no report; `finish` must give the same result when it runs twice.
 */
export interface Stage<Options, Task extends Json = Json> {
  name: StageName;
  summary: string;
  /** Raised by whoever changes what the stage writes for the same input: old results are then stale. */
  version: number;
  /** The only home of the stage's options and their defaults. Strict: unknown keys are refused. */
  options: z.ZodType<Options, unknown>;
  /** Tables that `tasks` and `work` read: a change makes every task stale. */
  reads: readonly TableName[];
  /** Tables that only `finish` reads: a change runs `finish` again and keeps the tasks. */
  joins: readonly TableName[];
  writes: readonly TableName[];
  /** 'workers': tasks run in parallel threads. 'here': one after another in the main process, which may use its own pool. */
  runs: 'workers' | 'here';
  /** Its tasks need nothing that `inputs` finds, and may begin while those are still hashed. Default: no. */
  beginsEarly?: boolean;
  /**
   * Paths in the stage's options (`allow`, `reworded.judge`) that only `finish` uses, so that changing them keeps the
   * tasks; an input of the kind that bears such a name (`allow`, `overrides`) counts with it. Default: none.
   */
  finishOptions?: readonly string[];
  /** Stages whose options this one looks at through `context.options`: they become part of its fingerprint. */
  optionsOf?: readonly StageName[];
  /** Further ones that `finish` alone looks at, and only with some options of its own. */
  finishOptionsOf?(options: Options): readonly StageName[];
  /** Whether native and portable products may give other results, beyond the stages that always compute. Default: no. */
  computes?(options: Options): boolean;
  /** Throws a Problem for what can be seen to be wrong before any stage runs (a missing file, a wrong column). */
  check?(options: Options, context: StageContext): Promise<void>;
  /** Everything outside the run folder that decides the result. */
  inputs(options: Options, context: StageContext): Promise<StageInput[]>;
  /** The tasks in order, each JSON. Pure but for reading tables: the same input gives the same tasks. */
  tasks(options: Options, context: StageContext): Promise<Task[]>;
  work(task: Task, options: Options, context: StageContext): Promise<TaskReport>;
  finish(reports: TaskReport[], options: Options, context: StageContext): Promise<StageReport>;
}

/** Gives types to a stage's definition and nothing else. */
export function defineStage<Options, Task extends Json>(stage: Stage<Options, Task>): Stage<Options, Task> {
  return stage;
}
