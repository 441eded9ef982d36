import { sha256, sha256File } from './fingerprint.js';
import { parquet, type Tables } from './tables.js';

/**
 * A hash of what a table says, whatever its files and the order of its rows. Parquet: row count and the sums, modulo
 * 2^128, of both halves of every row's MD5 (as JSON): equal multisets of rows give equal hashes, and an accidental
 * difference shows; files are guarded against intent by their SHA-256 in the manifest. Other files count by their bytes.
 */
export async function contentHash(tables: Tables, files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  const parquetFiles = files.filter((file) => file.endsWith('.parquet'));
  for (const group of await bySchema(tables, parquetFiles)) {
    const row = await tables.row<{ rows: string; lower: string; upper: string }>(
      `SELECT count(*)::VARCHAR AS rows,
              coalesce(sum(md5_number_lower(row)::HUGEINT), 0)::VARCHAR AS lower,
              coalesce(sum(md5_number_upper(row)::HUGEINT), 0)::VARCHAR AS upper
       FROM (SELECT to_json(t)::VARCHAR AS row FROM ${parquet(group.files)} t)`,
    );
    parts.push(`${group.schema}|${row.rows}|${row.lower}|${row.upper}`);
  }
  for (const file of files) if (!file.endsWith('.parquet')) parts.push(`file|${await sha256File(file)}`);
  return sha256(parts.sort().join('\n'));
}

/** A table may hold files of several schemas (`clusters/`): each schema is hashed on its own. */
async function bySchema(tables: Tables, files: readonly string[]): Promise<{ schema: string; files: string[] }[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const columns = await tables.describe(`SELECT * FROM ${parquet([file])}`);
    const schema = columns.map((column) => `${column.name} ${column.type}`).join(', ');
    groups.set(schema, [...(groups.get(schema) ?? []), file]);
  }
  return [...groups].map(([schema, each]) => ({ schema, files: each }));
}
