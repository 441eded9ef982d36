import { basename, join } from 'node:path';
import { INTEGER } from '../store/duckdb.js';
import { readBatches } from '../store/readers/read-rows.js';
import { parquet, type Tables } from '../store/tables.js';
import { type Shape, toDuckDb, typeOf, widen } from './column-types.js';
import type { DataFile } from './data-file.js';

/** Rows of a file of rows (not Parquet) that are written at once. */
const rowsPerPart = 8_192;

/**
 * Writes the rows of a file that no method flagged, with their own columns and in their own order. `flagged` are row
 * numbers in the file. A Parquet file is copied as it is; of other files the columns' types are found by a first look.
 */
export async function writeClean(
  file: DataFile,
  index: number,
  flagged: ReadonlySet<number>,
  folder: string,
  tables: Tables,
): Promise<number> {
  const name = basename(file.path).replace(/(\.(jsonl?|ndjson|parquet|csv|tsv|gz|zst|bz2))+$/i, '');
  const start = join(folder, `${String(index).padStart(5, '0')}-${name}`);
  return file.isParquet
    ? copyParquet(file.path, flagged, `${start}.parquet`, tables)
    : writeRows(file.path, flagged, start, tables);
}

// ---------------------------------------------------------------------------------------------------------------------

async function copyParquet(
  path: string,
  flagged: ReadonlySet<number>,
  target: string,
  tables: Tables,
): Promise<number> {
  const writer = await tables.writer({ row: INTEGER });
  for (const row of flagged) await writer.append({ row });
  writer.flush();
  const rows = await tables.copy(
    `SELECT * EXCLUDE (file_row_number) FROM ${parquet([path], 'file_row_number=true')}
     WHERE file_row_number NOT IN (SELECT "row" FROM ${writer.tableName})`,
    target,
  );
  await writer.drop();
  return rows;
}

async function writeRows(path: string, flagged: ReadonlySet<number>, start: string, tables: Tables): Promise<number> {
  const shapes = new Map<string, Shape>();
  for await (const row of goodRows(path, tables))
    for (const [name, value] of Object.entries(row.fields))
      shapes.set(name, widen(shapes.get(name) ?? { kind: 'nothing' }, value));
  const columns = [...shapes];
  const writer = await tables.writer(Object.fromEntries(columns.map(([name, shape]) => [name, typeOf(shape)])));
  let written = 0;
  let part = 0;
  for await (const { fields, row } of goodRows(path, tables)) {
    if (flagged.has(row)) continue;
    await writer.append(Object.fromEntries(columns.map(([name, shape]) => [name, toDuckDb(shape, fields[name])])));
    if (writer.rowCount < rowsPerPart) continue;
    written += await writer.writeTo(`${start}-${String(part).padStart(4, '0')}.parquet`);
    part += 1;
  }
  if (writer.rowCount > 0 || part === 0)
    written += await writer.writeTo(`${start}-${String(part).padStart(4, '0')}.parquet`);
  await writer.drop();
  return written;
}

/** The rows of a file that are objects, each with its number among all rows of the file. */
async function* goodRows(
  path: string,
  tables: Tables,
): AsyncGenerator<{ row: number; fields: Record<string, unknown> }> {
  let row = 0;
  for await (const batch of readBatches(path, tables))
    for (const reading of batch) {
      const number = row;
      row += 1;
      if (
        reading.kind === 'row' &&
        reading.row !== null &&
        typeof reading.row === 'object' &&
        !Array.isArray(reading.row)
      )
        yield { row: number, fields: reading.row as Record<string, unknown> };
    }
}
