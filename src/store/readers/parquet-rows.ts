import type { DuckDBValue } from '@duckdb/node-api';
import { Problem } from '../../problem.js';
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBUnionValue,
} from '../duckdb.js';
import { identifier, literal, parquet, type Tables } from '../tables.js';
import { bad, decode, type Reading } from './reading.js';

export interface ParquetShape {
  rowCount: number;
  columns: { name: string; type: string }[];
  /** Row groups in order: rows and uncompressed bytes of each. */
  groups: { rows: number; bytes: number }[];
}

/** Columns and row groups of a Parquet file, from its footer alone. */
export async function readParquetShape(tables: Tables, path: string): Promise<ParquetShape> {
  try {
    const columns = await tables.describe(`SELECT * FROM ${parquet([path])}`);
    const groups = await tables.rows<{ rows: number; bytes: number }>(
      `SELECT any_value(row_group_num_rows) AS rows, sum(total_uncompressed_size)::BIGINT AS bytes
       FROM parquet_metadata(${literal(path)}) GROUP BY row_group_id ORDER BY row_group_id`,
    );
    if (columns.some(({ name }) => name.toLowerCase() === 'file_row_number'))
      throw new Problem('the file has a column "file_row_number", under which its rows are counted', {
        where: path,
        try: 'another name for that column',
      });
    return { rowCount: groups.reduce((sum, group) => sum + group.rows, 0), columns, groups };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('the file is not readable as Parquet', {
      where: path,
      found: messageOf(error),
      try: 'fetch it again: a Parquet file that was cut off has lost its index and none of its rows can be read',
      cause: error,
    });
  }
}

export interface ParquetRange {
  start: number;
  end: number;
}

/**
 * Rows `[start, end)` of a Parquet file as plain objects. Where a page does not read, the rows before it are found by
 * smaller and smaller steps, those behind it in its row group are bad, and reading goes on with the next group.
 */
export async function* readParquet(
  tables: Tables,
  path: string,
  range?: ParquetRange,
  columns?: readonly string[],
): AsyncGenerator<Reading[]> {
  let shape: ParquetShape;
  try {
    shape = await readParquetShape(tables, path);
  } catch (error) {
    if (!(error instanceof Problem) || error.parts.found === undefined) throw error;
    yield [bad('unreadable Parquet', 0, null, error.parts.found)];
    return;
  }
  const end = range?.end ?? shape.rowCount;
  let start = range?.start ?? 0;
  let step = end - start;
  while (start < end) {
    const until = Math.min(end, start + step);
    try {
      for await (const readings of scan(tables, path, { start, end: until }, columns)) {
        start += readings.length;
        yield readings;
      }
      if (start < until) throw new Error(`the file ends at row ${start}`);
      step = end - start;
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (step > 1) step = Math.max(1, Math.floor(Math.min(step, until - start) / 8));
      else {
        const groupEnd = Math.min(end, endOfGroup(shape, start));
        yield* badRows(start, groupEnd, messageOf(error));
        start = groupEnd;
        step = end - start;
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Rows that become JavaScript values at once: of a whole chunk the texts outlive two collections, which costs as much as reading them. */
const batchRows = 256;

async function* scan(
  tables: Tables,
  path: string,
  range: ParquetRange,
  columns: readonly string[] | undefined,
): AsyncGenerator<Reading[]> {
  const selected = columns === undefined ? '*' : columns.map(identifier).join(', ');
  const sql = `SELECT ${selected} FROM ${parquet([path], 'file_row_number=true')}
    WHERE file_row_number >= ${range.start} AND file_row_number < ${range.end}`;
  const result = await tables.connection.stream(sql);
  const names = result.columnNames();
  const rowNumber = names.indexOf('file_row_number');
  let index = range.start;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const vectors = names.map((_, at) => chunk.getColumnVector(at));
    for (let from = 0; from < chunk.rowCount; from += batchRows) {
      const readings: Reading[] = [];
      for (let at = from; at < Math.min(chunk.rowCount, from + batchRows); at += 1) {
        const row: Record<string, unknown> = {};
        for (let column = 0; column < names.length; column += 1) {
          if (column !== rowNumber) row[names[column] as string] = plain(vectors[column]?.getItem(at));
        }
        readings.push({ kind: 'row', row, index: index + at, offset: null });
      }
      yield readings;
    }
    index += chunk.rowCount;
  }
}

function* badRows(start: number, end: number, message: string): Generator<Reading[]> {
  const most = 2048;
  for (let from = start; from < end; from += most) {
    const length = Math.min(most, end - from);
    yield Array.from({ length }, (_, at) => bad('unreadable Parquet', from + at, null, message));
  }
}

function endOfGroup(shape: ParquetShape, row: number): number {
  let end = 0;
  for (const group of shape.groups) {
    end += group.rows;
    if (end > row) return end;
  }
  return Number.POSITIVE_INFINITY;
}

/** A DuckDB value as JSON knows it. Integers beyond 2^53 stay exact as text. */
function plain(value: DuckDBValue | undefined): unknown {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value;
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, each]) => [name, plain(each)]));
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(value.entries.map(({ key, value: each }) => [String(key), plain(each)]));
  }
  if (value instanceof DuckDBUnionValue) return plain(value.value);
  // Older writers leave out the mark that a column of bytes is text.
  if (value instanceof DuckDBBlobValue) {
    const bytes = Buffer.from(value.bytes);
    return decode(bytes) ?? bytes.toString('base64');
  }
  return String(value);
}

/** Whether DuckDB complains about what stands in a file, and not about the question or the machine. */
export function isDataError(error: unknown): boolean {
  return (
    error instanceof Error &&
    !(error instanceof Problem) &&
    !/out of memory|INTERRUPT|Binder Error|Parser Error|No such file/i.test(error.message)
  );
}

function messageOf(error: unknown): string {
  // DuckDB names the file with its path; the caller says where.
  return (error instanceof Error ? error.message : String(error)).replace(/ ?'\/[^']*'| ?"\/[^"]*"/g, '').slice(0, 300);
}
