import { Encoded } from './encoded.js';

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
const lead = 2;
const kinds = spaceTable();
/** Of UTF-8 bytes: space, none, or a lead byte after which to look. */
const byteKinds = byteTable();

/** Fixed locale: the machine's must not decide a count. The dictionary for unspaced scripts is the same in all of them. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

export interface WordCounts {
  /** `len(text.split())` in Python. */
  words: number;
  /** The same, with runs of unspaced scripts counted by `Intl.Segmenter`. */
  segmented: number;
}

/** Both counts; text without unspaced scripts never reaches the segmenter. */
export function measureWords(text: string): WordCounts {
  const words = countWords(text);
  return { words, segmented: maybeUnspaced ? segment(text) : words };
}

/** `measureWords` of a text whose UTF-8 stands in `[start, end)` already. */
export function measureEncoded(text: string, encoded: Encoded, start: number, end: number): WordCounts {
  begin();
  scan(encoded, start, end);
  return { words: wordCount, segmented: maybeUnspaced ? segment(text) : wordCount };
}

/** Words as Python's `len(text.split())` counts them. */
export function countWords(text: string): number {
  begin();
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start);
    scratch.reset(end - start);
    scan(scratch, 0, scratch.add(start === 0 && end === text.length ? text : text.slice(start, end)));
    start = end;
  }
  return wordCount;
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
  const words: string[] = [];
  let start = -1;
  for (let index = 0; index < text.length; index += 1) {
    if (kinds[text.charCodeAt(index)] === space) {
      if (start !== -1) words.push(text.slice(start, index));
      start = -1;
    } else if (start === -1) start = index;
  }
  if (start !== -1) words.push(text.slice(start));
  return words;
}

/** Whether a UTF-16 unit parts words. */
export function isSpace(unit: number): boolean {
  return kinds[unit] === space;
}

/** `text.strip()` in Python. */
export function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && kinds[text.charCodeAt(start)] === space) start += 1;
  while (end > start && kinds[text.charCodeAt(end - 1)] === space) end -= 1;
  return text.slice(start, end);
}

// ---------------------------------------------------------------------------------------------------------------------

const pieceUnits = 1 << 18;
const scratch = new Encoded();

/** Of the text that is being counted, or was counted last. */
let wordCount = 0;
/** 1 between words, 0 within one. */
let between = 1;
/** Whether it may hold an unspaced script: told by lead bytes, so sometimes for nothing. */
let maybeUnspaced = false;

function begin(): void {
  wordCount = 0;
  between = 1;
  maybeUnspaced = false;
}

const everyTop = 0x80808080;
const littleEndian = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** Goes on counting in these bytes: four at a time where they are plain, else one by one. */
function scan({ bytes, quads }: Encoded, start: number, end: number): void {
  for (let index = start; index < end; ) {
    if (littleEndian && (index & 3) === 0) index = scanQuads(quads, index, end);
    const until = Math.min(end, (index | 3) + 1);
    while (index < until) index = scanByte(bytes, index);
  }
}

/**
 * Counts by four bytes until one of them is neither a printing character of ASCII nor one of its spaces. Adding a
 * constant to every byte carries "at least so much" into its top bit.
 */
function scanQuads(quads: Int32Array, start: number, end: number): number {
  const last = end >> 2;
  let at = start >> 2;
  let words = 0;
  /** Top bit of the byte before: set within a word. */
  let before = between === 1 ? 0 : 0x80;
  for (; at < last; at += 1) {
    const quad = quads[at] as number;
    const aboveSpace = (quad + 0x5f5f5f5f) | 0;
    // Other controls than the spaces 09–0D and 1C–20.
    const odd = ~(quad + 0x77777777) | ((quad + 0x72727272) ^ (quad + 0x64646464));
    if (((quad | odd) & everyTop) !== 0) break;
    const filled = aboveSpace & everyTop;
    words += Math.imul((filled & ~((filled << 8) | before)) >>> 7, 0x01010101) >>> 24;
    before = filled >>> 24;
  }
  wordCount += words;
  between = before === 0 ? 1 : 0;
  return at << 2;
}

/** Counts the character, or a byte of it, that stands here; returns where the next one does. */
function scanByte(bytes: Uint8Array, index: number): number {
  const byte = bytes[index] as number;
  const kind = byteKinds[byte] as number;
  if (kind <= space) {
    wordCount += between & (kind ^ space);
    between = kind;
    return index + 1;
  }
  const second = bytes[index + 1] as number;
  const third = bytes[index + 2] as number;
  const spaceBytes = spaceLength(byte, second, third);
  if (spaceBytes > 0) {
    between = space;
    return index + spaceBytes;
  }
  if (isUnspacedLead(byte, second, third)) maybeUnspaced = true;
  wordCount += between;
  between = 0;
  return index + 1;
}

/** A long text is counted in pieces, none of which ends within a surrogate pair. */
function pieceEnd(text: string, start: number): number {
  const end = Math.min(text.length, start + pieceUnits);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** Length in UTF-8 of the space that these bytes begin, 0 where they begin none. */
function spaceLength(first: number, second: number, third: number): number {
  if (first === 0xc2) return second === 0x85 || second === 0xa0 ? 2 : 0;
  if (first === 0xe1) return second === 0x9a && third === 0x80 ? 3 : 0;
  if (first === 0xe3) return second === 0x80 && third === 0x80 ? 3 : 0;
  if (first !== 0xe2) return 0;
  if (second === 0x81) return third === 0x9f ? 3 : 0;
  if (second !== 0x80) return 0;
  return third <= 0x8a || third === 0xa8 || third === 0xa9 || third === 0xaf ? 3 : 0;
}

function isUnspacedLead(first: number, second: number, third: number): boolean {
  if (first === 0xe0) return second >= 0xb8 && second <= 0xbb;
  if (first === 0xe1) return second <= 0x82 || second === 0x9e || second === 0x9f || second === 0xa7;
  if (first === 0xe2) return second >= 0xba;
  if (first >= 0xe3 && first <= 0xe9) return true;
  if (first === 0xea) return second === 0xa7 || second === 0xa9;
  if (first === 0xef) return second >= 0xa4;
  if (first !== 0xf0) return false;
  // U+1F200 stands among the emoji, Myanmar Extended-C among other scripts.
  if (second === 0x9f) return third === 0x88;
  return second === 0x91 ? third === 0x9b : second >= 0x96;
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

function byteTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const unit of spaces) if (unit < 0x80) table[unit] = space;
  for (const first of [0xc2, ...Array.from({ length: 16 }, (_, at) => 0xe0 + at), 0xf0]) table[first] = lead;
  return table;
}
