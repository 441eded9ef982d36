import type { RunFolder } from '../store/folder.js';
import { identifier, literal, parquet, type Tables } from '../store/tables.js';
import type { Allowed } from './allow.js';

/** Files of `rows/` that share a verdict file hold at least this many rows: a fixed rule on the input. */
const rowsPerFile = 65_536;

export interface VerdictCounts {
  /** All rows that were judged. */
  rows: number;
  /** Rows that fail a method, whatever else they fail. */
  failed: Record<string, number>;
  /** Rows that passed the filter, by the first method that they fail. */
  dropped: Record<string, number>;
  /** Hits that a person allowed. */
  allowed: number;
}

/**
 * Writes the verdict of every row, in the order of the rows: a method fails for a row if it hit the row's prompt, or its
 * own reasoning or answer. Only keys and BOOLEANs pass through the joins.
 */
export async function writeVerdicts(
  tables: Tables,
  run: RunFolder,
  methods: readonly string[],
  allowed: readonly Allowed[],
): Promise<VerdictCounts> {
  const allowedHits = await gatherFlags(tables, run, methods, allowed);
  const failing = (name: string) =>
    `(coalesce(p.${identifier(name)}, false) OR coalesce(i.${identifier(name)}, false))`;
  const columns = methods.map((name) => `NOT ${failing(name)} AS ${identifier(name)}`);
  const cases = methods.map((name) => `WHEN ${failing(name)} THEN ${literal(name)}`);
  const first = cases.length === 0 ? 'NULL::VARCHAR' : `CASE ${cases.join(' ')} ELSE NULL END`;
  let index = 0;
  for (const files of await cutFiles(tables, run.files('rows'))) {
    await tables.copy(
      `SELECT r.id, ${[...columns, `${first} AS first_failed`].join(', ')}
       FROM (SELECT id, prompt_key, filename, file_row_number
         FROM ${parquet(files, 'file_row_number=true, filename=true')}) r
       LEFT JOIN prompt_flags p ON p.key = r.prompt_key
       LEFT JOIN row_flags i ON i.key = r.id
       ORDER BY r.filename, r.file_row_number`,
      run.file('verdicts/decontam', `${String(index).padStart(5, '0')}.parquet`),
    );
    index += 1;
  }
  return { ...(await countVerdicts(tables, run, methods)), allowed: allowedHits };
}

// ---------------------------------------------------------------------------------------------------------------------

/** Tables of flagged prompts and rows, a BOOLEAN per method; returns how many hits were allowed. */
async function gatherFlags(
  tables: Tables,
  run: RunFolder,
  methods: readonly string[],
  allowed: readonly Allowed[],
): Promise<number> {
  const files = run.files('hits');
  await tables.run('CREATE TABLE allowed (prompt_key VARCHAR, benchmark VARCHAR, item VARCHAR, method VARCHAR)');
  for (const each of allowed)
    await tables.run(
      `INSERT INTO allowed VALUES (${[each.prompt_key, each.benchmark, each.item].map(literal).join(', ')},
       ${each.method === undefined ? 'NULL' : literal(each.method)})`,
    );
  const hits =
    files.length === 0
      ? `(SELECT NULL::VARCHAR AS prompt_key, NULL::VARCHAR AS id, '' AS field, '' AS method, '' AS benchmark, '' AS item WHERE false)`
      : parquet(files);
  await tables.run(`CREATE VIEW judged_hits AS SELECT h.*, EXISTS (SELECT 1 FROM allowed a
    WHERE a.prompt_key = h.prompt_key AND a.benchmark = h.benchmark AND a.item = h.item
      AND (a.method IS NULL OR a.method = h.method)) AS allowed FROM ${hits} h`);
  for (const [name, key, where] of [
    ['prompt_flags', 'prompt_key', 'id IS NULL'],
    ['row_flags', 'id', 'id IS NOT NULL'],
  ] as const) {
    const flags = methods.map((method) => `bool_or(method = ${literal(method)}) AS ${identifier(method)}`);
    await tables.run(
      `CREATE TABLE ${name} AS SELECT ${[`${key} AS key`, ...flags].join(', ')}
       FROM judged_hits WHERE NOT allowed AND ${where} GROUP BY ${key}`,
    );
  }
  return (await tables.row<{ count: number }>('SELECT count(*) AS count FROM judged_hits WHERE allowed')).count;
}

/** Consecutive files together until they hold enough rows. */
async function cutFiles(tables: Tables, files: readonly string[]): Promise<string[][]> {
  if (files.length === 0) return [];
  const counts = await tables.rows<{ file: string; rows: number }>(
    `SELECT file_name AS file, num_rows AS rows FROM parquet_file_metadata([${files.map(literal).join(', ')}])`,
  );
  const rowsOf = new Map(counts.map(({ file, rows }) => [file, rows]));
  const cut: string[][] = [];
  let held = rowsPerFile;
  for (const file of files) {
    if (held >= rowsPerFile) {
      cut.push([]);
      held = 0;
    }
    cut[cut.length - 1]?.push(file);
    held += rowsOf.get(file) ?? 0;
  }
  return cut;
}

async function countVerdicts(
  tables: Tables,
  run: RunFolder,
  methods: readonly string[],
): Promise<Omit<VerdictCounts, 'allowed'>> {
  const none = Object.fromEntries(methods.map((name) => [name, 0]));
  const files = run.files('verdicts/decontam');
  if (files.length === 0) return { rows: 0, failed: none, dropped: none };
  const failing = methods.map((name) => `count(*) FILTER (NOT ${identifier(name)}) AS ${identifier(name)}`);
  const { rows, ...failed } = await tables.row<Record<string, number>>(
    `SELECT ${['count(*) AS rows', ...failing].join(', ')} FROM ${parquet(files)}`,
  );
  const filtered = run.files('verdicts/filter');
  const passing =
    filtered.length === 0
      ? ''
      : `SEMI JOIN (SELECT id FROM ${parquet(filtered)} WHERE first_failed IS NULL) f ON f.id = d.id`;
  const reasons = await tables.rows<{ reason: string; count: number }>(
    `SELECT reason, count(*) AS count FROM
       (SELECT id, first_failed AS reason FROM ${parquet(files)} WHERE first_failed IS NOT NULL) d ${passing}
     GROUP BY reason`,
  );
  const counts = new Map(reasons.map(({ reason, count }) => [reason, count]));
  const dropped = Object.fromEntries(methods.map((name) => [name, counts.get(name) ?? 0]));
  return { rows: rows ?? 0, failed: failed as Record<string, number>, dropped };
}
