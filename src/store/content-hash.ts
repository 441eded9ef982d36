import { sha256, sha256File } from './fingerprint.js';
import { identifier, parquet, type Tables } from './tables.js';

/**
 * A hash of what a table says, whatever its files and the order of its rows. Parquet: row count and the sums of both
 * halves of every row's MD5 (each cell as text behind its length): equal multisets of rows give equal hashes, and an
 * accidental difference shows; files are guarded against intent by their SHA-256 in the manifest. Other files count by
 * their bytes.
 */
export async function contentHash(tables: Tables, files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  const parquetFiles = files.filter((file) => file.endsWith('.parquet'));
  for (const group of await bySchema(tables, parquetFiles)) {
    const row = await tables.row<{ rows: string; lower: string; upper: string }>(
      `SELECT count(*)::VARCHAR AS rows,
              coalesce(sum(md5_number_lower(row)::HUGEINT), 0)::VARCHAR AS lower,
              coalesce(sum(md5_number_upper(row)::HUGEINT), 0)::VARCHAR AS upper
       FROM (SELECT ${rowText(group.columns)} AS row FROM ${parquet(group.files)})`,
    );
    parts.push(`${group.schema}|${row.rows}|${row.lower}|${row.upper}`);
  }
  for (const file of files) if (!file.endsWith('.parquet')) parts.push(`file|${await sha256File(file)}`);
  return sha256(parts.sort().join('\n'));
}

interface Group {
  schema: string;
  columns: string[];
  files: string[];
}

/** A table may hold files of several schemas (`clusters/`): each schema is hashed on its own. */
async function bySchema(tables: Tables, files: readonly string[]): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const file of files) {
    const columns = await tables.describe(`SELECT * FROM ${parquet([file])}`);
    const schema = columns.map((column) => `${column.name} ${column.type}`).join(', ');
    const group = groups.get(schema) ?? { schema, columns: columns.map((column) => column.name), files: [] };
    group.files.push(file);
    groups.set(schema, group);
  }
  return [...groups.values()];
}

/** A row as one text in which no cell can pass for another: JSON would do, and takes three times as long. */
function rowText(columns: readonly string[]): string {
  const cells = columns.map((name) => `${identifier(name)}::VARCHAR`);
  return `concat_ws('|', ${cells.map((cell) => `coalesce(strlen(${cell})::VARCHAR, '-'), coalesce(${cell}, '')`).join(', ')})`;
}
