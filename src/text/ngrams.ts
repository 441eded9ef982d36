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
  /** One bit per hash value's low bits: most n-grams of a text end here. */
  private readonly bits: Int32Array;
  /**
   * Of each bucket, which the high bits of a hash number: where its entries start and end. What is looked at together
   * lies together here and in `entries`: memory far apart is what this costs.
   */
  private readonly buckets: Int32Array;
  /**
   * An entry for each n-gram of each document, once: its hash, the first of its words, the document, and the first entry
   * with the same words, which stands for the n-gram. Of a bucket the entries are in the order of the documents.
   */
  private readonly entries: Int32Array;
  private readonly text = new LowerWords();
  /** Per document while a text is looked at; `shared` is 0 between texts. */
  private readonly runs: Record<'shared' | 'from' | 'to' | 'bestFrom' | 'bestTo', Int32Array>;

  constructor(documents: readonly string[], size: number) {
    this.size = size;
    this.counts = new Int32Array(documents.length);
    const column = () => new Int32Array(documents.length);
    this.runs = { shared: column(), from: column(), to: column(), bestFrom: column(), bestTo: column() };
    this.words.reserve(documents.reduce((sum, document) => sum + document.length + 1, 0));
    let most = 0;
    const ends = documents.map((document) => {
      const first = this.words.count;
      this.words.add(document);
      most += Math.max(0, this.words.count - first - size + 1);
      return this.words.count;
    });
    this.entries = new Int32Array(most * entryFields);
    this.bits = new Int32Array(powerOfTwo(most / 2));
    this.buckets = new Int32Array(powerOfTwo(most / 2) * 2);
    const hashes = this.hashAll(ends, most);
    this.open(hashes);
    this.enter(ends, hashes);
    this.unite();
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
      if (gram === none) continue;
      found.grams.push(gram);
      found.positions.push(first);
    }
    return found.grams.length === 0 ? [] : this.gather(text, found);
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** The hashes of all n-grams in the order of the documents, whose words end at `ends`. */
  private hashAll(ends: readonly number[], count: number): Int32Array {
    const { size } = this;
    const { hashes } = this.words;
    const leading = powerOfBase(size - 1);
    const mixed = new Int32Array(count);
    let next = 0;
    let from = 0;
    for (const to of ends) {
      let hash = 0;
      for (let last = from; last < to; last += 1) {
        hash = (Math.imul(hash, base) + (hashes[last] as number)) | 0;
        const first = last - size + 1;
        if (first < from) continue;
        mixed[next] = mix(hash);
        next += 1;
        hash = (hash - Math.imul(hashes[first] as number, leading)) | 0;
      }
      from = to;
    }
    return mixed;
  }

  /** Sets the bits, and makes room in the buckets. */
  private open(hashes: Int32Array): void {
    const { bits, buckets } = this;
    const mask = bits.length - 1;
    const shift = shiftOf(buckets);
    for (let index = 0; index < hashes.length; index += 1) {
      const mixed = hashes[index] as number;
      const bit = (mixed >>> 5) & mask;
      bits[bit] = (bits[bit] as number) | (1 << (mixed & 31));
      const bucket = (mixed >>> shift) * 2;
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    let start = 0;
    for (let bucket = 0; bucket < buckets.length; bucket += 2) {
      const count = buckets[bucket] as number;
      buckets[bucket] = buckets[bucket + 1] = start;
      start += count * entryFields;
    }
  }

  /** Enters all n-grams, each as one of its own; looks at no entry, which would be a wait for memory each. */
  private enter(documentEnds: readonly number[], hashes: Int32Array): void {
    const { size, buckets, entries } = this;
    const shift = shiftOf(buckets);
    let next = 0;
    let from = 0;
    for (let document = 0; document < documentEnds.length; document += 1) {
      const to = documentEnds[document] as number;
      for (let first = from; first + size <= to; first += 1) {
        const mixed = hashes[next] as number;
        next += 1;
        const bucket = (mixed >>> shift) * 2;
        const entry = buckets[bucket + 1] as number;
        buckets[bucket + 1] = entry + entryFields;
        entries[entry] = mixed;
        entries[entry + wordField] = first;
        entries[entry + documentField] = document;
        entries[entry + gramField] = entry;
      }
      from = to;
    }
  }

  /** Finds equal n-grams, bucket by bucket, and takes out what a document has twice. */
  private unite(): void {
    const { buckets, entries, counts } = this;
    for (let bucket = 0; bucket < buckets.length; bucket += 2) {
      const start = buckets[bucket] as number;
      const end = buckets[bucket + 1] as number;
      let kept = start;
      for (let entry = start; entry < end; entry += entryFields) {
        const mixed = entries[entry] as number;
        const word = entries[entry + wordField] as number;
        const document = entries[entry + documentField] as number;
        let gram = kept;
        for (let other = start; other < kept; other += entryFields)
          if (entries[other] === mixed && this.equal(entries[other + wordField] as number, this.words, word)) {
            gram = entries[other + gramField] as number;
            break;
          }
        if (gram !== kept && this.hasEntry(document, gram, start, kept)) continue;
        entries[kept] = mixed;
        entries[kept + wordField] = word;
        entries[kept + documentField] = document;
        entries[kept + gramField] = gram;
        kept += entryFields;
        counts[document] = (counts[document] as number) + 1;
      }
      buckets[bucket + 1] = kept;
    }
  }

  /** Whether the document, whose entries in `[start, end)` are the last, has the n-gram there. */
  private hasEntry(document: number, gram: number, start: number, end: number): boolean {
    const { entries } = this;
    for (let entry = end - entryFields; entry >= start; entry -= entryFields) {
      if (entries[entry + documentField] !== document) return false;
      if (entries[entry + gramField] === gram) return true;
    }
    return false;
  }

  private lookUp(mixed: number, words: LowerWords, first: number): number {
    const { buckets, entries } = this;
    const bucket = (mixed >>> shiftOf(buckets)) * 2;
    const end = buckets[bucket + 1] as number;
    for (let entry = buckets[bucket] as number; entry < end; entry += entryFields)
      if (entries[entry] === mixed && this.equal(entries[entry + wordField] as number, words, first))
        return entries[entry + gramField] as number;
    return none;
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
    const { runs, entries } = this;
    const touched: number[] = [];
    const seen = new Set<number>();
    grams.forEach((gram, match) => {
      const position = positions[match] as number;
      const isNew = seen.has(gram) ? 0 : 1;
      seen.add(gram);
      const end = this.endOf(gram);
      for (let entry = gram; entry < end; entry += entryFields) {
        if (entries[entry + gramField] !== gram) continue;
        const document = entries[entry + documentField] as number;
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
    const { entries } = this;
    const documents: number[] = [];
    const end = this.endOf(gram);
    for (let entry = gram; entry < end; entry += entryFields)
      if (entries[entry + gramField] === gram) documents.push(entries[entry + documentField] as number);
    return documents;
  }

  /** Where the bucket of an n-gram ends. */
  private endOf(gram: number): number {
    const bucket = ((this.entries[gram] as number) >>> shiftOf(this.buckets)) * 2;
    return this.buckets[bucket + 1] as number;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** N-grams of the documents that stand in a text, and the number of their first word in it. */
interface Matches {
  grams: number[];
  positions: number[];
}

const none = -1;

/** Of an entry, behind its hash. */
const [wordField, documentField, gramField, entryFields] = [1, 2, 3, 4] as const;

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

/** How far a hash is moved to give the number of its bucket: there are half as many as numbers, and at least 16. */
function shiftOf(buckets: Int32Array): number {
  return Math.clz32(buckets.length) + 2;
}

function powerOfTwo(least: number): number {
  let size = 16;
  while (size < least) size *= 2;
  return size;
}
