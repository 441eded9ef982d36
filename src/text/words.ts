import { Encoded } from './encoded.js';
import { splitWords } from './spaces.js';
import type { Text } from './utf8-text.js';

/**
 * How words are counted: as `splitWords` parts them, so counts equal what the reference pipelines count; text without
 * spaces (Chinese, Thai …) can be counted by Unicode segmentation instead.
 */

/** Scripts written without spaces for which ICU has a dictionary. The prolonged sound mark belongs to kana by use. */
const unspacedClass =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30FC';
const oneUnspaced = new RegExp(`[${unspacedClass}]`, 'u');
const unspacedRuns = new RegExp(`[${unspacedClass}]+`, 'gu');
const letterOrNumber = /[\p{L}\p{N}]/u;

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

// ---------------------------------------------------------------------------------------------------------------------

const pieceUnits = 1 << 18;
const scratch = new Encoded();

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
