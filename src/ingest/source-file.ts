import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { dataFolder } from '../product.js';
import type { Json } from '../store/fingerprint.js';
import { adapterNames } from './adapters.js';

const size = z.strictObject({
  rows: z.int().optional(),
  /** Of the files that are fetched. */
  bytes: z.int().optional(),
  /** Of what is in them, uncompressed. */
  text: z.int().optional(),
  /** The bytes are worked out from rows and their usual length, not read anywhere. */
  approximate: z.boolean().default(false),
});
const globs = z.array(z.string()).min(1);

/** A file of data/sources/: what is known of a published source before anything is fetched. */
const sourceFile = z.strictObject({
  name: z.string(),
  hub: z.string(),
  /** Commit that this was written for; a branch name where none is known. */
  revision: z.string(),
  license: z.string(),
  group: z.string(),
  adapter: z.enum(adapterNames as [string, ...string[]]),
  /** Columns that the published files have. */
  columns: z.array(z.string()),
  /** Globs over the repository's file names. */
  files: globs,
  /** Globs by config and by split, where the source has several; `files` then holds for the default. */
  configs: z.record(z.string(), globs).optional(),
  splits: z.record(z.string(), globs).optional(),
  /** true where the split must be named, because another one is a benchmark. */
  split_required: z.boolean().default(false),
  /** Rows that belong to the source at all, as SQL: always applied, before an entry's own `where`. */
  where: z.string().optional(),
  /** As published: what plan shows where no listing can be had. */
  size,
  sizes: z.record(z.string(), size).optional(),
  /** What the source puts before or after many questions: `embed.text: without-instruction` embeds the rest. */
  instruction: z.union([z.string(), z.array(z.string())]).optional(),
  notes: z.string().optional(),
});

export type NamedSource = z.output<typeof sourceFile>;

const folder = join(dataFolder, 'sources');
let names: readonly string[] | null = null;

/** Names of the sources that ship. */
export function sourceNames(): readonly string[] {
  names ??= readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
  return names;
}

export function readSourceFile(name: string): NamedSource {
  return sourceFile.parse(parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')));
}

/** What of a named source decides its rows: not its notes, sizes and instructions. */
export function decidingParts(source: NamedSource): Json {
  const { notes: _notes, size: _size, sizes: _sizes, columns: _columns, instruction: _instruction, ...parts } = source;
  return JSON.parse(JSON.stringify(parts)) as Json;
}
