import type { DuckDBType } from '@duckdb/node-api';
import { Problem } from '../problem.js';
import { INTEGER, VARCHAR } from '../store/duckdb.js';
import { checkExpression } from '../store/expression.js';
import type { Reading } from '../store/readers/reading.js';
import { identifier, type Tables, type TableWriter } from '../store/tables.js';
import { isRecord, Unfit } from './adapter.js';
import { metadataOnly } from './canonical.js';
import { readColumnTypes } from './columns.js';
import { entryLabel, type Source } from './sources.js';

/** The conditions of an entry, ready to judge readings. */
export interface Where {
  /** Which readings of a batch every condition accepts. A row with a value of another type than its column's is unfit. */
  accepts(readings: readonly Reading[]): Promise<(at: number) => boolean>;
}

/** Checks an entry's conditions against its first file; null where it has none. */
export async function openWhere(tables: Tables, source: Source): Promise<Where | null> {
  const first = source.files[0];
  if (source.where.length === 0 || first === undefined) return null;
  const types: Record<string, string> = { ...(await readColumnTypes(first.path, tables)), metadata: 'VARCHAR' };
  const label = entryLabel(source.entry, source.name);
  const checked = await Promise.all(source.where.map((each) => checkExpression(tables, each, types, `${label}.where`)));
  const columns = [...new Set(checked.flatMap((each) => each.columns))].sort();
  const condition = checked.map((each) => `(${each.sql})`).join(' AND ');
  const writer = await tables.writer({
    place: INTEGER,
    ...Object.fromEntries(columns.map((_, index): [string, DuckDBType] => [`c${index}`, VARCHAR])),
  });
  const sql = judgement(writer.tableName, columns, types, condition);
  return { accepts: (readings) => judge(readings, source, tables, writer, columns, sql, label) };
}

// ---------------------------------------------------------------------------------------------------------------------

/** Values arrive as text and are cast to their column's type; `misfit` tells where one is of another. */
function judgement(
  table: string,
  columns: readonly string[],
  types: Record<string, string>,
  condition: string,
): string {
  const casts = columns.map((name, index) => `TRY_CAST(c${index} AS ${types[name]}) AS ${identifier(name)}`);
  const misfits = columns.map(
    (name, index) => `(c${index} IS NOT NULL AND TRY_CAST(c${index} AS ${types[name]}) IS NULL)`,
  );
  return `SELECT place, COALESCE(${condition}, false) AS accepted, misfit
    FROM (SELECT place, ${[...casts, `(${misfits.join(' OR ') || 'false'}) AS misfit`].join(', ')} FROM ${table}) ORDER BY place`;
}

async function judge(
  readings: readonly Reading[],
  source: Source,
  tables: Tables,
  writer: TableWriter,
  columns: readonly string[],
  sql: string,
  label: string,
): Promise<(at: number) => boolean> {
  for (const [at, reading] of readings.entries()) {
    if (reading.kind === 'bad' || !isRecord(reading.row)) continue;
    const cells: Record<string, string | number | null> = { place: at };
    for (const [index, name] of columns.entries()) {
      cells[`c${index}`] = name === 'metadata' ? metadataOrNull(reading.row, source) : asText(reading.row[name]);
    }
    await writer.append(cells);
  }
  writer.flush();
  const verdicts = new Map<number, { accepted: boolean; misfit: boolean }>();
  try {
    for (const row of await tables.rows<{ place: number; accepted: boolean; misfit: boolean }>(sql))
      verdicts.set(row.place, row);
  } catch (error) {
    const found = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new Problem(`${label}.where cannot be computed for every row`, {
      where: source.where.join(' and '),
      found,
      try: 'TRY_CAST gives null where CAST fails',
      cause: error,
    });
  }
  await writer.clear();
  return (at) => {
    const verdict = verdicts.get(at);
    if (verdict?.misfit === true) throw new Unfit('a column of where has another type here');
    // Rows that were not judged are unfit, which the canonical form tells.
    return verdict?.accepted ?? true;
  };
}

function metadataOrNull(row: Record<string, unknown>, source: Source): string | null {
  try {
    return metadataOnly(row, source);
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
