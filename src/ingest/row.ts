import type { DuckDBType } from '@duckdb/node-api';
import { BIGINT, BOOLEAN, INTEGER, LIST, STRUCT, VARCHAR } from '../store/duckdb.js';

/** One row of `rows/`, as docs/tables.md has it. */
export interface CanonicalRow {
  id: string;
  source: string;
  group: string;
  /** File of the source, by a name free of machine paths, and the row in it, from 0. */
  origin: { file: string; row: number };
  prompt: string;
  reasoning: string | null;
  answer: string | null;
  system: string | null;
  turns: number;
  reference_answer: string | null;
  options: string[] | null;
  model: string | null;
  language: string;
  complete: boolean;
  finish_reason: string | null;
  prompt_key: string;
  prompt_words: number;
  reasoning_words: number;
  answer_words: number;
  prompt_words_segmented: number;
  reasoning_words_segmented: number;
  answer_words_segmented: number;
  reasoning_waits: number;
  answer_waits: number;
  license: string | null;
  /** JSON: the source's fields that no canonical column took; `raw` is the text of a trace that could not be split. */
  metadata: string;
}

/** Columns of `rows/` in order, with their DuckDB types. */
export const rowTypes: Record<keyof CanonicalRow, DuckDBType> = {
  id: VARCHAR,
  source: VARCHAR,
  group: VARCHAR,
  origin: STRUCT({ file: VARCHAR, row: BIGINT }),
  prompt: VARCHAR,
  reasoning: VARCHAR,
  answer: VARCHAR,
  system: VARCHAR,
  turns: INTEGER,
  reference_answer: VARCHAR,
  options: LIST(VARCHAR),
  model: VARCHAR,
  language: VARCHAR,
  complete: BOOLEAN,
  finish_reason: VARCHAR,
  prompt_key: VARCHAR,
  prompt_words: INTEGER,
  reasoning_words: INTEGER,
  answer_words: INTEGER,
  prompt_words_segmented: INTEGER,
  reasoning_words_segmented: INTEGER,
  answer_words_segmented: INTEGER,
  reasoning_waits: INTEGER,
  answer_waits: INTEGER,
  license: VARCHAR,
  metadata: VARCHAR,
};

/** Columns of `quarantine/`. */
export const quarantineTypes: Record<string, DuckDBType> = {
  source: VARCHAR,
  file: VARCHAR,
  row: BIGINT,
  offset: BIGINT,
  reason: VARCHAR,
  excerpt: VARCHAR,
};
