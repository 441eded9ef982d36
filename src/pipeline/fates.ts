import { availableParallelism } from 'node:os';
import { Problem } from '../problem.js';
import { RunFolder } from '../store/folder.js';
import { identifier, literal, parquet, type Tables, Tables as TablesClass } from '../store/tables.js';
import type { Pipeline } from './config.js';
import type { StageName } from './stage.js';
import { pipelineOf, readStageState } from './state.js';

/** A run folder that is asked, never changed: what DuckDB spills lies in a folder of its own. */
export interface AskedRun {
  run: RunFolder;
  pipeline: Pipeline;
  /** The stage is finished: its tables may be believed. */
  has(stage: StageName): boolean;
}

/** A rule of the filter or a method of decontamination, as the verdict tables know it. */
export interface Judgement {
  stage: 'filter' | 'decontam';
  rule: string;
  reason: string;
}

/** Opens a run folder for a question. Throws a Problem where it is none or has no rows yet. */
export function askRun(folder: string): AskedRun {
  const run = new RunFolder(folder);
  const pipeline = pipelineOf(run);
  const has = (stage: StageName) => pipeline.stages[stage] !== undefined && readStageState(run, stage) !== null;
  if (!has('ingest') || run.files('rows').length === 0) {
    throw new Problem('this run has no rows yet', {
      where: run.path,
      found: has('ingest') ? 'every row was quarantined' : 'ingest has not finished',
      try: has('ingest') ? `curate status ${run.path}` : `curate run ${pipeline.file}`,
    });
  }
  return { run, pipeline, has };
}

/** A DuckDB instance for questions over narrow tables. */
export async function withTables<T>(use: (tables: Tables) => Promise<T>): Promise<T> {
  const tables = await TablesClass.open({ threads: availableParallelism(), memoryMegabytes: 1024 });
  try {
    return await use(tables);
  } finally {
    tables.close();
  }
}

/**
 * A query with one line per row: `id, source, file, row, prompt_key` and its `reason` (null: kept), in no order. From the
 * filter's verdicts where there are any, so that the files of `rows/` stay closed.
 */
export function fatesQuery(asked: AskedRun, extraColumns: readonly string[] = []): string {
  const extra = extraColumns.map((column) => `, b.${identifier(column)}`).join('');
  const failed = asked.has('filter') ? 'b.first_failed' : 'NULL::VARCHAR';
  const reason = asked.has('decontam') ? `coalesce(${failed}, d.first_failed)` : failed;
  return `SELECT b.id, b.source, b.file, b.row, b.prompt_key, ${reason} AS reason${extra}
    FROM ${baseRelation(asked)} b${decontamJoin(asked)}`;
}

/** The rows as the cheapest table that knows them all. */
export function baseRelation({ run, has }: AskedRun): string {
  if (has('filter')) return parquet(run.files('verdicts/filter'));
  return `(SELECT id, source, parse_filename(filename) AS file, file_row_number AS row, prompt_key
    FROM ${parquet(run.files('rows'), 'file_row_number = true, filename = true')})`;
}

/** Only the rows that some method flagged: few, so that the join's table stays small. */
export function decontamJoin({ run, has }: AskedRun): string {
  const files = run.files('verdicts/decontam');
  if (!has('decontam')) return '';
  return ` LEFT JOIN (SELECT id, first_failed FROM ${parquet(files)} WHERE first_failed IS NOT NULL) d ON d.id = b.id`;
}

/** Rules and methods that judged the rows, by the BOOLEAN columns of the verdict tables, in the order of their columns. */
export async function judgements(tables: Tables, asked: AskedRun): Promise<Judgement[]> {
  const found: Judgement[] = [];
  for (const stage of ['filter', 'decontam'] as const) {
    const [first] = asked.run.files(`verdicts/${stage}`);
    if (!asked.has(stage) || first === undefined) continue;
    for (const { name, type } of await tables.describe(`SELECT * FROM ${parquet([first])}`)) {
      if (type !== 'BOOLEAN') continue;
      found.push({ stage, rule: name, reason: stage === 'filter' && name === 'complete' ? 'incomplete' : name });
    }
  }
  return found;
}

/** `ORDER BY` this for a sample that is the same every time and on every machine. */
export function seededOrder(seed: number): string {
  return `md5(${literal(`${seed} `)} || id), id`;
}

/** A row's place in `rows/`. */
export interface Place {
  file: string;
  row: number;
}

/** Columns of the given rows, read from the files in which they lie; by `placeKey`. */
export async function readRows<T extends Record<string, unknown>>(
  tables: Tables,
  run: RunFolder,
  places: readonly Place[],
  columns: readonly string[],
): Promise<Map<string, T>> {
  const byFile = new Map<string, number[]>();
  for (const { file, row } of places) byFile.set(file, [...(byFile.get(file) ?? []), row]);
  const found = new Map<string, T>();
  for (const [file, rows] of byFile) {
    const path = run.file('rows', file);
    const select = `SELECT file_row_number, ${columns.join(', ')} FROM ${parquet([path], 'file_row_number = true')}
      WHERE file_row_number IN (${rows.join(', ')})`;
    for (const row of await tables.rows(select)) {
      found.set(placeKey({ file, row: Number(row.file_row_number) }), row as unknown as T);
    }
  }
  return found;
}

export function placeKey({ file, row }: Place): string {
  return `${file} ${row}`;
}
