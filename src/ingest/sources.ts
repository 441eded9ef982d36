import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import type { Adapter, ColumnMap } from './adapter.js';
import { adapterNamed } from './adapters.js';
import { findFiles, globMatcher, isData, nameOfPattern, type SourceFile } from './files.js';
import type { HubSettings } from './hub/client.js';
import type { HubSource } from './hub/source.js';
import type { SourceEntry } from './options.js';
import type { NamedSource } from './source-file.js';

/** An entry of `sources` with everything that its YAML, the named source and the files on disk say. */
export interface Source {
  entry: number;
  name: string;
  group: string;
  adapter: Adapter;
  map: ColumnMap;
  license: string | null;
  /** SQL conditions, all of which must hold. */
  where: string[];
  limit: number | null;
  onError: 'quarantine' | 'fail';
  files: SourceFile[];
  /** Where the files come from, when they are not on this machine's disk by themselves. */
  hub: (HubSource & { name: string; revision: string }) | null;
}

/** How a Problem calls an entry. */
export function entryLabel(entry: number, name: string): string {
  return `sources[${entry}] (${name})`;
}

/** What ids and reports call an entry's source. */
export function sourceName(entry: SourceEntry): string {
  if (entry.name !== undefined) return entry.name;
  if (entry.use !== undefined) return entry.use;
  if (entry.hub !== undefined) return (entry.hub.split('/')[1] ?? entry.hub).toLowerCase();
  return nameOfPattern(listOf(entry.path)[0] ?? '') ?? entry.adapter ?? 'source';
}

/** Resolves one entry; throws a Problem where its files are not to be had. `hub`: other settings than the environment's. */
export async function resolveSource(
  entry: SourceEntry,
  index: number,
  context: StageContext,
  hub: Partial<HubSettings> = {},
): Promise<Source> {
  // Loaded only where they are needed: threads that read files of one's own go without.
  const named = entry.use === undefined ? null : (await import('./source-file.js')).readSourceFile(entry.use);
  const paths = listOf(entry.path);
  const name = sourceName(entry);
  const label = entryLabel(index, name);
  checkChoices(entry, named, label, paths.length > 0);
  const adapter = entry.adapter ?? named?.adapter;
  if (adapter === undefined) throw new Error('the options hold an adapter or a named source');
  return {
    entry: index,
    name,
    group: entry.group ?? named?.group ?? name,
    adapter: adapterNamed(adapter),
    map: entry.map ?? {},
    license: entry.license ?? named?.license ?? null,
    where: [named?.where, entry.where].filter((each) => each !== undefined),
    limit: entry.limit ?? null,
    onError: entry.on_error,
    ...(await filesOf(entry, named, label, context, hub)),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

async function filesOf(
  entry: SourceEntry,
  named: NamedSource | null,
  label: string,
  context: StageContext,
  hub: Partial<HubSettings>,
): Promise<Pick<Source, 'files' | 'hub'>> {
  const paths = listOf(entry.path);
  const asked = listOf(entry.files).join(', ');
  if (paths.length > 0) {
    const found = findFiles(paths.map((path) => context.resolve(path)));
    const files = choose(found, localGlobs(entry, named, found.length));
    if (files.length > 0) return { files, hub: null };
    throw new Problem(`${label}: no file at ${paths.join(', ')}`, {
      where: paths.map((path) => context.resolve(path)).join(', '),
      found:
        found.length === 0
          ? 'nothing there'
          : `${found.length} files, none of them ${asked || `of ${entry.split ?? entry.config}`}`,
      try: 'paths are relative to the pipeline file; curate inspect FILE shows what a file holds',
    });
  }
  const name = entry.hub ?? named?.hub;
  if (name === undefined) throw new Error('the options hold use, path or hub');
  const revision = entry.revision ?? named?.revision ?? 'main';
  const { hubFile, repositoryOf } = await import('./hub/source.js');
  const repository = await repositoryOf(name, revision, context, hub);
  const wanted = choose(
    repository.files.map((file) => ({ ...file, name: file.path })),
    hubGlobs(entry, named),
  ).filter((file) => isData(file.path));
  if (wanted.length === 0) {
    throw new Problem(`${label}: ${name} has none of the files that are asked for`, {
      where: `${name} at ${repository.commit.slice(0, 12)}`,
      found:
        repository.files
          .filter((file) => isData(file.path))
          .slice(0, 10)
          .map((file) => file.path)
          .join(', ') || 'no data files',
      try: 'files: with a glob over these names',
    });
  }
  return {
    files: wanted.map((file) => hubFile(repository, file, context)),
    hub: { name, revision, repository, files: wanted },
  };
}

/** Which of the files that the hub lists: those asked for, those that the named source knows, or all data files. */
function hubGlobs(entry: SourceEntry, named: NamedSource | null): string[] {
  if (entry.files !== undefined) return listOf(entry.files);
  if (named !== null)
    return [...(named.configs?.[entry.config ?? ''] ?? named.splits?.[entry.split ?? ''] ?? named.files)];
  const folder = entry.config === undefined ? '' : `${entry.config}/`;
  if (entry.split !== undefined) return [`${folder}**/${entry.split}-*`, `${folder}**/${entry.split}.*`];
  return folder === '' ? [] : [`${folder}**`, `**/${entry.config}-*`, `**/${entry.config}.*`];
}

/** A folder may hold several configs or splits, and another split may be a benchmark; a single file is what it is. */
function localGlobs(entry: SourceEntry, named: NamedSource | null, fileCount: number): string[] {
  if (entry.files !== undefined) return listOf(entry.files);
  if (fileCount < 2 || (entry.config === undefined && entry.split === undefined)) return [];
  return hubGlobs(entry, named).map((glob) => `**/${glob.split('/').pop() ?? glob}`);
}

/** A config or split that the source does not have, or one that must be named and is not. */
function checkChoices(entry: SourceEntry, named: NamedSource | null, label: string, local: boolean): void {
  for (const kind of ['config', 'split'] as const) {
    const known = Object.keys((kind === 'config' ? named?.configs : named?.splits) ?? {});
    const asked = entry[kind];
    if (asked !== undefined && named !== null && !known.includes(asked)) {
      throw new Problem(`${label}: no ${kind} "${asked}"`, {
        found: known.length === 0 ? `${named.name} has no ${kind}s` : `${named.name} has ${known.join(', ')}`,
        try: known.length === 0 ? `leave out ${kind}` : `${kind}: ${known[0]}`,
      });
    }
  }
  if (named?.split_required === true && entry.split === undefined && !local) {
    throw new Problem(`${label}: split must be named, because another split is a benchmark`, { try: 'split: train' });
  }
}

function choose<T extends { name: string }>(files: readonly T[], globs: readonly string[]): T[] {
  if (globs.length === 0) return [...files];
  const matchers = globs.map(globMatcher);
  return files.filter((file) => matchers.some((matcher) => matcher.test(file.name)));
}

export function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
