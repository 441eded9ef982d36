import { DOUBLE, INTEGER, VARCHAR } from '../store/duckdb.js';

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
