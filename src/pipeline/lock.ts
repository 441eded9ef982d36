import { existsSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, relative } from 'node:path';
import { cpuKind } from '../compute/cpu-kind.js';
import { Problem } from '../problem.js';
import { productVersion } from '../product.js';
import { writeFileAtomic } from '../store/atomic.js';
import { version as duckdbVersion } from '../store/duckdb.js';
import { canonicalJson, type Json, sha256 } from '../store/fingerprint.js';
import type { RunFolder } from '../store/folder.js';
import type { Pipeline } from './config.js';
import type { StageInput, StageName } from './stage.js';
import { readStageState } from './state.js';

type JsonObject = { [key: string]: Json };

/** What must be equal in an equal run. `environment` informs and is not compared. */
export interface Lock {
  curate: string;
  name: string;
  seed: number;
  compute: string;
  limit: number | null;
  config: JsonObject;
  inputs: JsonObject;
  labeler: string | null;
  stages: JsonObject;
  tables: JsonObject;
  dataset: JsonObject;
  environment: JsonObject;
}

/** The lock of the stages whose results stand. Holds no clock, no path of the machine and no environment value. */
export function lockOf(run: RunFolder, pipeline: Pipeline, standing: readonly StageName[], limit: number | null): Lock {
  const lock: Lock = {
    curate: productVersion,
    name: pipeline.name,
    seed: pipeline.seed,
    compute: pipeline.compute,
    limit,
    config: portable(pipeline.stages as JsonObject, pipeline.folder) as JsonObject,
    inputs: {},
    labeler: null,
    stages: {},
    tables: {},
    dataset: {},
    environment: environment(),
  };
  for (const name of standing) {
    const state = readStageState(run, name);
    if (state === null) continue;
    const { notes: _, warnings: __, ...report } = state.report;
    lock.stages[name] = { version: state.basis.version, ...report } as unknown as Json;
    Object.assign(lock.inputs, inputsByName(state.inputs));
    Object.assign(lock.tables, state.tables);
    if (name === 'classify') lock.labeler = (state.report.figures.labeler as string | undefined) ?? null;
    for (const [file, hash] of Object.entries(state.files)) if (file.startsWith('dataset/')) lock.dataset[file] = hash;
  }
  return lock;
}

/** The part of a lock that is known before any work: config and inputs. */
export function expectedOf(pipeline: Pipeline, limit: number | null, inputs: readonly StageInput[]): Partial<Lock> {
  return {
    curate: productVersion,
    name: pipeline.name,
    seed: pipeline.seed,
    compute: pipeline.compute,
    limit,
    config: portable(pipeline.stages as JsonObject, pipeline.folder) as JsonObject,
    inputs: inputsByName(inputs),
  };
}

/** The bytes of a lock: sorted keys, indented, with the checksum of everything else. */
export function lockText(lock: Lock): string {
  const checksum = sha256(canonicalJson(lock as unknown as Json));
  return `${JSON.stringify(sorted({ ...lock, checksum } as unknown as Json), null, 2)}\n`;
}

/** Reads a lock. Throws a Problem where it is none, or where any byte of it was changed since it was written. */
export function readLock(path: string): Lock {
  if (!existsSync(path))
    throw new Problem('there is no lock to compare with', {
      where: path,
      try: 'run once without --frozen, or name one with --lock FILE',
    });
  const text = readFileSync(path, 'utf8');
  let parsed: Lock & { checksum?: string };
  try {
    parsed = JSON.parse(text) as Lock & { checksum?: string };
  } catch (error) {
    throw new Problem('the lock is no JSON: it was changed or cut off', { where: path, gate: true, cause: error });
  }
  const { checksum: _, ...lock } = parsed;
  if (lockText(lock) !== text)
    throw new Problem('the lock does not match its own checksum: it was changed by hand', { where: path, gate: true });
  return lock;
}

/** Writes the lock where it differs from the one that is there. */
export async function writeLock(run: RunFolder, lock: Lock): Promise<void> {
  const text = lockText(lock);
  if (existsSync(run.lock) && readFileSync(run.lock, 'utf8') === text) return;
  await writeFileAtomic(run.lock, run.temporary, text);
}

/** Paths at which two locks differ, as `stages.filter.kept 120 → 121`; `environment` is left out. */
export function lockDifferences(locked: Partial<Lock>, found: Partial<Lock>): string[] {
  const differences: string[] = [];
  const compare = (path: string, a: Json | undefined, b: Json | undefined) => {
    if (canonicalJson(a) === canonicalJson(b)) return;
    const objects = [a, b].every((each) => each !== null && typeof each === 'object' && !Array.isArray(each));
    if (!objects) {
      differences.push(`${path} ${JSON.stringify(a) ?? 'none'} → ${JSON.stringify(b) ?? 'none'}`);
      return;
    }
    const [x, y] = [a as JsonObject, b as JsonObject];
    for (const key of Object.keys({ ...x, ...y }).sort()) compare(path === '' ? key : `${path}.${key}`, x[key], y[key]);
  };
  for (const key of Object.keys(found).sort() as (keyof Lock)[]) {
    if (key !== 'environment') compare(key, locked[key] as Json | undefined, found[key] as Json | undefined);
  }
  return differences;
}

function inputsByName(inputs: readonly StageInput[]): JsonObject {
  return Object.fromEntries(
    inputs.map(({ kind, name, sha256: hash, revision }) => [
      `${kind} ${name}`,
      { sha256: hash, ...(revision === undefined ? {} : { revision }) },
    ]),
  );
}

/** Absolute paths in a config become relative to the pipeline file, or their last part where they lie elsewhere. */
function portable(value: Json, folder: string): Json {
  if (typeof value === 'string' && isAbsolute(value)) {
    const path = relative(folder, value).split('\\').join('/');
    return path.startsWith('..') ? `…/${basename(value)}` : `./${path}`;
  }
  if (Array.isArray(value)) return value.map((each) => portable(each, folder));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, portable(each, folder)]));
  }
  return value;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

function environment(): JsonObject {
  return {
    node: process.versions.node,
    icu: process.versions.icu ?? '',
    duckdb: duckdbVersion(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpuKind(),
  };
}
