import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256File } from '../store/fingerprint.js';
import type { RunFolder, TableName } from '../store/folder.js';
import { literal, parquet, type Row, type Tables } from '../store/tables.js';
import { VectorFile } from '../store/vectors.js';

/** The first place at which a table of two runs differs. */
export interface FirstDifference {
  file: string;
  /** From 0; null where the file as a whole is in one run only. */
  row: number | null;
  /** What names the row: its id, prompt key or cluster. */
  key: string | null;
  /** `column  one → other`, at most a few, shortened. */
  differences: string[];
}

/** Where a table of `b` first differs from that of `a`: null where every file holds the same rows. */
export async function firstDifference(
  tables: Tables,
  a: RunFolder,
  b: RunFolder,
  table: TableName,
): Promise<FirstDifference | null> {
  const names = [...new Set([...filesOf(a, table), ...filesOf(b, table)])].sort();
  for (const name of names) {
    const [one, other] = [join(a.path, name), join(b.path, name)];
    if (!existsSync(one) || !existsSync(other)) {
      const only = existsSync(one) ? 'only the run has this file' : 'only the rerun has this file';
      return { file: name, row: null, key: null, differences: [only] };
    }
    if ((await sha256File(one)) === (await sha256File(other))) continue;
    const found = name.endsWith('.parquet')
      ? await inParquet(tables, name, one, other)
      : name.endsWith('.arrow')
        ? inVectors(name, one, other)
        : inLines(name, one, other);
    if (found !== null) return found;
  }
  return null;
}

export interface VectorAgreement {
  vectors: number;
  /** The smallest cosine of a vector and its counterpart. */
  leastCosine: number;
}

/** How near two sets of vectors are, by key; null where they do not have the same keys in the same order. */
export function compareVectors(a: RunFolder, b: RunFolder): VectorAgreement | null {
  const [left, right] = [a.files('vectors', '.arrow'), b.files('vectors', '.arrow')];
  if (left.length !== right.length) return null;
  let vectors = 0;
  let leastCosine = 1;
  for (const [index, path] of left.entries()) {
    const [one, other] = [new VectorFile(path), new VectorFile(right[index] ?? path)];
    try {
      if (one.rowCount !== other.rowCount || one.dimensions !== other.dimensions) return null;
      const keys = [...one.keys()].flat();
      if ([...other.keys()].flat().some((key, at) => key !== keys[at])) return null;
      const size = one.dimensions;
      for (let start = 0; start < one.rowCount; start += 4096) {
        const end = Math.min(one.rowCount, start + 4096);
        const [x, y] = [new Float32Array((end - start) * size), new Float32Array((end - start) * size)];
        one.read(start, end, x);
        other.read(start, end, y);
        for (let row = 0; row < end - start; row += 1)
          leastCosine = Math.min(leastCosine, cosine(x, y, row * size, size));
      }
      vectors += one.rowCount;
    } finally {
      one.close();
      other.close();
    }
  }
  return { vectors, leastCosine };
}

// ---------------------------------------------------------------------------------------------------------------------

function filesOf(run: RunFolder, table: TableName): string[] {
  const path = run.table(table);
  if (!existsSync(path)) return [];
  if (table.includes('.')) return [table];
  const files = readdirSync(path).filter((file) => table !== 'dataset' || file.endsWith('.parquet'));
  return files.map((file) => `${table}/${basename(file)}`);
}

