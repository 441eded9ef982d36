import { parquet, type Tables } from '../store/tables.js';
import { nearestRank } from './percentile.js';
import type { BoundRule } from './rule.js';

/** Rows that have a trace at all: a question without one says "Wait" zero times and would pull every percentile down. */
const hasTrace = 'coalesce(reasoning_words, 0) + coalesce(answer_words, 0) > 0';

/**
 * The number in force of every rule with a limit: as written, or the exact percentile of the rule's values over all rows
 * of the run that have a trace, complete or not. Null where a percentile has no values: everything passes.
 */
export async function limitsInForce(
  tables: Tables,
  rules: readonly BoundRule[],
  rowFiles: readonly string[],
): Promise<Record<string, number | null>> {
  const limits: Record<string, number | null> = {};
  for (const rule of rules) {
    if (rule.test.by !== 'limit') continue;
    const { limit } = rule.test;
    if (typeof limit === 'number') limits[rule.key] = limit;
    else if (rule.value.from !== 'rows') throw new Error(`a percentile of ${rule.key} would need text`);
    else {
      const counts = new Map<number, number>();
      const values = await tables.rows<{ value: number; count: number }>(
        `SELECT ${rule.value.sql} AS value, count(*) AS count FROM ${parquet(rowFiles)} WHERE ${hasTrace} GROUP BY ALL`,
      );
      for (const { value, count } of values) counts.set(value, count);
      limits[rule.key] = nearestRank(counts, limit.percentile);
    }
  }
  return limits;
}
