import type { PlainKind } from '../store/plain-columns.js';
import type { Text } from '../text/utf8-text.js';

/** One row of `rows/`, as docs/tables.md has it. */
export interface CanonicalRow {
  id: string;
  source: string;
  group: string;
  /** File of the source, by a name free of machine paths, and the row in it, from 0. */
  origin: { file: string; row: number };
  prompt: Text;
  reasoning: Text | null;
  answer: Text | null;
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

/** Columns of `rows/` in order. */
export const rowKinds: Record<keyof CanonicalRow, PlainKind | Record<string, PlainKind>> = {
  id: 'text',
  source: 'text',
  group: 'text',
  origin: { file: 'text', row: 'int64' },
  prompt: 'text',
  reasoning: 'text',
  answer: 'text',
  system: 'text',
  turns: 'int32',
  reference_answer: 'text',
  options: 'texts',
  model: 'text',
  language: 'text',
  complete: 'flag',
  finish_reason: 'text',
  prompt_key: 'text',
  prompt_words: 'int32',
  reasoning_words: 'int32',
  answer_words: 'int32',
  prompt_words_segmented: 'int32',
  reasoning_words_segmented: 'int32',
  answer_words_segmented: 'int32',
  reasoning_waits: 'int32',
  answer_waits: 'int32',
  license: 'text',
  metadata: 'text',
};

/** Columns of `quarantine/`. */
export const quarantineKinds: Record<string, PlainKind> = {
  source: 'text',
  file: 'text',
  row: 'int64',
  offset: 'int64',
  reason: 'text',
  excerpt: 'text',
};
