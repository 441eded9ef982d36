import { isAscii, isUtf8 } from 'node:buffer';
import type { FilePosition } from './bytes.js';

/** What a reader found at one place of a file: a row, or something that is none and why. */
export type Reading = GoodReading | BadReading;

interface Place {
  /** From 0: the line of a JSONL file (blank lines count), the element of an array, the record of a CSV, the row of a Parquet file. */
  index: number;
  /** Bytes from the start of the (decompressed) content; null for Parquet. */
  offset: number | null;
}

export interface GoodReading extends Place {
  kind: 'row';
  row: unknown;
}

export interface BadReading extends Place {
  kind: 'bad';
  /** One of a fixed few, so that they can be counted. */
  reason: BadReason;
  /** Up to 200 characters of what stands there, well-formed; for Parquet what the reader said. */
  excerpt: string;
}

/** What a caller may give to a reader. */
export interface ReadingAids {
  /** Is asked for rows of JSON first. What it made of one is valid until the next batch is asked for. */
  parser?: RowParser | undefined;
  /** Where it is kept how much of a compressed file was read. */
  position?: FilePosition | undefined;
}

export type BadReason =
  | 'not JSON'
  | 'invalid UTF-8'
  | 'cut off'
  | 'too long'
  | 'wrong number of fields'
  | 'unreadable Parquet';

/** A row longer than this is not read: V8 cannot hold a string of twice as much. */
export const longestRowBytes = 256 << 20;

export function bad(reason: BadReason, index: number, offset: number | null, content: Buffer | string): BadReading {
  return { kind: 'bad', reason, index, offset, excerpt: excerptOf(content) };
}

export function excerptOf(content: Buffer | string): string {
  const text = typeof content === 'string' ? content : content.subarray(0, 800).toString('utf8');
  return text.slice(0, 200).toWellFormed();
}

/** The text of UTF-8 bytes, or null where they are not UTF-8: a decoder alone would put U+FFFD there without a word. */
export function decode(bytes: Buffer): string | null {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** Reads rows of JSON its own way, and leaves those that it does not care for (undefined) to JSON.parse. */
export interface RowParser {
  /** What rows of the batch before hold may be used again. */
  startBatch(): void;
  parse(bytes: Buffer): unknown;
}

/** The JSON value in these bytes as a reading; `parser` is asked first. */
export function parseJson(bytes: Buffer, index: number, offset: number, parser?: RowParser): Reading {
  const row = parser?.parse(bytes);
  if (row !== undefined) return { kind: 'row', row, index, offset };
  const text = decode(bytes);
  if (text === null) return bad('invalid UTF-8', index, offset, bytes);
  try {
    return { kind: 'row', row: JSON.parse(text) as unknown, index, offset };
  } catch {
    return bad('not JSON', index, offset, text);
  }
}
