import { Encoded } from './encoded.js';
import { type Text, Utf8Text } from './utf8-text.js';

/**
 * What a word is: the one place that says so. Words are those of Python's `str.split()`, so counts equal what the
 * reference pipelines count; text without spaces (Chinese, Thai …) can be counted by Unicode segmentation instead.
 */

/** Python's `str.isspace` set as used by `str.split()`: unlike JavaScript's `\s` it has U+001C–1F and U+0085, not U+FEFF. */
const spaces = [
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
  0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

/** Scripts written without spaces for which ICU has a dictionary. The prolonged sound mark belongs to kana by use. */
const unspacedClass =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30FC';
const oneUnspaced = new RegExp(`[${unspacedClass}]`, 'u');
const unspacedRuns = new RegExp(`[${unspacedClass}]+`, 'gu');
const letterOrNumber = /[\p{L}\p{N}]/u;

const space = 1;
const kinds = spaceTable();

/** Fixed locale: the machine's must not decide a count. The dictionary for unspaced scripts is the same in all of them. */
let segmenter: Intl.Segmenter | null = null;

export interface WordCounts {
  /** `len(text.split())` in Python. */
  words: number;
  /** The same, with runs of unspaced scripts counted by `Intl.Segmenter`. */
  segmented: number;
}

export interface TextCounts extends WordCounts {
  /** `text.count('Wait')` in Python. */
  waits: number;
  /** Length in UTF-16. */
  units: number;
}

/** Both counts; text without unspaced scripts never reaches the segmenter. */
export function measureWords(text: string): WordCounts {
  const words = countWords(text);
  return { words, segmented: scratch.scan.maybeUnspaced ? segment(text) : words };
}

/** All counts of a text whose UTF-8 stands in `[start, end)` already, in one pass. */
export function measureEncoded(text: Text, encoded: Encoded, start: number, end: number): TextCounts {
  const { scan } = encoded;
  scan.start();
  encoded.count(start, end);
  const { words, waits, units } = scan;
  return { words, segmented: scan.maybeUnspaced ? segment(String(text)) : words, waits, units };
}

/** Words as Python's `len(text.split())` counts them. */
export function countWords(text: string): number {
  scratch.scan.start();
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start);
    scratch.reset(end - start);
    scratch.count(0, scratch.add(start === 0 && end === text.length ? text : text.slice(start, end)));
    start = end;
  }
  return scratch.scan.words;
}

/** Words with unspaced scripts segmented; equal to `countWords` for text that has none of them. */
export function countSegmentedWords(text: string): number {
  return measureWords(text).segmented;
}

/** `text.count('Wait')` in Python: case-sensitive, not overlapping, also inside "Waiting". */
export function countWaits(text: string): number {
  let count = 0;
  for (let at = text.indexOf('Wait'); at !== -1; at = text.indexOf('Wait', at + 4)) count += 1;
  return count;
}

/** The words themselves, as Python's `text.split()` gives them. */
export function splitWords(text: string): string[] {
  const { starts, ends } = wordPlaces(text);
  return starts.map((start, word) => text.slice(start, ends[word]));
}

/** Where the words of `splitWords` start and end, in UTF-16 units. */
export function wordPlaces(text: string): { starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const isPart = !isSpace(text.charCodeAt(index));
    if (isPart && starts.length === ends.length) starts.push(index);
    else if (!isPart && starts.length > ends.length) ends.push(index);
  }
  if (starts.length > ends.length) ends.push(text.length);
  return { starts, ends };
}

/** Whether a UTF-16 unit parts words. */
export function isSpace(unit: number): boolean {
  return kinds[unit] === space;
}

/** `text.strip()` in Python. */
export function strip<T extends Text>(text: T): T {
  return (text instanceof Utf8Text ? stripBytes(text) : stripUnits(text as string)) as T;
}

// ---------------------------------------------------------------------------------------------------------------------

const pieceUnits = 1 << 18;
const scratch = new Encoded();

function stripUnits(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && kinds[text.charCodeAt(start)] === space) start += 1;
  while (end > start && kinds[text.charCodeAt(end - 1)] === space) end -= 1;
  return text.slice(start, end);
}

function stripBytes(text: Utf8Text): Utf8Text {
  let start = 0;
  let end = text.length;
  for (let bytes = 1; bytes > 0; start += bytes) bytes = spaceBytes(text, start, end);
  for (let bytes = 1; bytes > 0; end -= bytes) bytes = spaceBytesBefore(text, start, end);
  return text.slice(start, end);
}

/** Bytes of the space that stands at a place before `end`; 0: there is none. */
function spaceBytes(text: Utf8Text, place: number, end: number): number {
  const first = text.byteAt(place);
  if (place >= end) return 0;
  if (first < 0x80) return kinds[first] === space ? 1 : 0;
  const bytes = first < 0xe0 ? 2 : 3;
  return first < 0xf0 &&
    kinds[
      text
        .slice(place, place + bytes)
        .toString()
        .charCodeAt(0)
    ] === space
    ? bytes
    : 0;
}

/** Bytes of the space that ends at a place behind `start`; 0: there is none. */
function spaceBytesBefore(text: Utf8Text, start: number, place: number): number {
  for (let bytes = 1; bytes <= 3 && place - bytes >= start; bytes += 1) {
    const first = text.byteAt(place - bytes);
    if (first < 0x80 || first >= 0xc0) return spaceBytes(text, place - bytes, place) === bytes ? bytes : 0;
  }
  return 0;
}

/** A long text is counted in pieces, none of which ends within a surrogate pair. */
function pieceEnd(text: string, start: number): number {
  const end = Math.min(text.length, start + pieceUnits);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** Per whitespace-delimited word: the segmenter's words in its unspaced runs, and one for each other piece with a letter or digit. */
function segment(text: string): number {
  let count = 0;
  for (const word of splitWords(text)) {
    if (!oneUnspaced.test(word)) {
      count += 1;
      continue;
    }
    let end = 0;
    for (const match of word.matchAll(unspacedRuns)) {
      if (letterOrNumber.test(word.slice(end, match.index))) count += 1;
      segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
      for (const part of segmenter.segment(match[0])) if (part.isWordLike === true) count += 1;
      end = match.index + match[0].length;
    }
    if (letterOrNumber.test(word.slice(end))) count += 1;
  }
  return count;
}

/** Which UTF-16 units are spaces. */
function spaceTable(): Uint8Array {
  const table = new Uint8Array(65_536);
  for (const unit of spaces) table[unit] = space;
  return table;
}
