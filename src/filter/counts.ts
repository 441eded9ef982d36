import type { TaskReport } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';
import { identifier, parquet, type Tables } from '../store/tables.js';
import { addHistograms, type Histogram, histogramOf } from './histogram.js';
import { rawColumn } from './judge.js';
import type { FilterOptions } from './registry.js';
import type { BoundRule } from './rule.js';

/** What a task of the filter counted. */
export type FilterTaskReport = TaskReport & {
  rows: number;
  kept: number;
  /** By source, then by the reason under which a row counts; kept rows under `kept`. */
  sources: { [source: string]: { [reason: string]: number } };
  failed: { [rule: string]: number };
  /** Rows that fail this rule and no other. */
  failedOnly: { [rule: string]: number };
  histograms: { [rule: string]: Histogram };
  /** Rows whose prompt passes when unspaced scripts are segmented and fails when they are not. */
  unspacedPrompts: number;
  limits: { [rule: string]: number | null };
};

/** Counts over the table `judged`: reasons by source, failures of each rule, histograms of numeric values. */
export async function countJudged(
  tables: Tables,
  rules: readonly BoundRule[],
  rowFiles: readonly string[],
  options: FilterOptions,
): Promise<Omit<FilterTaskReport, 'files' | 'limits'>> {
  const sources: FilterTaskReport['sources'] = {};
  let rows = 0;
  let kept = 0;
  for (const each of await tables.rows<{ source: string; reason: string; count: number }>(
    `SELECT source, coalesce(first_failed, 'kept') AS reason, count(*) AS count FROM judged GROUP BY ALL ORDER BY ALL`,
  )) {
    sources[each.source] = { ...sources[each.source], [each.reason]: each.count };
    rows += each.count;
    if (each.reason === 'kept') kept += each.count;
  }
  const failures = rules.map((rule) => `(NOT ${identifier(rule.key)})::INTEGER`).join(' + ');
  const failed: Record<string, number> = {};
  const failedOnly: Record<string, number> = {};
  const histograms: Record<string, Histogram> = {};
  for (const rule of rules) {
    const fails = `NOT ${identifier(rule.key)}`;
    const count = await tables.row<{ failed: number; only: number }>(
      `SELECT count(*) FILTER (${fails}) AS failed, count(*) FILTER (${fails} AND ${failures} = 1) AS only FROM judged`,
    );
    failed[rule.key] = count.failed;
    failedOnly[rule.key] = count.only;
    if (rule.test.by !== 'limit' || (rule.type !== 'INTEGER' && rule.type !== 'DOUBLE')) continue;
    const values = await tables.rows<{ value: number; count: number }>(
      `SELECT ${identifier(rawColumn(rule))} AS value, count(*) AS count FROM judged GROUP BY ALL ORDER BY ALL`,
    );
    histograms[rule.key] = histogramOf(
      values.map(({ value, count }) => [value, count]),
      rule.type,
    );
  }
  return {
    rows,
    kept,
    sources,
    failed,
    failedOnly,
    histograms,
    unspacedPrompts: await unspaced(tables, rowFiles, options),
  };
}

/** What the report of the stage says of a rule: how often it failed, alone or not, its limit and its histogram. */
export function ruleFigures(rule: BoundRule, reports: readonly FilterTaskReport[]): { [name: string]: Json } {
  return {
    reason: rule.reason,
    failed: sum(reports.map((report) => report.failed[rule.key] ?? 0)),
    failed_only_this: sum(reports.map((report) => report.failedOnly[rule.key] ?? 0)),
    ...limitFigures(rule, reports),
  };
}

/** Rows by source and reason, over all tasks. */
export function sumBySource(reports: readonly FilterTaskReport[]): FilterTaskReport['sources'] {
  const sources: FilterTaskReport['sources'] = {};
  for (const report of reports) {
    for (const [source, reasons] of Object.entries(report.sources)) {
      const total = { ...sources[source] };
      for (const [reason, count] of Object.entries(reasons)) total[reason] = (total[reason] ?? 0) + count;
      sources[source] = total;
    }
  }
  return sources;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

// ---------------------------------------------------------------------------------------------------------------------

async function unspaced(tables: Tables, rowFiles: readonly string[], options: FilterOptions): Promise<number> {
  const limit = options.prompt_words?.more_than;
  if (limit === undefined) return 0;
  const { count } = await tables.row<{ count: number }>(
    `SELECT count(*) AS count FROM ${parquet(rowFiles)}
     WHERE coalesce(prompt_words, 0) <= ${limit} AND coalesce(prompt_words_segmented, 0) > ${limit}`,
  );
  return count;
}

function limitFigures(rule: BoundRule, reports: readonly FilterTaskReport[]): { [name: string]: Json } {
  if (rule.test.by !== 'limit') return {};
  const { option, limit } = rule.test;
  return {
    [option]: reports[0]?.limits[rule.key] ?? null,
    ...(typeof limit === 'number'
      ? {}
      : { percentile: limit.percentile, method: 'nearest rank over rows with a trace' }),
    histogram: addHistograms(reports.map((report) => report.histograms[rule.key] ?? [])),
  };
}
