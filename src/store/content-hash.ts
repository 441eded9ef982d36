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
              coalesce(sum((row & 18446744073709551615::UHUGEINT)::HUGEINT), 0)::VARCHAR AS lower,
              coalesce(sum((row >> 64)::HUGEINT), 0)::VARCHAR AS upper
       FROM (SELECT md5_number(${rowText(group.columns)}) AS row FROM ${parquet(group.files)})`,
    );
    parts.push(`${group.schema}|${row.rows}|${row.lower}|${row.upper}`);
  }
  for (const file of files) if (!file.endsWith('.parquet')) parts.push(`file|${await sha256File(file)}`);
  return sha256(parts.sort().join('\n'));
}

interface Group {
  schema: string;
  columns: { name: string; type: string }[];
  files: string[];
}

/** A table may hold files of several schemas (`clusters/`): each schema is hashed on its own. */
async function bySchema(tables: Tables, files: readonly string[]): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const file of files) {
    const columns = await tables.describe(`SELECT * FROM ${parquet([file])}`);
    const schema = columns.map((column) => `${column.name} ${column.type}`).join(', ');
    const group = groups.get(schema) ?? { schema, columns, files: [] };
    group.files.push(file);
    groups.set(schema, group);
  }
  return [...groups.values()];
}

/** Types of which every value is a word without the mark that parts cells, so that a cell needs no length before it. */
const words = /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE)$/;

/** A row as one text in which no cell can pass for another: JSON would do, and takes three times as long. */
function rowText(columns: Group['columns']): string {
  const cells = columns.map(({ name, type }) => {
    const cell = `${identifier(name)}::VARCHAR`;
    return words.test(type)
      ? `coalesce(${cell}, '-')`
      : `coalesce(strlen(${cell})::VARCHAR, '-'), coalesce(${cell}, '')`;
  });
  return `concat_ws('|', ${cells.join(', ')})`;
}
