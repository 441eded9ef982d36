import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { hashBeside } from '../store/hash-files.js';
import { Tables } from '../store/tables.js';
import type { Pipeline } from './config.js';
import type { Progress, StageContext, StageName } from './stage.js';
import type { AnyStage } from './stages.js';

/** What a context is made of: plain data, so that it travels to a worker thread. */
export interface ContextParts {
  folder: string;
  pipeline: Pipeline;
  stage: StageName;
  workers: number;
  limit: number | null;
  /** The options of other stages that the stage looks at. */
  optionsOf: Partial<Record<StageName, Json>>;
  /** Where unfinished files lie while the run folder must not be touched yet. Default: in the run folder. */
  scratch?: string;
}

/** What a stage may tell the outside; a worker thread sends it to the main one. */
export interface ContextEffects {
  progress(progress: Progress): void;
  warn(sentence: string): void;
  signal: AbortSignal;
}

/** The context of one stage, in the main thread or in a worker. */
export function makeContext(parts: ContextParts, effects: ContextEffects): StageContext {
  const run = new RunFolder(parts.folder);
  const { pipeline, workers } = parts;
  return {
    run,
    seed: pipeline.seed,
    compute: pipeline.compute,
    workers,
    limit: parts.limit,
    options: parts.optionsOf,
    resolve: (path) => resolve(pipeline.folder, expand(path)),
    expand,
    hash: (path) => hashOf(run, path),
    openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: parts.scratch ?? run.temporary }),
    ...effects,
  };
}

/** The options of other stages that a stage declares to look at. */
export function optionsOf(stage: AnyStage, pipeline: Pipeline): Partial<Record<StageName, Json>> {
  const own = pipeline.stages[stage.name];
  const more = own === undefined ? [] : (stage.finishOptionsOf?.(own) ?? []);
  const names = [...(stage.optionsOf ?? []), ...more].filter((name) => pipeline.stages[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, pipeline.stages[name]]));
}

function expand(text: string): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = process.env[name];
    if (value === undefined) throw new Problem(`environment variable ${name} is not set`, { try: `export ${name}=…` });
    return value;
  });
}

type KnownHashes = Record<string, { stamp: string; sha256: string }>;
const known = new Map<string, KnownHashes>();

/** SHA-256 of a file, remembered in the run's state by size and times, so that a fresh run reads no source again. */
async function hashOf(run: RunFolder, path: string): Promise<string> {
  const file = run.state('hashes.json');
  const hashes = known.get(file) ?? readHashes(file);
  known.set(file, hashes);
  const found = statSync(path, { bigint: true });
  const stamp = `${found.size} ${found.mtimeNs} ${found.ctimeNs} ${found.ino}`;
  const remembered = hashes[path];
  if (remembered?.stamp === stamp) return remembered.sha256;
  const sha256 = await hashBeside(path);
  hashes[path] = { stamp, sha256 };
  await writeFileAtomic(file, run.temporary, JSON.stringify(hashes));
  return sha256;
}

function readHashes(file: string): KnownHashes {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as KnownHashes;
  } catch {
    // Only a cache: absent or torn, the files are read again.
    return {};
  }
}
