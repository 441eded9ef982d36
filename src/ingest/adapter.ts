import { isText, type Text, Utf8Text } from '../text/utf8-text.js';
import type { Trace } from './trace.js';

/** A row as its source has it. */
export type SourceRow = Readonly<Record<string, unknown>>;

/** What an adapter makes of a source's row; the stage adds counts, language, keys and identity. */
export interface Draft {
  /** The source's own id of the row, where it has one that is meant to be unique. */
  nativeId?: string | number | null;
  prompt: Text;
  trace: Trace;
  system?: string | null;
  /** User turns of the conversation. */
  turns?: number;
  referenceAnswer?: string | null;
  options?: string[] | null;
  model?: string | null;
  license?: string | null;
  finishReason?: string | null;
  /** Fields of the source that the draft holds; all others go to `metadata`. */
  used: readonly string[];
  /** Further members of `metadata`, for what a nested field held besides. */
  extra?: Record<string, unknown>;
}

/** Columns of the `columns` adapter's `map:`, by canonical field. */
export type ColumnMap = Readonly<Record<string, string>>;

/** The reader of one published shape. */
export interface Adapter {
  name: string;
  /** The shape in a sentence. */
  summary: string;
  /** Columns that must be there; of a list inside, any one. */
  needs: readonly (string | readonly string[])[];
  /** The same, where it depends on the entry's `map`. */
  needsOf?(map: ColumnMap): readonly (string | readonly string[])[];
  /** Columns under which a long text may come as UTF-8 that is valid while the row is read; elsewhere texts are strings. */
  longTexts?: readonly string[];
  /** The same, where it depends on the entry's `map`. */
  longTextsOf?(map: ColumnMap): readonly string[];
  /** Columns that repeat others and are not read where a format allows to leave them. */
  ignores?: readonly string[];
  /** Where the columns alone do not tell the shape from a more general one: does this row have it? */
  recognises?(row: SourceRow): boolean;
  /** Takes one row apart. Throws an `Unfit` for a row that is not of this shape. */
  read(row: SourceRow, map: ColumnMap): Draft;
}

/** Why a row does not fit its adapter: the quarantine's reason, one of few so that they can be counted. */
export class Unfit extends Error {}

/** Gives types to an adapter's definition and nothing else. */
export function defineAdapter(adapter: Adapter): Adapter {
  return adapter;
}

/** The trace of a row that is a question alone. */
export const noTrace: Trace = { reasoning: null, answer: null, complete: false, raw: null };

/** A field that must be text. A number or boolean is taken as its text; anything else makes the row unfit. */
export function text(row: SourceRow, field: string): string {
  const value = optionalText(row, field);
  if (value === null) throw new Unfit(`${field} is missing`);
  return value;
}

/** A field that may be absent or null. */
export function optionalText(row: SourceRow, field: string): string | null {
  const value = longText(row, field);
  return value === null ? null : String(value);
}

/** The same for one of the adapter's `longTexts`. */
export function longText(row: SourceRow, field: string): Text | null {
  const value = row[field];
  if (value === null || value === undefined) return null;
  if (isText(value)) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Unfit(`${field} is not text`);
}

/** The first of the fields that the row has, as text. */
export function firstText(row: SourceRow, fields: readonly string[]): string | null {
  for (const field of fields) {
    const value = optionalText(row, field);
    if (value !== null && value !== '') return value;
  }
  return null;
}

/** Options as a list in the order of their letters, whether the source has a list or a map of letters. */
export function optionList(value: unknown): string[] | null {
  if (Array.isArray(value)) {
    // MedQA on the hub: [{key: 'A', value: '…'}].
    const list = value.map((each) => (isRecord(each) ? (each.value ?? each.text) : each));
    return list.length > 0 && list.every(isScalar) ? list.map(String) : null;
  }
  if (isRecord(value)) {
    const entries = Object.entries(value)
      .filter(([, each]) => each !== null && each !== '')
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length > 0 && entries.every(([, each]) => isScalar(each))
      ? entries.map(([, each]) => String(each))
      : null;
  }
  return null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Utf8Text);
}

// ---------------------------------------------------------------------------------------------------------------------

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
