import { detectFormat } from '../store/readers/format.js';
import { readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Tables } from '../store/tables.js';
import { isRecord } from './adapter.js';

/** Rows of a text file that are looked at to learn its columns. */
const sampleRows = 1000;

/**
 * Columns of a data file with the SQL types that a condition sees: those of a Parquet file, or what the first rows of a
 * text file hold (every number a DOUBLE). Lists, objects and mixed values are VARCHAR: their JSON.
 */
export async function readColumnTypes(path: string, tables: Tables): Promise<Record<string, string>> {
  const known = await detectFormat(path);
  if (known.format === 'parquet') {
    const { columns } = await readParquetShape(tables, path);
    return Object.fromEntries(columns.map(({ name, type }) => [name, isNested(type) ? 'VARCHAR' : type]));
  }
  const types: Record<string, string> = {};
  let rows = 0;
  for await (const readings of readBatches(path, tables, known)) {
    for (const reading of readings) {
      if (reading.kind === 'bad' || !isRecord(reading.row)) continue;
      rows += 1;
      for (const [name, value] of Object.entries(reading.row)) {
        const type = typeOf(value);
        const before = types[name];
        if (before === undefined || before === 'NULL') types[name] = type;
        else if (type !== 'NULL' && type !== before) types[name] = 'VARCHAR';
      }
      if (rows >= sampleRows) break;
    }
    if (rows >= sampleRows) break;
  }
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type === 'NULL' ? 'VARCHAR' : type]));
}

// ---------------------------------------------------------------------------------------------------------------------

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return 'DOUBLE';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR';
}

function isNested(type: string): boolean {
  return /[[\](]/.test(type) && !/^DECIMAL\(/.test(type);
}
