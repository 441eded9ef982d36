import { sha256, sha256File } from './fingerprint.js';
import { type Leaf, rowTextSql, schemaOf } from './row-sum.js';
import type { FileSum, Sum } from './sums.js';
import { identifier, parquet, type Tables } from './tables.js';

/**
 * A hash of what a table says, whatever its files and the order of its rows. Parquet: row count and the sums of both
 * halves of every row's MD5: equal multisets of rows give equal hashes, and an accidental difference shows; files are
 * guarded against intent by their SHA-256 in the manifest. Other files count by their bytes. `known`: what whoever wrote a
 * file says of it, which stands for reading it.
 */
export async function contentHash(
  tables: Tables,
  files: readonly string[],
  known: (file: string) => FileSum | null = () => null,
): Promise<string> {
  const sums: Sum[] = [];
  const unknown: string[] = [];
  const parts: string[] = [];
  for (const file of files) {
    const sum = known(file);
    if (!file.endsWith('.parquet')) parts.push(`file|${sum?.sha256 ?? (await sha256File(file))}`);
    else if (sum === null) unknown.push(file);
    else sums.push(sum);
  }
  sums.push(...(await sumsOf(tables, unknown)));
  for (const schema of new Set(sums.map((sum) => sum.schema))) {
    const own = sums.filter((sum) => sum.schema === schema);
    const rows = own.reduce((total, sum) => total + sum.rows, 0);
    const lower = own.reduce((total, sum) => total + BigInt(sum.lower), 0n);
    const upper = own.reduce((total, sum) => total + BigInt(sum.upper), 0n);
    parts.push(`${schema}|${rows}|${lower}|${upper}`);
  }
  return sha256(parts.sort().join('\n'));
}

// ---------------------------------------------------------------------------------------------------------------------

/** A table may hold files of several schemas (`clusters/`): each schema is added up on its own. */
async function sumsOf(tables: Tables, files: readonly string[]): Promise<Sum[]> {
  const groups = new Map<string, { leaves: Leaf[]; files: string[] }>();
  for (const file of files) {
    const leaves = await leavesOf(tables, `SELECT * FROM ${parquet([file])}`, []);
    const group = groups.get(schemaOf(leaves)) ?? { leaves, files: [] };
    group.files.push(file);
    groups.set(schemaOf(leaves), group);
  }
  const sums: Sum[] = [];
  for (const [schema, group] of groups) {
    const row = await tables.row<Omit<Sum, 'schema'>>(
      `SELECT count(*) AS rows,
              coalesce(sum((row & 18446744073709551615::UHUGEINT)::HUGEINT), 0)::VARCHAR AS lower,
              coalesce(sum((row >> 64)::HUGEINT), 0)::VARCHAR AS upper
       FROM (SELECT md5_number(${rowTextSql(group.leaves)}) AS row FROM ${parquet(group.files)})`,
    );
    sums.push({ schema, ...row });
  }
  return sums;
}

/** The columns of a query, of a struct its members. */
async function leavesOf(tables: Tables, sql: string, outer: readonly string[]): Promise<Leaf[]> {
  const leaves: Leaf[] = [];
  for (const { name, type } of await tables.describe(sql)) {
    const path = [...outer, name];
    if (type.startsWith('STRUCT(') && type.endsWith(')')) {
      leaves.push(...(await leavesOf(tables, `SELECT unnest(${identifier(name)}) FROM (${sql})`, path)));
    } else leaves.push({ path, type });
  }
  return leaves;
}
