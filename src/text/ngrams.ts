/**
 * Word n-grams that a text shares with any of many documents, exactly as open-r1's decontamination compares them:
 * lower-case, words as `str.split()` gives them, no folding of punctuation or Unicode forms. One pass at the speed of
 * reading: hashes only ever discard, every match is confirmed word by word.
 */
import { isSpace } from './words.js';

export interface SharedNgrams {
  document: number;
  /** Distinct n-grams of the document that the text holds. */
  shared: number;
  /** The longest run of matching n-grams: UTF-16 offsets in the text as it was given. */
  start: number;
  end: number;
  /** In how many documents that whole run occurs. */
  documents: number;
}

export class NgramIndex {
  readonly size: number;
  /** Distinct n-grams per document. A document with none can never match. */
  readonly counts: Int32Array;
  private readonly texts: string[];
  private readonly words: Words[];
  /** Open addressing: slot → n-gram + 1. */
  private readonly slots: Int32Array;
  /** One bit per hash value's low bits: most n-grams of a text end here. */
  private readonly bits: Int32Array;
  private readonly hashes: number[] = [];
  private readonly firstDocument: number[] = [];
  private readonly firstWord: number[] = [];
  private readonly postings: number[][] = [];
  private readonly scratch = newWords(1024);
  /** Per document while a text is looked at; `shared` is 0 between texts. */
  private readonly runs: Record<'shared' | 'from' | 'to' | 'bestFrom' | 'bestTo', Int32Array>;

  constructor(documents: readonly string[], size: number) {
    this.size = size;
    this.counts = new Int32Array(documents.length);
    const column = () => new Int32Array(documents.length);
    this.runs = { shared: column(), from: column(), to: column(), bestFrom: column(), bestTo: column() };
    this.texts = documents.map((text) => text.toLowerCase());
    this.words = this.texts.map((text) => {
      const found = newWords(64);
      readWords(text, found);
      return found;
    });
    const most = this.words.reduce((sum, words) => sum + Math.max(0, words.count - size + 1), 0);
    this.slots = new Int32Array(powerOfTwo(most * 2 + 16));
    this.bits = new Int32Array(powerOfTwo(most / 2));
    for (let document = 0; document < documents.length; document += 1) this.add(document);
  }

  /** What the text shares with each document, in the order of the documents. */
  find(text: string): SharedNgrams[] {
    const lower = text.toLowerCase();
    const words = this.scratch;
    readWords(lower, words);
    const last = words.count - this.size;
    if (last < 0) return [];
    const grams: number[] = [];
    const positions: number[] = [];
    const roll = rolling(this.size);
    let hash = 0;
    for (let index = 0; index < words.count; index += 1) {
      if (index >= this.size) hash = (hash - Math.imul(words.hashes[index - this.size] as number, roll.leading)) | 0;
      hash = (Math.imul(hash, roll.base) + (words.hashes[index] as number)) | 0;
      const first = index - this.size + 1;
      if (first < 0) continue;
      const mixed = mix(hash);
      if (((this.bits[(mixed >>> 5) & (this.bits.length - 1)] as number) & (1 << (mixed & 31))) === 0) continue;
      const gram = this.lookUp(mixed, lower, words, first);
      if (gram === -1) continue;
      grams.push(gram);
      positions.push(first);
    }
    return grams.length === 0 ? [] : this.gather(text, lower, grams, positions);
  }

  // -------------------------------------------------------------------------------------------------------------------

  private add(document: number): void {
    const words = this.words[document] as Words;
    const text = this.texts[document] as string;
    const roll = rolling(this.size);
    let hash = 0;
    for (let index = 0; index < words.count; index += 1) {
      if (index >= this.size) hash = (hash - Math.imul(words.hashes[index - this.size] as number, roll.leading)) | 0;
      hash = (Math.imul(hash, roll.base) + (words.hashes[index] as number)) | 0;
      const first = index - this.size + 1;
      if (first < 0) continue;
      const mixed = mix(hash);
      let gram = this.lookUp(mixed, text, words, first);
      if (gram === -1) gram = this.insert(mixed, document, first);
      const posting = this.postings[gram] as number[];
      if (posting[posting.length - 1] === document) continue;
      posting.push(document);
      this.counts[document] = (this.counts[document] as number) + 1;
    }
  }

  private insert(mixed: number, document: number, first: number): number {
    const gram = this.hashes.length;
    this.hashes.push(mixed);
    this.firstDocument.push(document);
    this.firstWord.push(first);
    this.postings.push([]);
    const mask = this.slots.length - 1;
    let slot = mixed & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = gram + 1;
    const bit = (mixed >>> 5) & (this.bits.length - 1);
    this.bits[bit] = (this.bits[bit] as number) | (1 << (mixed & 31));
    return gram;
  }

  private lookUp(mixed: number, text: string, words: Words, first: number): number {
    const mask = this.slots.length - 1;
    for (let slot = mixed & mask; this.slots[slot] !== 0; slot = (slot + 1) & mask) {
      const gram = (this.slots[slot] as number) - 1;
      if (this.hashes[gram] === mixed && this.equal(gram, text, words, first)) return gram;
    }
    return -1;
  }

