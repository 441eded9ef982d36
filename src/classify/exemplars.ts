import { Problem } from '../problem.js';
import type { RunFolder } from '../store/folder.js';
import { parquet, type Tables } from '../store/tables.js';

/** Prompts and where their text lies. Columns, as there may be millions. */
export interface PromptPlaces {
  keys: string[];
  /** File of `rows/` and row in it. */
  files: string[];
  rows: number[];
}

/** The prompts that may vote, cluster after cluster, the nearest to the centre first. */
export interface Exemplars extends PromptPlaces {
  /** Ids of clusters, ascending. */
  clusters: number[];
  /** Exemplars of the cluster at place `c` are `starts[c]` to `starts[c + 1]`. */
  starts: number[];
}

/**
 * Exemplars of rank 1 to `limit`. Ranks that the exemplars table does not go to are taken from the assignments, by
 * distance, so that `uncertain: {then: more}` has more to ask.
 */
export async function readExemplars(tables: Tables, run: RunFolder, limit: number): Promise<Exemplars> {
  const ranked = await rankedExemplars(tables, run, limit);
  const exemplars: Exemplars = { clusters: [], starts: [], keys: [], files: [], rows: [] };
  const names = new Map<string, string>();
  const select = `SELECT e.cluster_id, e.prompt_key, p.file, p.row FROM (${ranked}) e
    LEFT JOIN ${parquet([run.file('prompts', 'prompts.parquet')])} p ON p.prompt_key = e.prompt_key
    ORDER BY e.cluster_id, e.rank`;
  for await (const rows of tables.stream<{ cluster_id: number; prompt_key: string; file: string | null; row: number }>(
    select,
  )) {
    for (const row of rows) {
      if (row.file === null) throw new Error(`exemplar ${row.prompt_key} has no row in prompts.parquet`);
      if (exemplars.clusters.at(-1) !== row.cluster_id) {
        exemplars.clusters.push(row.cluster_id);
        exemplars.starts.push(exemplars.keys.length);
      }
      const file = names.get(row.file) ?? row.file;
      names.set(file, file);
      exemplars.keys.push(row.prompt_key);
      exemplars.files.push(file);
      exemplars.rows.push(row.row);
    }
  }
  exemplars.starts.push(exemplars.keys.length);
  if (exemplars.keys.length === 0)
    throw new Problem('there is no cluster to label', { where: 'clusters/exemplars.parquet' });
  return exemplars;
}

/** Texts of prompts, given by their places, in the order of the files: each file is read once and nothing is sorted. */
export async function* readTexts(
  tables: Tables,
  run: RunFolder,
  prompts: PromptPlaces,
  places: readonly number[],
): AsyncGenerator<{ place: number; text: string }> {
  const byFile = new Map<string, Map<number, number>>();
  for (const place of places) {
    const file = prompts.files[place] ?? '';
    let rows = byFile.get(file);
    if (rows === undefined) {
      rows = new Map();
      byFile.set(file, rows);
    }
    rows.set(prompts.rows[place] ?? 0, place);
  }
  for (const file of [...byFile.keys()].sort()) {
    const wanted = byFile.get(file) ?? new Map<number, number>();
    let found = 0;
    const numbers = [...wanted.keys()];
    const [first, last] = numbers.reduce(
      ([low, high], row) => [Math.min(low, row), Math.max(high, row)],
      [Number.POSITIVE_INFINITY, -1],
    );
    const select = `SELECT file_row_number::INTEGER AS row, prompt
      FROM ${parquet([run.file('rows', file)], 'file_row_number=true')}
      WHERE file_row_number BETWEEN ${first} AND ${last}`;
    for await (const { columns, rowCount } of tables.streamColumns(select)) {
      for (let each = 0; each < rowCount; each += 1) {
        const place = wanted.get(Number(columns.row?.[each]));
        if (place === undefined) continue;
        found += 1;
        yield { place, text: String(columns.prompt?.[each]) };
      }
    }
    if (found !== wanted.size) throw new Error(`rows/${file} lacks rows that the prompts table names`);
  }
}

/** Prompts of each cluster, by id. */
export async function clusterSizes(tables: Tables, run: RunFolder): Promise<Map<number, number>> {
  const rows = await tables.rows<{ cluster_id: number; prompts: number }>(
    `SELECT cluster_id, count(*)::INTEGER AS prompts FROM ${assignments(run)} GROUP BY 1 ORDER BY 1`,
  );
  return new Map(rows.map((row) => [row.cluster_id, row.prompts]));
}

// ---------------------------------------------------------------------------------------------------------------------

async function rankedExemplars(tables: Tables, run: RunFolder, limit: number): Promise<string> {
  const exemplars = parquet([run.file('clusters', 'exemplars.parquet')]);
  const nearest = `SELECT cluster_id, rank, prompt_key FROM ${exemplars} WHERE rank <= ${limit}`;
  const { deepest } = await tables.row<{ deepest: number }>(
    `SELECT coalesce(max(rank), 0)::INTEGER AS deepest FROM ${exemplars}`,
  );
  if (deepest >= limit) return nearest;
  return `${nearest} UNION ALL SELECT * FROM (
    SELECT cluster_id, (known + row_number() OVER (PARTITION BY cluster_id ORDER BY distance, prompt_key))::INTEGER AS rank, prompt_key
    FROM (
      SELECT a.cluster_id, a.distance, a.prompt_key, coalesce(c.known, 0) AS known
      FROM ${assignments(run)} a
      LEFT JOIN (SELECT cluster_id, count(*) AS known FROM ${exemplars} GROUP BY 1) c ON c.cluster_id = a.cluster_id
      ANTI JOIN ${exemplars} e ON e.prompt_key = a.prompt_key
    )
  ) WHERE rank <= ${limit}`;
}

function assignments(run: RunFolder): string {
  return parquet([run.file('clusters', 'assignments.parquet')]);
}
