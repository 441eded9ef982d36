/**
 * Word n-grams that a text shares with any of many documents, exactly as open-r1's decontamination compares them:
 * lower-case, words as `str.split()` gives them, no folding of punctuation or Unicode forms. One pass at the speed of
 * reading: hashes only ever discard, every match is confirmed word by word.
 */
import { LowerWords } from './lower-words.js';

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
  /** The words of all documents, one after the other. */
  private readonly words = new LowerWords(1 << 16);
  /** Open addressing: slot → n-gram + 1. */
  private readonly slots: Int32Array;
  /** One bit per hash value's low bits: most n-grams of a text end here. */
  private readonly bits: Int32Array;
  /** Per n-gram: its hash, the first of its words in one place, and the chain of the documents that hold it. */
  private readonly grams: Record<'hash' | 'word' | 'firstLink' | 'lastLink', Int32Array>;
  private readonly links: Record<'document' | 'next', Int32Array>;
  private gramCount = 0;
  private linkCount = 0;
  private readonly text = new LowerWords();
  /** Per document while a text is looked at; `shared` is 0 between texts. */
  private readonly runs: Record<'shared' | 'from' | 'to' | 'bestFrom' | 'bestTo', Int32Array>;

  constructor(documents: readonly string[], size: number) {
    this.size = size;
    this.counts = new Int32Array(documents.length);
    const column = () => new Int32Array(documents.length);
    this.runs = { shared: column(), from: column(), to: column(), bestFrom: column(), bestTo: column() };
    let most = 0;
    const ends = documents.map((document) => {
      const first = this.words.count;
      this.words.add(document);
      most += Math.max(0, this.words.count - first - size + 1);
      return this.words.count;
    });
    const each = () => new Int32Array(most);
    this.grams = { hash: each(), word: each(), firstLink: each(), lastLink: each() };
    this.links = { document: each(), next: each() };
    this.slots = new Int32Array(powerOfTwo(most * 2 + 16));
    this.bits = new Int32Array(powerOfTwo(most / 2));
    ends.forEach((end, document) => {
      this.add(document, ends[document - 1] ?? 0, end);
    });
  }

  /** What the text shares with each document, in the order of the documents. */
  find(text: string): SharedNgrams[] {
    const { text: words, size, bits } = this;
    words.clear();
    words.add(text);
    const { hashes, count } = words;
    if (count < size) return [];
    const found: Matches = { grams: [], positions: [] };
    const leading = powerOfBase(size - 1);
    const bitMask = bits.length - 1;
    let hash = 0;
    for (let index = 0; index < size - 1; index += 1) hash = (Math.imul(hash, base) + (hashes[index] as number)) | 0;
    for (let first = 0, last = size - 1; last < count; first += 1, last += 1) {
      hash = (Math.imul(hash, base) + (hashes[last] as number)) | 0;
      const mixed = mix(hash);
      hash = (hash - Math.imul(hashes[first] as number, leading)) | 0;
      if (((bits[(mixed >>> 5) & bitMask] as number) & (1 << (mixed & 31))) === 0) continue;
      const gram = this.lookUp(mixed, words, first);
      if (gram === -1) continue;
      found.grams.push(gram);
      found.positions.push(first);
    }
    return found.grams.length === 0 ? [] : this.gather(text, found);
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Enters the n-grams of a document: its words from `from` to `to`. */
  private add(document: number, from: number, to: number): void {
    const { words, size, grams, links } = this;
    const { hashes } = words;
    const leading = powerOfBase(size - 1);
    let hash = 0;
    for (let last = from; last < to; last += 1) {
      hash = (Math.imul(hash, base) + (hashes[last] as number)) | 0;
      const first = last - size + 1;
      if (first < from) continue;
      const mixed = mix(hash);
      hash = (hash - Math.imul(hashes[first] as number, leading)) | 0;
      let gram = this.lookUp(mixed, words, first);
      const isNew = gram === -1;
      if (isNew) gram = this.insert(mixed, first);
      else if (links.document[grams.lastLink[gram] as number] === document) continue;
      const link = this.linkCount;
      this.linkCount += 1;
      links.document[link] = document;
      links.next[link] = none;
      if (isNew) grams.firstLink[gram] = link;
      else links.next[grams.lastLink[gram] as number] = link;
      grams.lastLink[gram] = link;
      this.counts[document] = (this.counts[document] as number) + 1;
    }
  }

  private insert(mixed: number, first: number): number {
    const { grams, slots, bits } = this;
    const gram = this.gramCount;
    this.gramCount += 1;
    grams.hash[gram] = mixed;
    grams.word[gram] = first;
    const mask = slots.length - 1;
    let slot = mixed & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = gram + 1;
    const bit = (mixed >>> 5) & (bits.length - 1);
    bits[bit] = (bits[bit] as number) | (1 << (mixed & 31));
    return gram;
  }

  private lookUp(mixed: number, words: LowerWords, first: number): number {
    const { slots, grams } = this;
    const mask = slots.length - 1;
    for (let slot = mixed & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const gram = (slots[slot] as number) - 1;
      if (grams.hash[gram] === mixed && this.equal(grams.word[gram] as number, words, first)) return gram;
    }
    return -1;
  }

  private equal(otherFirst: number, words: LowerWords, first: number): boolean {
    const other = this.words;
    for (let word = 0; word < this.size; word += 1) {
      const start = words.starts[first + word] as number;
      const otherStart = other.starts[otherFirst + word] as number;
      const length = (words.ends[first + word] as number) - start;
      if (length !== (other.ends[otherFirst + word] as number) - otherStart) return false;
      for (let index = 0; index < length; index += 1)
        if (words.units[start + index] !== other.units[otherStart + index]) return false;
    }
    return true;
  }

  /** Follows each document's runs through the matches, which are in the order of the text. */
  private gather(text: string, { grams, positions }: Matches): SharedNgrams[] {
    const { runs, links } = this;
    const touched: number[] = [];
    const seen = new Set<number>();
    grams.forEach((gram, match) => {
      const position = positions[match] as number;
      const isNew = seen.has(gram) ? 0 : 1;
      seen.add(gram);
      for (let link = this.grams.firstLink[gram] as number; link !== none; link = links.next[link] as number) {
        const document = links.document[link] as number;
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
    const places = this.text.placesIn(text);
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
    const [first, ...others] = [...new Set(grams)]
      .map((gram) => this.documentsOf(gram))
      .sort((a, b) => a.length - b.length);
    let common = new Set(first);
    for (const list of others) common = new Set(list.filter((document) => common.has(document)));
    return common.size;
  }

  private documentsOf(gram: number): number[] {
    const documents: number[] = [];
    for (let link = this.grams.firstLink[gram] as number; link !== none; link = this.links.next[link] as number)
      documents.push(this.links.document[link] as number);
    return documents;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** N-grams of the documents that stand in a text, and the number of their first word in it. */
interface Matches {
  grams: number[];
  positions: number[];
}

const none = -1;

/** A window's hash is a polynomial in the words' hashes modulo 2^32: it moves on by one word in constant time. */
const base = 0x9e3779b1 | 0;

function powerOfBase(exponent: number): number {
  let power = 1;
  for (let index = 0; index < exponent; index += 1) power = Math.imul(power, base);
  return power;
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function powerOfTwo(least: number): number {
  let size = 16;
  while (size < least) size *= 2;
  return size;
}
