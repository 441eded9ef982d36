import { Problem } from '../problem.js';
import type { RunFolder, TableName } from '../store/folder.js';
import { identifier, literal, parquet, type Tables } from '../store/tables.js';
import type { Shape } from './shape.js';

/** A rule of the filter or a method of decontamination: a BOOLEAN column of the table `judged`. */
export interface Judge {
  stage: 'filter' | 'decontam';
  /** The YAML key or the method. */
  rule: string;
  /** What `first_failed` says for it. */
  reason: string;
  /** Its column in `judged`. */
  column: string;
}

/**
 * Makes the table `judged`: a narrow line for every row of `rows/` with its place, measures, cluster and fate
 * (`reason` null: kept). Refuses when a stage of the pipeline has left a row unjudged, so nothing slips into the dataset
 * because a table was lost. Returns the rules in the order in which reasons are tried.
 */
export async function createJudged(tables: Tables, run: RunFolder, shape: Shape): Promise<Judge[]> {
  const rowFiles = run.files('rows');
  const judges: Judge[] = [];
  const present: Judge['stage'][] = [];
  const joins: string[] = [];
  const columns: string[] = [];
  for (const stage of ['filter', 'decontam'] as const) {
    if (stage === 'filter' ? !shape.hasFilter : !shape.hasDecontam) continue;
    const files = run.files(`verdicts/${stage}`);
    if (files.length === 0) {
      if (rowFiles.length > 0) throw unjudged(stage, ['no verdicts at all']);
      continue;
    }
    present.push(stage);
    const rules = (await tables.describe(`SELECT * FROM ${parquet(files)}`))
      .filter((column) => column.type === 'BOOLEAN')
      .map((column) => column.name);
    for (const rule of rules) {
      const judge: Judge = { stage, rule, reason: reasonOf(stage, rule), column: `${stage}.${rule}` };
      judges.push(judge);
      columns.push(`${stage}.${identifier(rule)} AS ${identifier(judge.column)}`);
    }
    columns.push(`${stage}.first_failed AS ${stage}_failed`, `${stage}.id IS NOT NULL AS ${stage}_judged`);
    joins.push(`LEFT JOIN ${parquet(files)} ${stage} ON ${stage}.id = r.id`);
  }
  await createClusters(tables, run, shape);
  const reasons = present.map((stage) => `${stage}_failed`);
  const stages = present.map((stage) => `WHEN ${stage}_failed IS NOT NULL THEN '${stage}'`);
  const failures = judges.map((judge) => `(${identifier(judge.column)} IS FALSE)::INTEGER`);
  await tables.run(`CREATE TABLE judged AS SELECT *, coalesce(${[...reasons, 'NULL::VARCHAR'].join(', ')}) AS reason,
      ${stages.length === 0 ? 'NULL::VARCHAR' : `CASE ${stages.join(' ')} END`} AS stage,
      ${failures.length === 0 ? '0' : failures.join(' + ')} AS failures
    FROM (
      SELECT r.*, c.cluster_id, c.domain, ${columns.map((column) => `${column}, `).join('')} 1 AS one
      FROM (${narrowRows(rowFiles, shape)}) r ${joins.join(' ')}
      LEFT JOIN clusters_of_prompts c ON c.prompt_key = CASE WHEN r.embedded THEN r.prompt_key END
    )`);
  await refuseUnjudged(tables, run, present);
  return judges;
}

/** The rows of a clustered group carry the cluster of their prompt; `domain` is null where no stage named it. */
export async function createClusters(tables: Tables, run: RunFolder, shape: Shape, only?: string): Promise<void> {
  const assignments = run.files('clusters', 'assignments.parquet');
  const labels = run.files('labels', 'labels.parquet');
  const label = shape.hasLabels && labels.length > 0;
  const select =
    shape.hasClusters && assignments.length > 0
      ? `SELECT a.prompt_key, a.cluster_id, ${label ? 'l.label' : 'NULL::VARCHAR'} AS domain FROM ${parquet(assignments)} a
         ${label ? `LEFT JOIN ${parquet(labels)} l ON l.cluster_id = a.cluster_id` : ''}
         ${only === undefined ? '' : `WHERE a.prompt_key IN (${only})`}`
      : 'SELECT NULL::VARCHAR AS prompt_key, NULL::INTEGER AS cluster_id, NULL::VARCHAR AS domain WHERE false';
  await tables.run(`CREATE TABLE clusters_of_prompts AS ${select}`);
}

