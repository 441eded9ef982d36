import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../store/atomic.js';
import { canonicalJson, type Json, sha256, sha256File } from '../store/fingerprint.js';
import type { RunFolder } from '../store/folder.js';
import type { Pipeline } from './config.js';
import { readStageState, stageNamesOf } from './state.js';

/** SHA-256 of every file of a run folder by path, and a checksum of that list. */
export interface Manifest {
  files: { [path: string]: string };
  checksum: string;
}

/** Not listed: the log, the manifest itself, and what belongs to a process and not to the run. */
const exempt = ['log.jsonl', 'manifest.json', '.curate/hashes.json'];
const exemptBeginnings = ['.curate/tmp/', '.curate/claim.json'];

/** All files of a run folder that a manifest lists, relative and sorted. */
export async function filesOf(run: RunFolder): Promise<string[]> {
  if (!existsSync(run.path)) return [];
  const entries = await readdir(run.path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => run.relative(join(entry.parentPath, entry.name)))
    .filter((file) => !exempt.includes(file) && !exemptBeginnings.some((each) => file.startsWith(each)))
    .sort();
}

/** Writes the manifest. Files that a stage hashed when it finished are not read again. */
export async function writeManifest(run: RunFolder, pipeline: Pipeline): Promise<void> {
  const known: Record<string, string> = {};
  for (const name of stageNamesOf(pipeline)) Object.assign(known, readStageState(run, name)?.files);
  const files: Record<string, string> = {};
  for (const file of await filesOf(run)) files[file] = known[file] ?? (await sha256File(join(run.path, file)));
  const text = manifestText(files);
  if (existsSync(run.manifest) && readFileSync(run.manifest, 'utf8') === text) return;
  await writeFileAtomic(run.manifest, run.temporary, text);
}

/** The bytes of a manifest. */
export function manifestText(files: { [path: string]: string }): string {
  const checksum = sha256(canonicalJson(files as Json));
  return `${JSON.stringify({ files, checksum } satisfies Manifest, null, 1)}\n`;
}
