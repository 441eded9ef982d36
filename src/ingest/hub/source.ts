import { existsSync, readFileSync } from 'node:fs';
import type { StageContext } from '../../pipeline/stage.js';
import { writeFileAtomic } from '../../store/atomic.js';
import type { Tables } from '../../store/tables.js';
import type { SourceFile } from '../files.js';
import { HubClient, type HubSettings, hubSettings } from './client.js';
import { cachedPath, fetchFiles, isCached } from './download.js';
import { type HubFile, listRepository, type Repository } from './listing.js';
import { fetchRowGroups } from './row-groups.js';

/** The files of a data set that a source needs, and how they come here. */
export interface HubSource {
  repository: Repository;
  files: readonly HubFile[];
}

/**
 * The listing of a data set at a revision. A run folder keeps the one that it was begun with, so that a branch is
 * resolved once and workers ask nobody.
 */
export async function repositoryOf(
  name: string,
  revision: string,
  context: StageContext,
  settings: Partial<HubSettings> = {},
): Promise<Repository> {
  const key = `${name}@${revision}`;
  const kept = readListings(context)[key];
  if (kept !== undefined) return kept;
  const client = new HubClient({ ...hubSettings(), ...settings });
  const known = listings.get(`${client.settings.endpoint} ${key}`);
  if (known !== undefined) return known;
  const repository = await listRepository(client, name, revision);
  listings.set(`${client.settings.endpoint} ${key}`, repository);
  return repository;
}

/** Keeps a listing in the run folder; called when work begins, for a plan must change nothing. */
export async function keepListing(
  name: string,
  revision: string,
  repository: Repository,
  context: StageContext,
): Promise<void> {
  const known = readListings(context);
  if (known[`${name}@${revision}`] !== undefined) return;
  const all = { ...known, [`${name}@${revision}`]: repository };
  await writeFileAtomic(listingsPath(context), context.run.temporary, `${JSON.stringify(all, null, 1)}\n`);
}

/** Where a file of the hub will lie: in the hub's cache, or for a try with `--limit` as a part in the run folder. */
export function hubFile(source: Repository, file: HubFile, context: StageContext): SourceFile {
  const client = new HubClient();
  const partly = context.limit !== null && file.path.endsWith('.parquet') && !isCached(client, source, file);
  return {
    name: file.path,
    path: partly ? context.run.state('hub', source.commit, ...file.path.split('/')) : cachedPath(client, source, file),
    // A small file has no SHA-256 before it is fetched; git's own hash of it pins it as well.
    sha256: file.etag.length === 64 ? file.etag : `git-sha1:${file.etag}`,
    bytes: file.size,
  };
}

/** Fetches all files that a source needs. */
export async function fetchSource(source: HubSource, context: StageContext): Promise<void> {
  const client = new HubClient();
  const missing = source.files.filter((file) => !isCached(client, source.repository, file));
  const total = missing.reduce((sum, file) => sum + file.size, 0);
  let done = 0;
  await fetchFiles(client, source.repository, source.files, context.signal, (bytes) => {
    done += bytes;
    context.progress({ done, total, unit: 'bytes' });
  });
}

/** Fetches what the first `rows` rows of one file need. */
export async function fetchHead(
  source: HubSource,
  file: SourceFile,
  rows: number,
  tables: Tables,
  context: StageContext,
): Promise<void> {
  const client = new HubClient();
  const wanted = source.files.find((each) => each.path === file.name);
  if (wanted === undefined) throw new Error(`${file.name} is no file of ${source.repository.name}`);
  if (file.path === cachedPath(client, source.repository, wanted)) {
    await fetchFiles(client, source.repository, [wanted], context.signal, () => {});
  } else await fetchRowGroups(client, source.repository, wanted, rows, file.path, tables, context.signal);
}

// ---------------------------------------------------------------------------------------------------------------------

const listings = new Map<string, Repository>();

function listingsPath(context: StageContext): string {
  return context.run.state('hub-listings.json');
}

function readListings(context: StageContext): Record<string, Repository> {
  const path = listingsPath(context);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Repository>) : {};
}