/** SQL: whether a row of `rows/` belongs to a group that was embedded. */
export function embedded(shape: Shape): string {
  if (!shape.hasClusters) return 'false';
  if (shape.embeddedGroups === null) return 'true';
  if (shape.embeddedGroups.length === 0) return 'false';
  return `coalesce("group" IN (${shape.embeddedGroups.map(literal).join(', ')}), false)`;
}

// ---------------------------------------------------------------------------------------------------------------------

function narrowRows(files: string[], shape: Shape): string {
  const source =
    files.length === 0
      ? `(SELECT NULL::VARCHAR AS filename, NULL::BIGINT AS file_row_number, NULL::VARCHAR AS id, NULL::VARCHAR AS source,
          NULL::VARCHAR AS "group", NULL::VARCHAR AS prompt_key, NULL::VARCHAR AS language, NULL::VARCHAR AS license,
          NULL::VARCHAR AS model, NULL::BOOLEAN AS complete, 0 AS prompt_words, 0 AS prompt_words_segmented,
          0 AS reasoning_words, 0 AS reasoning_words_segmented, 0 AS answer_words, 0 AS answer_words_segmented,
          0 AS reasoning_waits, 0 AS answer_waits WHERE false)`
      : parquet(files, 'filename=true, file_row_number=true');
  return `SELECT parse_filename(filename) AS file, file_row_number AS position, id, source, "group", prompt_key, language,
      license, model, coalesce(complete, false) AS complete, ${embedded(shape)} AS embedded,
      ${shape.questionWords} AS question_words, ${shape.traceWords} AS trace_words, ${shape.waitCount} AS wait_count
    FROM ${source}`;
}

/** A reason says what is wrong with the row, so the rule `complete` fails as `incomplete`. */
function reasonOf(stage: Judge['stage'], rule: string): string {
  return stage === 'filter' && rule === 'complete' ? 'incomplete' : rule;
}

async function refuseUnjudged(tables: Tables, run: RunFolder, stages: Judge['stage'][]): Promise<void> {
  for (const stage of stages) {
    const missing = await tables.rows<{ id: string }>(
      `SELECT id FROM judged WHERE NOT ${stage}_judged ORDER BY file, position LIMIT 5`,
    );
    if (missing.length > 0) {
      const { count } = await tables.row<{ count: number }>(
        `SELECT count(*) AS count FROM judged WHERE NOT ${stage}_judged`,
      );
      const names = missing.map((row) => row.id);
      throw unjudged(stage, count > names.length ? [...names, `and ${count - names.length} more`] : names);
    }
    const name: TableName = `verdicts/${stage}`;
    const { verdicts } = await tables.row<{ verdicts: number }>(
      `SELECT count(*) AS verdicts FROM ${parquet(run.files(name))}`,
    );
    const { rows } = await tables.row<{ rows: number }>('SELECT count(*) AS rows FROM judged');
    if (verdicts !== rows) {
      throw new Problem(`${name} does not fit rows/: a row has two verdicts, or a verdict has no row`, {
        where: `${name}/`,
        found: `${verdicts} verdicts for ${rows} rows`,
        try: `the same run with --force ${stage}`,
      });
    }
  }
}

function unjudged(stage: string, items: string[]): Problem {
  return new Problem(`export refuses rows that the stage ${stage} has not judged`, {
    where: `verdicts/${stage}/`,
    items,
    try: `the same run with --force ${stage}`,
  });
}