  private equal(gram: number, text: string, words: Words, first: number): boolean {
    const document = this.firstDocument[gram] as number;
    const other = this.words[document] as Words;
    const otherText = this.texts[document] as string;
    const otherFirst = this.firstWord[gram] as number;
    for (let word = 0; word < this.size; word += 1) {
      const start = words.starts[first + word] as number;
      const otherStart = other.starts[otherFirst + word] as number;
      const length = (words.ends[first + word] as number) - start;
      if (length !== (other.ends[otherFirst + word] as number) - otherStart) return false;
      for (let index = 0; index < length; index += 1)
        if (text.charCodeAt(start + index) !== otherText.charCodeAt(otherStart + index)) return false;
    }
    return true;
  }

  /** Follows each document's runs through the matches, which are in the order of the text. */
  private gather(text: string, lower: string, grams: number[], positions: number[]): SharedNgrams[] {
    const { runs } = this;
    const touched: number[] = [];
    const seen = new Set<number>();
    grams.forEach((gram, match) => {
      const position = positions[match] as number;
      const isNew = seen.has(gram) ? 0 : 1;
      seen.add(gram);
      for (const document of this.postings[gram] as number[]) {
        if (runs.shared[document] === 0) {
          touched.push(document);
          runs.bestFrom[document] = runs.bestTo[document] = 0;
          runs.to[document] = -1;
        }
        runs.shared[document] = (runs.shared[document] as number) + isNew;
        // A run goes on where the document held the n-gram of the word before.
        if (runs.to[document] !== match || positions[match - 1] !== position - 1) runs.from[document] = match;
        runs.to[document] = match + 1;
        const from = runs.from[document] as number;
        if (match + 1 - from > (runs.bestTo[document] as number) - (runs.bestFrom[document] as number)) {
          runs.bestFrom[document] = from;
          runs.bestTo[document] = match + 1;
        }
      }
    });
    const spread = new Map<number, number>();
    // Only İ changes its length in lower case; the words stay the same words, so their places are read again.
    const places = lower.length === text.length ? this.scratch : newWords(64);
    if (places !== this.scratch) readWords(text, places);
    return touched
      .sort((a, b) => a - b)
      .map((document) => {
        const from = runs.bestFrom[document] as number;
        const to = runs.bestTo[document] as number;
        const key = from * grams.length + to;
        let documents = spread.get(key);
        if (documents === undefined) {
          documents = this.documentsWithAll(grams.slice(from, to));
          spread.set(key, documents);
        }
        const shared = runs.shared[document] as number;
        runs.shared[document] = 0;
        const start = places.starts[positions[from] as number] as number;
        const end = places.ends[(positions[to - 1] as number) + this.size - 1] as number;
        return { document, shared, start, end, documents };
      });
  }

  private documentsWithAll(grams: number[]): number {
    const lists = [...new Set(grams)]
      .map((gram) => this.postings[gram] as number[])
      .sort((a, b) => a.length - b.length);
    let common = new Set(lists[0]);
    for (const list of lists.slice(1)) common = new Set(list.filter((document) => common.has(document)));
    return common.size;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Words of a text by their places and hashes; reused between texts, `count` of them are valid. */
interface Words {
  count: number;
  hashes: Int32Array;
  starts: Int32Array;
  ends: Int32Array;
}

function newWords(room: number): Words {
  return { count: 0, hashes: new Int32Array(room), starts: new Int32Array(room), ends: new Int32Array(room) };
}

function readWords(text: string, words: Words): void {
  words.count = 0;
  let { hashes, starts, ends } = words;
  let count = 0;
  let index = 0;
  const length = text.length;
  while (index < length) {
    let unit = text.charCodeAt(index);
    if (isSpace(unit)) {
      index += 1;
      continue;
    }
    const start = index;
    let hash = 0x811c9dc5 | 0;
    for (;;) {
      hash = Math.imul(hash ^ unit, 0x01000193);
      index += 1;
      if (index === length) break;
      unit = text.charCodeAt(index);
      if (isSpace(unit)) break;
    }
    if (count === starts.length) {
      hashes = words.hashes = grow(hashes);
      starts = words.starts = grow(starts);
      ends = words.ends = grow(ends);
    }
    hashes[count] = hash;
    starts[count] = start;
    ends[count] = index;
    count += 1;
  }
  words.count = count;
}

/** A polynomial in the words' hashes, modulo 2^32: moves on by one word in constant time. */
function rolling(size: number): { base: number; leading: number } {
  const base = 0x9e3779b1 | 0;
  let leading = 1;
  for (let index = 1; index < size; index += 1) leading = Math.imul(leading, base);
  return { base, leading };
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function grow(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function powerOfTwo(least: number): number {
  let size = 16;
  while (size < least) size *= 2;
  return size;
}
