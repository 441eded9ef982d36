/**
 * RapidFuzz's `fuzz.ratio` against many documents, `100 · 2 · LCS / (|a| + |b|)` over code points, judged in integers:
 * a pair matches when `200 · LCS >= threshold · (|a| + |b|)`. What is skipped is skipped because it cannot match: first
 * by length, of which only a window of the sorted documents is looked at; then by the characters that the two have in
 * common, a nanosecond or two a pair; the few that are left go through a banded LCS that stops when the threshold is out of reach.
 */

import { Lcs } from './lcs.js';
import { Tallies } from './tallies.js';

export interface RatioMatch {
  document: number;
  /** 0 to 100. */
  ratio: number;
}

export class RatioIndex {
  readonly threshold: number;
  /** Document numbers by rising length, and everything below in that order. */
  private readonly order: Int32Array;
  private readonly lengths: Int32Array;
  /** Where each document's code points start among those of all. */
  private readonly starts: Int32Array;
  private readonly lcs: Lcs;
  private readonly tallies: Tallies;
  private readonly mostPoints: number;
  private readonly reader = new PointReader();
  private text = new Int32Array(1024);

  /** `threshold`: an integer from 1 to 100. */
  constructor(documents: readonly string[], threshold: number) {
    this.threshold = threshold;
    const units = documents.reduce((sum, document) => sum + document.length, 0);
    const longest = documents.reduce((most, document) => Math.max(most, document.length), 0);
    this.lcs = new Lcs(units, this.mostBeside(longest));
    const points = this.lcs.documents;
    const ends = new Int32Array(documents.length + 1);
    documents.forEach((document, index) => {
      ends[index + 1] = this.reader.read(document, points, ends[index] as number);
    });
    const lengthOf = (document: number) => (ends[document + 1] as number) - (ends[document] as number);
    this.order = Int32Array.from(documents.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    this.lengths = this.order.map(lengthOf);
    this.starts = this.order.map((document) => ends[document] as number);
    this.tallies = new Tallies(
      Array.from(this.order, (document) => documents[document] as string),
      threshold,
    );
    this.mostPoints = this.mostBeside(this.lengths.at(-1) ?? 0);
  }

  /** Every document at or above the threshold, in the order of the documents. */
  find(text: string): RatioMatch[] {
    // A code point is at most two units: a text far longer than any document is not worth reading.
    if (text.length > 2 * this.mostPoints) return [];
    const length = this.tallies.read(text);
    const [from, to] = this.window(length);
    if (from === to) return [];
    const { threshold, lengths, starts } = this;
    const near = this.tallies.near(length, from, to);
    if (near.length === 0) return [];
    if (this.text.length < text.length) this.text = new Int32Array(text.length * 2);
    this.reader.read(text, this.text, 0);
    this.lcs.prepare(this.text, length);
    const found: RatioMatch[] = [];
    for (const place of near) {
      const other = lengths[place] as number;
      const start = starts[place] as number;
      const needed = Math.ceil((threshold * (length + other)) / 200);
      const common = this.lcs.atLeast(start, start + other, length - needed, other - needed);
      if (common >= needed)
        found.push({
          document: this.order[place] as number,
          ratio: length + other === 0 ? 100 : (200 * common) / (length + other),
        });
    }
    return found.sort((a, b) => a.document - b.document);
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** The documents whose length allows the threshold: `200 · min >= threshold · (a + b)`. */
  private window(length: number): [number, number] {
    const least = Math.ceil((this.threshold * length) / (200 - this.threshold));
    return [lowerBound(this.lengths, least), lowerBound(this.lengths, this.mostBeside(length) + 1)];
  }

  /** The greatest length that allows the threshold beside one of `length`. */
  private mostBeside(length: number): number {
    return Math.floor(((200 - this.threshold) * length) / this.threshold);
  }
}

/** Reads texts as code points; a lone surrogate is one. A copy of the units is read faster than texts of any kind. */
class PointReader {
  private units = new Uint16Array(4096);
  private bytes = Buffer.from(this.units.buffer);

  /** Writes them to `points` from `at` on and returns where they end. */
  read(text: string, points: Int32Array, at: number): number {
    const { length } = text;
    if (this.units.length < length) {
      this.units = new Uint16Array(2 * length);
      this.bytes = Buffer.from(this.units.buffer);
    }
    this.bytes.write(text, 'utf16le');
    const { units } = this;
    let next = at;
    for (let index = 0; index < length; index += 1) {
      let point = units[index] as number;
      if (point >= 0xd800 && point < 0xdc00) {
        const low = index + 1 < length ? (units[index + 1] as number) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          point = 0x1_0000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          index += 1;
        }
      }
      points[next] = point;
      next += 1;
    }
    return next;
  }
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
