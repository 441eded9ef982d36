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
const unspacedRuns = new RegExp(`[${unspacedClass}]+`, 'gu');
const letterOrNumber = /[\p{L}\p{N}]/u;

const space = 1;
const unspaced = 2;
const kinds = kindTable();

/** Fixed locale: the machine's must not decide a count. The dictionary for unspaced scripts is the same in all of them. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

export interface WordCounts {
  /** `len(text.split())` in Python. */
  words: number;
  /** The same, with runs of unspaced scripts counted by `Intl.Segmenter`. */
  segmented: number;
}

/** Both counts in one pass; text without unspaced scripts never reaches the segmenter. */
export function measureWords(text: string): WordCounts {
  let words = 0;
  let inWord = false;
  let seen = 0;
  for (let index = 0; index < text.length; index += 1) {
    const kind = kinds[text.charCodeAt(index)] as number;
    if (kind === space) inWord = false;
    else {
      seen |= kind;
      if (!inWord) {
        inWord = true;
        words += 1;
      }
    }
  }
  return { words, segmented: seen === 0 ? words : segment(text) };
}

/** Words as Python's `len(text.split())` counts them. */
export function countWords(text: string): number {
  let words = 0;
  let inWord = false;
  for (let index = 0; index < text.length; index += 1) {
    if (kinds[text.charCodeAt(index)] === space) inWord = false;
    else if (!inWord) {
      inWord = true;
      words += 1;
    }
  }
  return words;
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

/** Per whitespace-delimited word: the segmenter's words in its unspaced runs, and one for each other piece with a letter or digit. */
function segment(text: string): number {
  let count = 0;
  for (const word of splitWords(text)) {
    if (!hasUnspaced(word)) {
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

function hasUnspaced(word: string): boolean {
  for (let index = 0; index < word.length; index += 1) if (kinds[word.charCodeAt(index)] === unspaced) return true;
  return false;
}

/** Kind of each UTF-16 unit. High surrogates of the Han planes count as unspaced; the runs are then found by code point. */
function kindTable(): Uint8Array {
  const table = new Uint8Array(65_536);
  const oneUnspaced = new RegExp(`[${unspacedClass}]`, 'u');
  for (let unit = 0x0e00; unit < 0xffff; unit += 1) {
    if (unit >= 0xd800 && unit <= 0xdfff) continue;
    if (oneUnspaced.test(String.fromCharCode(unit))) table[unit] = unspaced;
  }
  for (let unit = 0xd840; unit <= 0xd88d; unit += 1) table[unit] = unspaced;
  for (const unit of spaces) table[unit] = space;
  return table;
}
