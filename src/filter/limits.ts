import type { Tables } from '../store/tables.js';
import { nearestRank } from './percentile.js';
import type { BoundRule } from './rule.js';

/** Rows that have a trace at all: a question without one says "Wait" zero times and would pull every percentile down. */
const hasTrace = 'coalesce(reasoning_words, 0) + coalesce(answer_words, 0) > 0';

/**
 * The number in force of every rule with a limit: as written, or the exact percentile of the rule's values over all rows
 * of the run that have a trace, complete or not. Null where a percentile has no values: everything passes. `relation` has the
 * narrow columns of `rows`.
 */
export async function limitsInForce(
  tables: Tables,
  rules: readonly BoundRule[],
  relation: string,
): Promise<Record<string, number | null>> {
  const limits: Record<string, number | null> = {};
  for (const rule of rules) {
    if (rule.test.by !== 'limit') continue;
    const { limit } = rule.test;
    if (typeof limit === 'number') limits[rule.key] = limit;
    else if (rule.value.from !== 'rows') throw new Error(`a percentile of ${rule.key} would need text`);
    else limits[rule.key] = await percentileOf(tables, relation, rule.value.sql, hasTrace, limit.percentile);
  }
  return limits;
}

/** The exact percentile of an integer expression over the rows of a relation that fulfil a condition. */
export async function percentileOf(
  tables: Tables,
  relation: string,
  value: string,
  condition: string,
  percentile: number,
): Promise<number | null> {
  const counts = new Map<number, number>();
  for (const row of await tables.rows<{ value: number; count: number }>(
    `SELECT ${value} AS value, count(*) AS count FROM ${relation} WHERE ${condition} GROUP BY ALL`,
  )) {
    counts.set(row.value, row.count);
  }
  return nearestRank(counts, percentile);
}
