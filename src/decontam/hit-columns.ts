import { DOUBLE, INTEGER, VARCHAR } from '../store/duckdb.js';
import type { Hit } from './judge.js';

/** The columns of `hits/`: `id` is the row of a hit in reasoning or answer, null for a prompt's. */
export const hitColumns = {
  prompt_key: VARCHAR,
  field: VARCHAR,
  method: VARCHAR,
  benchmark: VARCHAR,
  item: VARCHAR,
  score: DOUBLE,
  span_start: INTEGER,
  span_end: INTEGER,
  span_count: INTEGER,
  text: VARCHAR,
  id: VARCHAR,
};

/** A hit's values in those columns, without where it was found: `prompt_key`, `field` and `id`. */
export function hitValues({ method, benchmark, item, score, start, end, count, text }: Hit) {
  return { method, benchmark, item, score, span_start: start, span_end: end, span_count: count, text };
}
