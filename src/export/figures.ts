import type { StageContext } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';
import { parquet, type Tables } from '../store/tables.js';
import { type Account, takeAccount } from './account.js';
import type { Judge } from './judged.js';

/**
 * Everything that the page counts and that is no picture or sample. The stage's report holds the same, so
 * `curate status RUN --json` and the page cannot say different numbers.
 */
export interface Figures extends Account {
  /** Words of reasoning and answers of the kept rows. */
  words: number;
  /** Kept rows without finished reasoning or without an answer. */
  incomplete: number;
  /** Rows by source and the reason under which they left; those that were kept are not in it. */
  left: { source: string; reason: string; stage: Judge['stage']; rows: number }[];
  /** Rows with a hit, kept or not, by benchmark and method. */
  leaks: { benchmark: string; method: string; rows: number; items: number }[];
  /** Of the kept rows, counted as the limits count; null where none was kept. */
  measures: Record<Measure, Quantiles>;
  /** null where nothing was clustered. */
  clusters: ClusterFigures | null;
}

export type Quantiles = { median: number; most95: number; longest: number } | null;

export interface ClusterFigures {
  clusters: number;
  /** Distinct prompts that were clustered. */
  prompts: number;
  median: number;
  largest: number;
  /** Clusters with a row that the rule `domain` passes. */
  kept: number;
  uncertain: number;
}

/** A cluster with its label, as the page draws it. */
export interface Cluster {
  cluster_id: number;
  size: number;
  label: string | null;
  agreement: number | null;
  uncertain: boolean;
  kept: boolean;
  [column: string]: string | number | boolean | null;
}

/** Columns of the table `judged` that have a limit. */
export const measureNames = ['question_words', 'trace_words', 'wait_count'] as const;
export type Measure = (typeof measureNames)[number];

/** Counts what the table `judged` and the tables beside it hold. `clusters` are those of `readClusters`. */
export async function takeFigures(
  tables: Tables,
  context: StageContext,
  judges: Judge[],
  clusters: readonly Cluster[],
): Promise<Figures> {
  const kept = await tables.row<{ words: number; incomplete: number }>(
    `SELECT coalesce(sum(trace_words), 0)::BIGINT AS words, count(*) FILTER (NOT complete) AS incomplete
     FROM judged WHERE reason IS NULL`,
  );
  const left = await tables.rows<Figures['left'][number]>(
    `SELECT coalesce(source, '') AS source, reason, stage, count(*) AS rows
     FROM judged WHERE reason IS NOT NULL GROUP BY ALL ORDER BY ALL`,
  );
  const measures: Record<string, Quantiles> = {};
  for (const name of measureNames) measures[name] = await quantiles(tables, name);
  return {
    ...(await takeAccount(tables, context.run, judges)),
    ...kept,
    left,
    leaks: await countLeaks(tables, context),
    measures: measures as Figures['measures'],
    clusters: clusters.length === 0 ? null : clusterFigures(clusters),
  };
}

const noLabels = `SELECT NULL::INTEGER AS cluster_id, NULL::VARCHAR AS label, NULL::DOUBLE AS agreement,
  NULL::BOOLEAN AS uncertain WHERE false`;

/** Every cluster, by its number; none where nothing was clustered. */
export async function readClusters(
  tables: Tables,
  context: StageContext,
  judges: readonly Judge[],
): Promise<Cluster[]> {
  const { run } = context;
  const assignments = run.files('clusters', 'assignments.parquet');
  if (context.options.cluster === undefined || assignments.length === 0) return [];
  const labels = context.options.classify === undefined ? [] : run.files('labels', 'labels.parquet');
  const passes = judges.some((judge) => judge.column === 'filter.domain') ? '"filter.domain"' : 'true';
  return tables.rows<Cluster>(`
    WITH sizes AS (SELECT cluster_id, count(*) AS size FROM ${parquet(assignments)} GROUP BY ALL),
    fates AS (SELECT cluster_id, bool_or(${passes}) AS kept FROM judged WHERE cluster_id IS NOT NULL GROUP BY ALL),
    labels AS (${labels.length === 0 ? noLabels : `SELECT cluster_id, label, agreement, uncertain FROM ${parquet(labels)}`})
    SELECT cluster_id, size, label, agreement, coalesce(uncertain, false) AS uncertain, coalesce(kept, false) AS kept
    FROM sizes LEFT JOIN fates USING (cluster_id) LEFT JOIN labels USING (cluster_id) ORDER BY cluster_id`);
}

/** As the stage's report, the lock and `status --json` hold them. */
export function figuresAsJson(figures: Figures): { [name: string]: Json } {
  return JSON.parse(JSON.stringify(figures)) as { [name: string]: Json };
}

// ---------------------------------------------------------------------------------------------------------------------

/** The first value that so many of the kept rows do not exceed, as a person would count them off. */
async function quantiles(tables: Tables, measure: Measure): Promise<Quantiles> {
  const at = (share: number) => `quantile_disc(${measure}, ${share})`;
  const found = await tables.row<{ median: number | null; most95: number | null; longest: number | null }>(
    `SELECT ${at(0.5)} AS median, ${at(0.95)} AS most95, max(${measure}) AS longest FROM judged WHERE reason IS NULL`,
  );
  const { median, most95, longest } = found;
  return median === null || most95 === null || longest === null ? null : { median, most95, longest };
}

/** Hits of `hits/` on prompts, joined to the rows that carry them, and those on a row's own reasoning or answer. */
async function countLeaks(tables: Tables, context: StageContext): Promise<Figures['leaks']> {
  const files = context.options.decontam === undefined ? [] : context.run.files('hits');
  if (files.length === 0) return [];
  const from = parquet(files);
  return tables.rows<Figures['leaks'][number]>(
    `SELECT benchmark, method, count(DISTINCT id) AS rows, count(DISTINCT item) AS items
     FROM (
       SELECT j.id, benchmark, method, item FROM ${from} h JOIN judged j USING (prompt_key) WHERE h.id IS NULL
       UNION ALL SELECT h.id, benchmark, method, item FROM ${from} h WHERE h.id IS NOT NULL
     )
     GROUP BY ALL ORDER BY ALL`,
  );
}

function clusterFigures(clusters: readonly Cluster[]): ClusterFigures {
  const sizes = clusters.map((each) => each.size).sort((a, b) => a - b);
  return {
    clusters: sizes.length,
    prompts: sizes.reduce((sum, size) => sum + size, 0),
    median: sizes[Math.floor(sizes.length / 2)] ?? 0,
    largest: sizes[sizes.length - 1] ?? 0,
    kept: clusters.filter((each) => each.kept).length,
    uncertain: clusters.filter((each) => each.uncertain).length,
  };
}
