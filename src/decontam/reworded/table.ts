import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BOOLEAN, DOUBLE, FLOAT, INTEGER, VARCHAR } from '../../store/duckdb.js';
import type { Item } from '../items.js';
import { featureNames } from './features.js';
import type { Scored } from './finder.js';

/** Below this score a candidate is only a neighbour, and what was measured of it is not kept. */
const keptScore = 1;

/** The columns of candidates after the one that says whose they are (`prompt_key`, or `id` of any file's row). */
export const candidateColumns: Record<string, DuckDBType> = {
  benchmark: VARCHAR,
  item: VARCHAR,
  rank: INTEGER,
  score: DOUBLE,
  /** Whether a better candidate of the same text is another question. */
  beside: BOOLEAN,
  ...Object.fromEntries(featureNames.map((name) => [name, FLOAT])),
};

/** The candidates of one text as rows, by rank. */
export function candidateRows(
  found: readonly Scored[],
  items: readonly Item[],
  twins: Int32Array,
): Record<string, DuckDBValue>[] {
  const best = found.reduce<Scored | null>((top, each) => (top === null || each.score > top.score ? each : top), null);
  return found.map((each) => {
    const item = items[each.item] as Item;
    const values = each.score < keptScore ? [] : each.values;
    return {
      benchmark: item.benchmark,
      item: item.item,
      rank: each.rank,
      score: each.score,
      beside: best !== null && twins[each.item] !== twins[best.item],
      ...Object.fromEntries(featureNames.map((name, index) => [name, values[index] ?? null])),
    };
  });
}
