import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BOOLEAN, DOUBLE, INTEGER, VARCHAR } from '../store/duckdb.js';
import { identifier, parquet, type Tables, type TableWriter } from '../store/tables.js';
import { rawColumn } from './judge.js';
import type { BoundRule } from './rule.js';

const types = { BOOLEAN, DOUBLE, INTEGER, VARCHAR };

/**
 * Reads the text of the row files once, in order and a chunk at a time, and measures it for every rule that needs text.
 * Returns the name of a table `file, row, <value of each>` in `tables`, or null where no rule needs text.
 */
export async function measureTexts(
  tables: Tables,
  rowFiles: readonly string[],
  rules: readonly BoundRule[],
  afterRows: (rowCount: number) => void,
): Promise<string | null> {
  const measured = rules.flatMap((rule) => (rule.value.from === 'text' ? [{ rule, value: rule.value }] : []));
  if (measured.length === 0) return null;
  const columns = [...new Set(measured.flatMap(({ value }) => value.columns))];
  const columnTypes: Record<string, DuckDBType> = { file: VARCHAR, row: INTEGER };
  for (const { rule } of measured) columnTypes[rawColumn(rule)] = types[rule.type];
  const writer: TableWriter = await tables.writer(columnTypes);
  // One thread and no ORDER BY: text streams in the order of the files and is never held.
  const select = `SELECT parse_filename(filename) AS file, file_row_number AS row, ${columns.map(identifier).join(', ')}
    FROM ${parquet(rowFiles, 'file_row_number = true, filename = true')}`;
  for await (const chunk of tables.stream(select)) {
    for (const row of chunk) {
      const values: Record<string, DuckDBValue> = { file: row.file as string, row: Number(row.row) };
      for (const { rule, value } of measured) {
        values[rawColumn(rule)] = value.measure(value.columns.map((column) => row[column] as string | null));
      }
      await writer.append(values);
    }
    afterRows(chunk.length);
  }
  writer.flush();
  return writer.tableName;
}
