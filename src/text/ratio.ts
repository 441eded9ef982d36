/**
 * RapidFuzz's `fuzz.ratio` against many documents, `100 · 2 · LCS / (|a| + |b|)` over code points, judged in integers:
 * a pair matches when `200 · LCS >= threshold · (|a| + |b|)`. What is skipped is skipped because it cannot match: first
 * by length, of which only a window of the sorted documents is looked at; then by the characters that the two have in
 * common, a few nanoseconds a pair; the few that are left go through a banded LCS, 32 characters at a step, that stops when the
 * threshold is out of reach.
 */

import { Tallies } from './tallies.js';

export interface RatioMatch {
  document: number;
  /** 0 to 100. */
  ratio: number;
}

export class RatioIndex {
  readonly threshold: number;
  /** Code point → 1, 2, … by falling frequency; 0 for what occurs in no document. */
  private readonly alphabet = new Int32Array(0x110000);
  private readonly alphabetSize: number;
  /** Document numbers by rising length, and everything below in that order. */
  private readonly order: Int32Array;
  private readonly lengths: Int32Array;
  private readonly points: Int32Array[];
  private readonly tallies: Tallies;
  private readonly mostPoints: number;
  private text = new Int32Array(1024);
  private masks = new Int32Array(0);
  private rows = new Int32Array(0);

