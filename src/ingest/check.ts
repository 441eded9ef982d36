import { existsSync } from 'node:fs';
import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import type { Tables } from '../store/tables.js';
import { fittingAdapters, missingColumns } from './adapters.js';
import { readColumnTypes } from './columns.js';
import type { SourceFile } from './files.js';
import type { IngestOptions } from './options.js';
import { entryLabel, resolveSource, type Source } from './sources.js';
import { openWhere } from './where.js';

/** Throws a Problem for what can be seen before any row is read: files, columns, conditions. */
export async function checkSources(options: IngestOptions, context: StageContext, tables: Tables): Promise<void> {
  for (const [index, entry] of options.sources.entries()) {
    const source = await resolveSource(entry, index, context);
    // Files that are still to be fetched are looked at when they are here.
    const present = source.files.filter((file) => existsSync(file.path));
    for (const file of present) await checkColumns(source, file, tables);
    if (present.length > 0) await openWhere(tables, { ...source, files: present });
  }
}

/** Throws a Problem where a file lacks columns that the adapter needs. */
export async function checkColumns(source: Source, file: SourceFile, tables: Tables): Promise<void> {
  const found = Object.keys(await readColumnTypes(file.path, tables));
  // A file without a single row that reads: its rows go to quarantine, each with its reason.
  if (found.length === 0) return;
  const missing = missingColumns(source.adapter, found, source.map);
  if (missing.length === 0) return;
  const fitting = fittingAdapters(found).map((adapter) => adapter.name);
  const fits =
    fitting.length === 0 ? 'adapter: columns with a map: names them' : `adapter: ${fitting[0]} fits what is there`;
  throw new Problem(
    `${entryLabel(source.entry, source.name)} lacks ${missing.length === 1 ? 'a column' : `${missing.length} columns`} that its adapter ${source.adapter.name} needs`,
    {
      where: file.path,
      found: `missing ${missing.join(', ')}; there: ${found.join(', ')}`,
      try: `${fits}; curate inspect ${file.path} shows rows of it`,
    },
  );
}
