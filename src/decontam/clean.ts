import { basename, join } from 'node:path';
import { Problem } from '../problem.js';
import { INTEGER } from '../store/duckdb.js';
import { exactIntegers } from '../store/readers/exact-integers.js';
import { isDataError, type ParquetRange, readParquet } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import { parquet, type Tables } from '../store/tables.js';
import { formatNumber } from '../text/number.js';
import { fieldAt, nothing, type Shape, toDuckDb, typeOf, widen } from './column-types.js';
import { type DataFile, fieldsOf } from './data-file.js';

/** Rows of a file of rows (not Parquet) that are written at once. */
const rowsPerPart = 8_192;
/** Each takes memory for two thousand rows, however few there are. */
const mostColumns = 10_000;

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
  const select = `SELECT * EXCLUDE (file_row_number) FROM ${parquet([path], 'file_row_number=true')}
     WHERE file_row_number NOT IN (SELECT "row" FROM ${writer.tableName})`;
  let rows: number;
  try {
    rows = await tables.copy(select, target);
  } catch (error) {
    if (!isDataError(error)) throw error;
    // A page that does not read takes its rows with it, and no others.
    const whole = await readableRanges(path, tables);
    if (whole.length === 0) whole.push({ start: 0, end: 0 });
    const parts = whole.map(
      ({ start, end }) => `${select} AND file_row_number >= ${start} AND file_row_number < ${end}`,
    );
    rows = await tables.copy(parts.join(' UNION ALL '), target);
  }
  await writer.drop();
  return rows;
}

/** Stretches of rows of which every column can be read. */
async function readableRanges(path: string, tables: Tables): Promise<ParquetRange[]> {
  const ranges: ParquetRange[] = [];
  for await (const batch of readParquet(tables, path))
    for (const { kind, index } of batch) {
      if (kind === 'bad') continue;
      const last = ranges.at(-1);
      if (last?.end === index) last.end = index + 1;
      else ranges.push({ start: index, end: index + 1 });
    }
  return ranges;
}

async function writeRows(path: string, flagged: ReadonlySet<number>, start: string, tables: Tables): Promise<number> {
  const shapes = new Map<string, Shape>();
  for await (const { fields } of goodRows(path, tables))
    for (const [name, value] of Object.entries(fields)) shapes.set(name, widen(shapes.get(name) ?? nothing, value));
  if (shapes.size > mostColumns)
    throw new Problem('the file has more columns than a table can be made of', {
      where: path,
      found: `${formatNumber(shapes.size)} columns, of ${formatNumber(mostColumns)} at most`,
      try: 'objects with changing keys belong into one column',
    });
  const names = namesInTable([...shapes.keys()]);
  const columns = [...shapes].map(([name, shape], at) => ({ name, shape, column: names[at] as string }));
  const writer = await tables.writer(Object.fromEntries(columns.map(({ column, shape }) => [column, typeOf(shape)])));
  const valuesOf = (fields: Record<string, unknown>) =>
    Object.fromEntries(columns.map(({ column, name, shape }) => [column, toDuckDb(shape, fieldAt(fields, name))]));
  let written = 0;
  let part = 0;
  for await (const { fields, row } of goodRows(path, tables)) {
    if (flagged.has(row)) continue;
    await writer.append(valuesOf(fields));
    if (writer.rowCount < rowsPerPart) continue;
    written += await writer.writeTo(`${start}-${String(part).padStart(4, '0')}.parquet`);
    part += 1;
  }
  if (writer.rowCount > 0 || part === 0)
    written += await writer.writeTo(`${start}-${String(part).padStart(4, '0')}.parquet`);
  await writer.drop();
  return written;
}

/** Names that a table can have side by side, told apart without regard to case, as DuckDB gives them to a Parquet file's. */
function namesInTable(names: readonly string[]): string[] {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  const given = new Set<string>();
  return names.map((name) => {
    let wanted = name === '' ? 'column' : name;
    for (let number = 1; given.has(wanted.toLowerCase()) || (name === '' && taken.has(wanted)); number += 1)
      wanted = `${name === '' ? 'column' : name}_${number}`;
    given.add(wanted.toLowerCase());
    return wanted;
  });
}

/** The rows of a file that can be kept, each with its number among all rows of the file. */
async function* goodRows(
  path: string,
  tables: Tables,
): AsyncGenerator<{ row: number; fields: Record<string, unknown> }> {
  let row = 0;
  for await (const batch of readBatches(path, tables, undefined, { parser: exactIntegers }))
    for (const reading of batch) {
      const found = fieldsOf(reading);
      if ('fields' in found) yield { row, fields: found.fields };
      row += 1;
    }
}
