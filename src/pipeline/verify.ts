import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { contentHash } from '../store/content-hash.js';
import { canonicalJson, type Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { hashFiles } from '../store/hash-files.js';
import { withTables } from './fates.js';
import { type Lock, readLock } from './lock.js';
import { filesOf, type Manifest, manifestText } from './manifest.js';
import { pipelineOf, readStageState, type StageState, stageNamesOf } from './state.js';

export interface Verification {
  ok: boolean;
  files: number;
  bytes: number;
  /** Tables whose content hash was computed again from their rows. */
  tablesRead: number;
  findings: Finding[];
}

export interface Finding {
  kind:
    | 'no-manifest'
    | 'changed-manifest'
    | 'changed'
    | 'missing'
    | 'extra'
    | 'unreadable'
    | 'changed-lock'
    | 'not-as-locked';
  /** A file relative to the run folder, or a table. */
  path: string;
  what: string;
}

export interface VerifyOptions {
  /** Another lock than the run's own. */
  lock?: string;
  /** Also compute the content hash of every table again: reads every row. */
  deep?: boolean;
  workers?: number;
  /** Told the bytes hashed so far. */
  progress?: (bytes: number) => void;
}

/**
 * Checks a run folder: every file against the manifest, the manifest and the lock against their own checksums, and the
 * lock against what the stages left. Changes nothing, and finds all there is to find before it returns.
 */
export async function verifyRun(folder: string, options: VerifyOptions = {}): Promise<Verification> {
  const run = new RunFolder(folder);
  if (!existsSync(run.state('pipeline.json')) && !existsSync(run.manifest)) pipelineOf(run);
  const findings: Finding[] = [];
  const manifest = readManifest(run, findings);
  const hashed = await checkFiles(run, manifest, options, findings);
  const lock = lockIn(options.lock ?? run.lock, options.lock ?? 'curate.lock', findings);
  const states = statesOf(run, findings);
  if (lock !== null) checkLock(lock, states, manifest, findings);
  let tablesRead = 0;
  if (options.deep === true && lock !== null) tablesRead = await checkTables(run, lock, findings);
  return { ok: findings.length === 0, ...hashed, tablesRead, findings };
}

// ---------------------------------------------------------------------------------------------------------------------

function readManifest(run: RunFolder, findings: Finding[]): Manifest['files'] | null {
  const path = 'manifest.json';
  if (!existsSync(run.manifest)) {
    const what = 'not there: a stage is running, or was stopped; the same curate run goes on and writes it';
    findings.push({ kind: 'no-manifest', path, what });
    return null;
  }
  const text = readFileSync(run.manifest, 'utf8');
  try {
    const { files } = JSON.parse(text) as Manifest;
    if (manifestText(files) === text) return files;
  } catch {
    // Not JSON, or of another shape: what is said below holds of both.
  }
  findings.push({ kind: 'changed-manifest', path, what: 'does not match its own checksum' });
  return null;
}

async function checkFiles(
  run: RunFolder,
  manifest: Manifest['files'] | null,
  options: VerifyOptions,
  findings: Finding[],
): Promise<{ files: number; bytes: number }> {
  const found = await filesOf(run);
  if (manifest === null) return { files: 0, bytes: 0 };
  const listed = Object.keys(manifest).sort();
  const there = new Set(found);
  const known = new Set(listed);
  for (const path of found) if (!known.has(path)) findings.push({ kind: 'extra', path, what: 'not in the manifest' });
  const hashes = new Map<string, string | null>();
  let bytes = 0;
  const present = listed.filter((path) => there.has(path)).map((path) => join(run.path, path));
  await hashFiles(present, options.workers ?? availableParallelism(), ({ path, hash, bytes: size }) => {
    hashes.set(run.relative(path), hash);
    bytes += size;
    options.progress?.(bytes);
  });
  for (const path of listed) {
    const hash = hashes.get(path) ?? null;
    if (hash === null) findings.push({ kind: 'missing', path, what: 'in the manifest, but not there' });
    else if (hash !== manifest[path]) {
      const what = `sha256 ${hash.slice(0, 12)}…, in the manifest ${String(manifest[path]).slice(0, 12)}…`;
      findings.push({ kind: 'changed', path, what });
    }
  }
  return { files: present.length, bytes };
}

function lockIn(file: string, path: string, findings: Finding[]): Lock | null {
  try {
    return readLock(file);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    findings.push({ kind: 'changed-lock', path, what: error.message });
    return null;
  }
}

/** What the stages left; a state file that a flipped byte made unreadable is a finding, not a crash. */
function statesOf(run: RunFolder, findings: Finding[]): Map<string, StageState> {
  const states = new Map<string, StageState>();
  let path = '.curate/pipeline.json';
  try {
    for (const name of stageNamesOf(pipelineOf(run))) {
      path = `.curate/stages/${name}.json`;
      const state = readStageState(run, name);
      if (state !== null) states.set(name, state);
    }
  } catch (error) {
    findings.push({ kind: 'unreadable', path, what: (error as Error).message });
  }
  return states;
}

/** The chain from the lock down to the files: lock → what a stage reported → the file's hash in the manifest. */
function checkLock(
  lock: Lock,
  states: ReadonlyMap<string, StageState>,
  manifest: Manifest['files'] | null,
  findings: Finding[],
): void {
  const differ = (path: string, locked: Json | undefined, found: Json | undefined) => {
    if (canonicalJson(locked) === canonicalJson(found)) return;
    const show = (value: Json | undefined) => (JSON.stringify(value) ?? 'nothing').slice(0, 60);
    findings.push({ kind: 'not-as-locked', path, what: `locked ${show(locked)}, found ${show(found)}` });
  };
  for (const name of Object.keys(lock.stages)) {
    const state = states.get(name);
    if (state === undefined) {
      findings.push({
        kind: 'not-as-locked',
        path: `.curate/stages/${name}.json`,
        what: 'locked, but not finished here',
      });
      continue;
    }
    const { notes: _, warnings: __, ...report } = state.report;
    const { version: ___, ...locked } = lock.stages[name] as { [key: string]: Json };
    for (const key of Object.keys({ ...locked, ...report }).sort()) {
      differ(`stages.${name}.${key}`, locked[key], (report as unknown as { [key: string]: Json })[key]);
    }
    for (const [table, hash] of Object.entries(state.tables)) differ(`table ${table}`, lock.tables[table], hash);
    for (const [file, hash] of Object.entries(state.files)) {
      if (manifest !== null && manifest[file] !== hash) {
        const what = `the stage ${name} wrote ${hash.slice(0, 12)}…, in the manifest ${String(manifest[file]).slice(0, 12)}…`;
        findings.push({ kind: 'not-as-locked', path: file, what });
      }
      if (file.startsWith('dataset/')) differ(file, lock.dataset[file], hash);
    }
  }
}

/** Every table's content hash, from its rows. */
async function checkTables(run: RunFolder, lock: Lock, findings: Finding[]): Promise<number> {
  const files = await filesOf(run);
  const tables = Object.keys(lock.tables).sort();
  await withTables(async (database) => {
    for (const table of tables) {
      const own = files.filter((file) => file === table || file.startsWith(`${table}/`));
      const counted = table === 'dataset' ? own.filter((file) => file.endsWith('.parquet')) : own;
      try {
        const hash = await contentHash(
          database,
          counted.map((file) => join(run.path, file)),
        );
        if (hash === lock.tables[table]) continue;
        findings.push({ kind: 'not-as-locked', path: `table ${table}`, what: 'its rows are not the locked ones' });
      } catch (error) {
        const what = (error as Error).message.split('\n')[0] ?? '';
        findings.push({ kind: 'unreadable', path: `table ${table}`, what });
      }
    }
  });
  return tables.length;
}