async function inParquet(tables: Tables, name: string, one: string, other: string): Promise<FirstDifference | null> {
  const columns = async (path: string) =>
    (await tables.describe(`SELECT * FROM ${parquet([path])}`)).map((each) => `${each.name} ${each.type}`).join(', ');
  const [left, right] = [await columns(one), await columns(other)];
  if (left !== right) return { file: name, row: null, key: null, differences: [`columns  ${left} → ${right}`] };
  const hashes = (path: string) =>
    `(SELECT file_row_number AS row, md5(to_json(t)::VARCHAR) AS hash FROM ${parquet([path], 'file_row_number = true')} t)`;
  const [first] = await tables.rows<{ row: number | null }>(
    `SELECT min(coalesce(x.row, y.row)) AS row FROM ${hashes(one)} x FULL JOIN ${hashes(other)} y ON x.row = y.row
     WHERE x.hash IS DISTINCT FROM y.hash`,
  );
  const row = first?.row ?? null;
  if (row === null) return null;
  const read = async (path: string): Promise<Row | undefined> =>
    (
      await tables.rows(
        `SELECT * EXCLUDE (file_row_number) FROM ${parquet([path], 'file_row_number = true')} WHERE file_row_number = ${row}`,
      )
    )[0];
  const [a, b] = [await read(one), await read(other)];
  const key = keyOf(a ?? b);
  if (a === undefined || b === undefined) {
    return {
      file: name,
      row,
      key,
      differences: [a === undefined ? 'only the rerun has this row' : 'only the run has this row'],
    };
  }
  const differences = Object.keys(a)
    .filter((column) => JSON.stringify(a[column]) !== JSON.stringify(b[column]))
    .map((column) => `${column}  ${show(a[column])} → ${show(b[column])}`);
  return { file: name, row, key, differences: differences.slice(0, 5) };
}

function inVectors(name: string, one: string, other: string): FirstDifference | null {
  const [a, b] = [new VectorFile(one), new VectorFile(other)];
  try {
    if (a.rowCount !== b.rowCount || a.dimensions !== b.dimensions) {
      return { file: name, row: null, key: null, differences: [`vectors  ${a.rowCount} → ${b.rowCount}`] };
    }
    const [left, right] = [[...a.keys()].flat(), [...b.keys()].flat()];
    const [x, y] = [new Float32Array(a.dimensions), new Float32Array(a.dimensions)];
    for (let row = 0; row < a.rowCount; row += 1) {
      a.read(row, row + 1, x);
      b.read(row, row + 1, y);
      const key = left[row] ?? null;
      if (key !== (right[row] ?? null))
        return { file: name, row, key, differences: [`key  ${show(key)} → ${show(right[row])}`] };
      const at = x.findIndex((value, index) => !Object.is(value, y[index]));
      if (at === -1) continue;
      const differences = [`number ${at}  ${x[at]} → ${y[at]}`, `cosine  ${cosine(x, y, 0, a.dimensions)}`];
      return { file: name, row, key, differences };
    }
    return null;
  } finally {
    a.close();
    b.close();
  }
}

function inLines(name: string, one: string, other: string): FirstDifference {
  const [a, b] = [readFileSync(one, 'utf8').split('\n'), readFileSync(other, 'utf8').split('\n')];
  const row = a.findIndex((line, index) => line !== b[index]);
  const at = row === -1 ? a.length : row;
  return { file: name, row: at, key: null, differences: [`line  ${show(a[at])} → ${show(b[at])}`] };
}

function keyOf(row: Row | undefined): string | null {
  for (const column of ['id', 'prompt_key', 'cluster_id']) {
    const value = row?.[column];
    if (value !== null && value !== undefined) return `${column} ${String(value)}`;
  }
  return null;
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** In double precision, whatever the vectors' length. */
function cosine(x: Float32Array, y: Float32Array, start: number, size: number): number {
  let [product, left, right] = [0, 0, 0];
  for (let index = start; index < start + size; index += 1) {
    const [a, b] = [x[index] ?? 0, y[index] ?? 0];
    product += a * b;
    left += a * a;
    right += b * b;
  }
  return left === 0 && right === 0 ? 1 : product / Math.sqrt(left * right);
}

/** SQL: how many prompts two tables of assignments put into the same cluster, of all that either has. */
export async function compareAssignments(
  tables: Tables,
  a: RunFolder,
  b: RunFolder,
): Promise<{ prompts: number; equal: number }> {
  const table = (run: RunFolder) => `read_parquet(${literal(run.file('clusters', 'assignments.parquet'))})`;
  return tables.row<{ prompts: number; equal: number }>(
    `SELECT count(*) AS prompts, count(*) FILTER (x.cluster_id = y.cluster_id) AS equal
     FROM ${table(a)} x FULL JOIN ${table(b)} y ON x.prompt_key = y.prompt_key`,
  );
}
