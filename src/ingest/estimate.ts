import { existsSync, statSync } from 'node:fs';
import type { StageContext } from '../pipeline/stage.js';
import { detectFormat } from '../store/readers/format.js';
import { readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Tables } from '../store/tables.js';
import { HubSilent, hubSettings } from './hub/client.js';
import type { IngestOptions, SourceEntry } from './options.js';
import { readSourceFile } from './source-file.js';
import { resolveSource, sourceName } from './sources.js';

/** What an entry would take, before anything is fetched or read. Plain JSON. */
export interface SourceEstimate {
  entry: number;
  source: string;
  /** Rows that would be read; null where neither files nor data/sources/ say. */
  rows: number | null;
  /** Rows that would be kept of them at most: the entry's `limit`. */
  limit: number | null;
  /** Bytes of all its files, as they lie or as they are fetched. */
  bytes: number | null;
  /** Bytes that are not here yet. */
  fetchBytes: number | null;
  /** Bytes of the text in them; null where only the rows are known. */
  textBytes: number | null;
  /** The bytes are worked out from rows and their usual length. */
  approximate: boolean;
  /** Whence the sizes: the files themselves, the hub's listing, or data/sources/, when the hub cannot be asked. */
  basis: 'files' | 'listing' | 'published';
  /** Gigabytes of memory that reading takes besides the usual, for .zst with a long window. */
  windowGigabytes: number;
}

const sampledRows = 1000;

/** Estimates every entry. Asks the hub once where it must, and goes by the published sizes when there is no answer. */
export async function estimateSources(
  options: IngestOptions,
  context: StageContext,
  tables: Tables,
): Promise<SourceEstimate[]> {
  const estimates: SourceEstimate[] = [];
  let reachable = !hubSettings().offline;
  for (const [index, entry] of options.sources.entries()) {
    const local = entry.path !== undefined;
    const asked = local || reachable ? await fromFiles(entry, index, context, tables) : null;
    if (asked === null && !local) reachable = false;
    estimates.push(asked ?? published(entry, index));
  }
  // Files that an earlier entry fetches are there for the next one.
  const fetched = new Set<string>();
  for (const estimate of estimates) {
    const { use, hub, revision, config, split, files, path } = options.sources[estimate.entry] as SourceEntry;
    const key = JSON.stringify([use, hub, revision, config, split, files]);
    if (path !== undefined) continue;
    if (fetched.has(key)) estimate.fetchBytes = 0;
    fetched.add(key);
  }
  return estimates;
}

// ---------------------------------------------------------------------------------------------------------------------

async function fromFiles(
  entry: SourceEntry,
  index: number,
  context: StageContext,
  tables: Tables,
): Promise<SourceEstimate | null> {
  try {
    const source = await resolveSource(entry, index, context, { attempts: 1 });
    const known = published(entry, index);
    const missing = source.files.filter((file) => !existsSync(file.path));
    const sizes = source.files.map((file) => file.bytes ?? statSync(file.path).size);
    let rows: number | null = 0;
    for (const file of source.files) {
      if (missing.length > 0) rows = known.rows;
      else if (rows !== null) rows += await rowsIn(file.path, tables);
    }
    return {
      ...known,
      rows: context.limit === null || rows === null ? rows : Math.min(rows, context.limit),
      bytes: sum(sizes),
      fetchBytes: sum(missing.map((file) => file.bytes ?? 0)),
      approximate: false,
      basis: missing.length > 0 ? 'listing' : 'files',
      windowGigabytes: windowOf(source.files.map((file) => file.name)),
    };
  } catch (error) {
    // Only the hub's silence is made good by what is published; a missing file or a refusal is the user's to know.
    if (error instanceof HubSilent) return null;
    throw error;
  }
}

function published(entry: SourceEntry, index: number): SourceEstimate {
  const named = entry.use === undefined ? null : readSourceFile(entry.use);
  const size = named?.sizes?.[entry.config ?? entry.split ?? ''] ?? named?.size;
  return {
    entry: index,
    source: sourceName(entry),
    rows: size?.rows ?? null,
    limit: entry.limit ?? null,
    bytes: size?.bytes ?? null,
    fetchBytes: size?.bytes ?? null,
    textBytes: size?.text ?? null,
    approximate: size?.approximate ?? false,
    basis: 'published',
    windowGigabytes: windowOf(named?.files ?? []),
  };
}

/** Exact for Parquet, else by the length of the first rows. */
async function rowsIn(path: string, tables: Tables): Promise<number> {
  const known = await detectFormat(path);
  if (known.format === 'parquet') return (await readParquetShape(tables, path)).rowCount;
  let rows = 0;
  let offset = 0;
  for await (const readings of readBatches(path, tables, known)) {
    rows += readings.length;
    offset = readings.at(-1)?.offset ?? 0;
    if (rows >= sampledRows) break;
  }
  if (rows < sampledRows || known.compression !== 'none' || offset === 0) return rows;
  return Math.round((statSync(path).size * rows) / offset);
}

/** Files of AM are compressed with a window of 2 GiB. */
function windowOf(names: readonly string[]): number {
  return names.some((name) => /^am_.*\.zst$/.test(name)) ? 2 : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