  /** `threshold`: an integer from 1 to 100. */
  constructor(documents: readonly string[], threshold: number) {
    this.threshold = threshold;
    const coded = readAll(documents);
    this.alphabetSize = this.numberByFrequency(coded.all);
    for (let index = 0; index < coded.all.length; index += 1)
      coded.all[index] = this.alphabet[coded.all[index] as number] as number;
    const lengthOf = (document: number) => (coded.each[document] as Int32Array).length;
    this.order = Int32Array.from(coded.each.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    this.points = [...this.order].map((document) => coded.each[document] as Int32Array);
    this.lengths = Int32Array.from(this.points, (points) => points.length);
    this.tallies = new Tallies(this.points, threshold);
    this.mostPoints = Math.floor(((200 - threshold) * (this.lengths[this.lengths.length - 1] ?? 0)) / threshold);
  }

  /** Every document at or above the threshold, in the order of the documents. */
  find(text: string): RatioMatch[] {
    // A code point is at most two units: a text far longer than any document is not worth reading.
    if (text.length > 2 * this.mostPoints) return [];
    const length = this.read(text);
    const [from, to] = this.window(length);
    if (from === to) return [];
    const { threshold, lengths, tallies } = this;
    const found: RatioMatch[] = [];
    let wordCount = 0;
    for (const place of tallies.near(this.text, length, from, to)) {
      const other = lengths[place] as number;
      const needed = Math.ceil((threshold * (length + other)) / 200);
      if (wordCount === 0) wordCount = this.prepare(length);
      const common = this.lcsAtLeast(this.points[place] as Int32Array, wordCount, length - needed, other - needed);
      if (common >= needed)
        found.push({
          document: this.order[place] as number,
          ratio: length + other === 0 ? 100 : (200 * common) / (length + other),
        });
    }
    if (wordCount > 0) this.clear(length, wordCount);
    return found.sort((a, b) => a.document - b.document);
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Numbers code points from 1, the most frequent first (ties by code point). Returns one more than the last number. */
  private numberByFrequency(points: Int32Array): number {
    const counts = this.alphabet;
    let last = 0;
    for (let index = 0; index < points.length; index += 1) {
      const point = points[index] as number;
      counts[point] = (counts[point] as number) + 1;
      if (point > last) last = point;
    }
    const present: number[] = [];
    for (let point = 0; point <= last; point += 1) if (counts[point] !== 0) present.push(point);
    present.sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
    present.forEach((point, index) => {
      this.alphabet[point] = index + 1;
    });
    return present.length + 1;
  }

  /** Reads a text's code points into `this.text` as alphabet numbers and returns how many there are. */
  private read(text: string): number {
    if (this.text.length < text.length) this.text = new Int32Array(text.length * 2);
    const { alphabet, text: numbers } = this;
    let length = 0;
    for (let index = 0; index < text.length; index += 1) {
      let point = text.charCodeAt(index);
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(index) as number;
        if (point > 0xffff) index += 1;
      }
      numbers[length] = alphabet[point] as number;
      length += 1;
    }
    return length;
  }

  /** The documents whose length allows the threshold: `200 · min >= threshold · (a + b)`. */
  private window(length: number): [number, number] {
    const least = Math.ceil((this.threshold * length) / (200 - this.threshold));
    const most = Math.floor(((200 - this.threshold) * length) / this.threshold);
    return [lowerBound(this.lengths, least), lowerBound(this.lengths, most + 1)];
  }

  /** Where each character of the text stands, as bits: `wordCount` words for each number of the alphabet. */
  private prepare(length: number): number {
    const wordCount = Math.max(1, (length + 31) >>> 5);
    if (this.masks.length < wordCount * this.alphabetSize) this.masks = new Int32Array(wordCount * this.alphabetSize);
    if (this.rows.length < wordCount) this.rows = new Int32Array(wordCount * 2);
    for (let index = 0; index < length; index += 1) {
      const point = this.text[index] as number;
      if (point === 0) continue;
      const at = point * wordCount + (index >>> 5);
      this.masks[at] = (this.masks[at] as number) | (1 << (index & 31));
    }
    return wordCount;
  }

  private clear(length: number, wordCount: number): void {
    for (let index = 0; index < length; index += 1)
      this.masks[(this.text[index] as number) * wordCount + (index >>> 5)] = 0;
  }

  /**
   * Hyyrö's bit-parallel LCS over the matches that a sufficient alignment can use: it leaves at most `spare` characters
   * of the text and `otherSpare` of the document unmatched, so a match lies at most that far from the diagonal. The
   * carry out of the last word says whether the LCS grew by one. Stops, with too little, when more than `otherSpare` is missing.
   */
  private lcsAtLeast(other: Int32Array, wordCount: number, spare: number, otherSpare: number): number {
    const { masks, rows } = this;
    rows.fill(-1, 0, wordCount);
    const length = other.length;
    let common = 0;
    let missed = 0;
    for (let column = 0; column < length; column += 1) {
      const first = column > otherSpare ? (column - otherSpare) >>> 5 : 0;
      const end = Math.min(wordCount, ((column + spare) >>> 5) + 1);
      const base = (other[column] as number) * wordCount;
      let carry = 0;
      for (let word = first; word < end; word += 1) {
        const row = rows[word] as number;
        const matched = row & (masks[base + word] as number);
        const sum = (row + matched + carry) | 0;
        carry = ((row & matched) | ((row | matched) & ~sum)) >>> 31;
        rows[word] = sum | (row & ~matched);
      }
      if (carry === 1) common += 1;
      else {
        missed += 1;
        if (missed > otherSpare) return common;
      }
    }
    return common;
  }
}

/** The code points of all texts one after the other, and each text's as a part of them. */
function readAll(texts: readonly string[]): { all: Int32Array; each: Int32Array[] } {
  const all = new Int32Array(texts.reduce((sum, text) => sum + text.length, 0));
  // A copy of the units is read faster than texts of any kind.
  const units = new Uint16Array(texts.reduce((most, text) => Math.max(most, text.length), 0));
  const bytes = Buffer.from(units.buffer);
  let count = 0;
  const each = texts.map((text) => {
    const from = count;
    bytes.write(text, 'utf16le');
    const { length } = text;
    for (let index = 0; index < length; index += 1) {
      let point = units[index] as number;
      if (point >= 0xd800 && point < 0xdc00) {
        const low = index + 1 < length ? (units[index + 1] as number) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          point = 0x1_0000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          index += 1;
        }
      }
      all[count] = point;
      count += 1;
    }
    return all.subarray(from, count);
  });
  return { all: all.subarray(0, count), each };
}

/** The first index whose value is at least `value`. */
function lowerBound(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
