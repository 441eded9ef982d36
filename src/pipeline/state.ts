import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { productVersion } from '../product.js';
import { writeFileAtomic } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import type { RunFolder } from '../store/folder.js';
import type { Pipeline } from './config.js';
import { type StageInput, type StageName, type StageReport, stageNames, type TaskReport } from './stage.js';

/** Raised when a run folder's own layout changes: a newer folder is refused, an older one is recomputed. */
const folderFormat = 1;

/** What decides a stage's result, part by part, so that a later plan can say which part changed. */
export interface StageBasis {
  version: number;
  seed: number;
  compute: string;
  limit: number | null;
  options: Json;
  /** Options of other stages that this one looks at. */
  optionsOf: { [stage: string]: Json };
  inputs: { [name: string]: string };
  /** Content hash of every table that tasks read, and of those that only `finish` joins. */
  reads: { [table: string]: string };
  joins: { [table: string]: string };
}

/** What a finished stage leaves in `.curate/stages/<name>.json`. */
export interface StageState {
  fingerprint: string;
  basis: StageBasis;
  report: StageReport;
  inputs: StageInput[];
  /** SHA-256 by path in the run folder. */
  files: { [path: string]: string };
  /** Content hash by table. */
  tables: { [table: string]: string };
  seconds: number;
}

export interface TaskState {
  key: string;
  report: TaskReport;
}

const runFile = z.object({ format: z.number(), name: z.string(), version: z.string() });

/** Makes the folder this pipeline's, or throws a Problem where it is another's, a newer version's, or no run folder. */
export async function openRun(run: RunFolder, pipeline: Pipeline, limit: number | null): Promise<void> {
  const path = run.state('run.json');
  if (existsSync(path)) {
    const known = runFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    if (known.format > folderFormat) {
      throw new Problem('this run folder was written by a newer version of curate', {
        where: run.path,
        found: `curate ${known.version}, folder format ${known.format}; this is curate ${productVersion}, format ${folderFormat}`,
        try: 'use that version, or another folder with --out',
      });
    }
    if (known.name !== pipeline.name) {
      throw new Problem('this run folder belongs to another pipeline', {
        where: run.path,
        found: `pipeline "${known.name}", not "${pipeline.name}"`,
        try: 'choose another folder with --out',
      });
    }
  }
  await writeJsonIfChanged(run, path, { format: folderFormat, name: pipeline.name, version: productVersion });
  await writeJsonIfChanged(run, run.state('pipeline.json'), { ...pipeline, limit } as unknown as Json);
}

/** The pipeline that a run folder was last used with. Throws a Problem where the folder is none. */
export function pipelineOf(run: RunFolder): Pipeline {
  const path = run.state('pipeline.json');
  if (!existsSync(path)) {
    throw new Problem(`${run.path} is no run folder`, {
      found: existsSync(run.path) ? 'a folder without .curate/pipeline.json' : 'no such folder',
      try: 'curate run pipeline.yaml makes one under runs/',
    });
  }
  const { limit: _, ...pipeline } = JSON.parse(readFileSync(path, 'utf8')) as Pipeline & { limit: number | null };
  return pipeline;
}

/** The `--limit` that a run folder was last used with. */
export function limitOf(run: RunFolder): number | null {
  return readJson<{ limit: number | null }>(run.state('pipeline.json'))?.limit ?? null;
}

/** Names of the stages that a pipeline has, in their order. */
export function stageNamesOf(pipeline: Pipeline): StageName[] {
  return stageNames.filter((name) => pipeline.stages[name] !== undefined);
}

export function readStageState(run: RunFolder, stage: StageName): StageState | null {
  return readJson<StageState>(run.state('stages', `${stage}.json`));
}

export async function writeStageState(run: RunFolder, stage: StageName, state: StageState): Promise<void> {
  await writeJson(run, run.state('stages', `${stage}.json`), state as unknown as Json);
}

export function taskPath(run: RunFolder, stage: StageName, index: number): string {
  return run.state('tasks', stage, `${String(index).padStart(6, '0')}.json`);
}

/** The report of a task that was done under the same key and whose files are all there; else null. */
export function readTaskState(run: RunFolder, stage: StageName, index: number, key: string): TaskState | null {
  const state = readJson<TaskState>(taskPath(run, stage, index));
  if (state === null || state.key !== key) return null;
  return state.report.files.every((file) => existsSync(join(run.path, file))) ? state : null;
}

export async function writeTaskState(run: RunFolder, stage: StageName, index: number, state: TaskState): Promise<void> {
  await writeJson(run, taskPath(run, stage, index), state as unknown as Json);
}

export function readJson<T>(path: string): T | null {
  if (!existsSync(path)) return null;
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

async function writeJson(run: RunFolder, path: string, value: Json): Promise<void> {
  await writeFileAtomic(path, run.temporary, `${JSON.stringify(value, null, 1)}\n`);
}

async function writeJsonIfChanged(run: RunFolder, path: string, value: Json): Promise<void> {
  if (existsSync(path) && readFileSync(path, 'utf8') === `${JSON.stringify(value, null, 1)}\n`) return;
  await writeJson(run, path, value);
}
