/**
 * Word n-grams that a text shares with any of many documents, exactly as open-r1's decontamination compares them:
 * lower-case, words as `str.split()` gives them, no folding of punctuation or Unicode forms. Hashes only ever discard,
 * every match is confirmed word by word. An n-gram is looked for by its halves: of a text a half is looked up now and
 * then, so far apart that each n-gram holds one of them, and nearly none of those occurs in any document.
 */
import { LowerWords } from './lower-words.js';
import { wordPlaces } from './spaces.js';

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
  /** The words of all documents, one after the other, which stay; then those of a text. */
  private readonly words: LowerWords;
  /** Where the words of each document start, and where those of the last end. */
  private readonly wordStarts: Int32Array;
  /** Words of half an n-gram, and how far apart halves are looked up. */
  private readonly half: number;
  private readonly step: number;
  /** Of each half in the documents two bits of one number, which its hash tells. */
  private readonly bits: Int32Array;
  /** Where the entries of each bucket start, which the high bits of a hash number, and where those of the last end. */
  private readonly buckets: Int32Array;
  /**
   * An entry for each n-gram of each document, in the order of the documents within a bucket: its hash and the first of
   * its words. The first with the same words stands for the n-gram.
   */
  private readonly entries: Int32Array;
  /** What was asked for before: the documents of n-grams, and how many n-grams documents have. */
  private readonly holders = new Map<number, number[]>();
  private readonly counts = new Map<number, number>();
  /** Per document while a text is looked at; `shared` is 0 between texts. */
  private readonly runs: Record<'shared' | 'from' | 'to' | 'bestFrom' | 'bestTo', Int32Array>;

  constructor(documents: readonly string[], size: number) {
    this.size = size;
    this.half = Math.ceil(size / 2);
    this.step = size - this.half + 1;
    const column = () => new Int32Array(documents.length);
    this.runs = { shared: column(), from: column(), to: column(), bestFrom: column(), bestTo: column() };
    // With room behind them for a text.
    this.words = new LowerWords(documents.reduce((sum, document) => sum + document.length + 1, 1 << 16));
    this.wordStarts = new Int32Array(documents.length + 1);
    let count = 0;
    documents.forEach((document, index) => {
      this.words.add(document);
      this.wordStarts[index + 1] = this.words.count;
      count += this.gramsOf(index);
    });
    this.words.keep();
    this.entries = new Int32Array(2 * count);
    this.bits = new Int32Array(powerOfTwo(count / 4));
    this.buckets = new Int32Array(powerOfTwo(count / 4) + 1);
    this.enter();
  }

  /** Whether the document has an n-gram: with none it can never match. */
  canMatch(document: number): boolean {
    return this.gramsOf(document) > 0;
  }

  /** How many distinct n-grams the document has. */
  count(document: number): number {
    const known = this.counts.get(document);
    if (known !== undefined) return known;
    const first = this.wordStarts[document] as number;
    const words = Array.from({ length: this.gramsOf(document) }, (_, gram) => first + gram);
    const hashes = new Set(words.map((word) => this.hash(word)));
    // Where two hashes are equal, so may two n-grams be.
    const grams = hashes.size === words.length ? hashes : new Set(words.map((word) => this.lookUp(word)));
    this.counts.set(document, grams.size);
    return grams.size;
  }

  /** What the text shares with each document, in the order of the documents. */
  find(text: string): SharedNgrams[] {
    const { words, half, step } = this;
    words.clear();
    words.add(text);
    const first = words.kept;
    const last = words.count - this.size;
    const found: Matches = { grams: [], positions: [] };
    for (let place = first; place + half <= words.count; place += step) {
      if (!this.mayHold(this.hashHalf(place))) continue;
      // The n-grams that hold this half.
      for (let word = Math.max(first, place - step + 1); word <= Math.min(place, last); word += 1) {
        const gram = this.lookUp(word);
        if (gram === none) continue;
        found.grams.push(gram);
        found.positions.push(word - first);
      }
    }
    return found.grams.length === 0 ? [] : this.gather(text, found);
  }

  // -------------------------------------------------------------------------------------------------------------------

  private gramsOf(document: number): number {
    const words = (this.wordStarts[document + 1] as number) - (this.wordStarts[document] as number);
    return Math.max(0, words - this.size + 1);
  }

  /** Sets the bits and fills the buckets. */
  private enter(): void {
    const { bits, buckets, entries, wordStarts, step } = this;
    const shift = this.shift();
    const halves = new Int32Array(this.words.count);
    for (let document = 0; document + 1 < wordStarts.length; document += 1) {
      const grams = this.gramsOf(document);
      if (grams === 0) continue;
      const first = wordStarts[document] as number;
      for (let word = first; word < first + grams + step - 1; word += 1) {
        const hash = this.hashHalf(word);
        halves[word] = hash;
        const place = placeOf(hash, bits);
        bits[place] = (bits[place] as number) | bitsOf(hash);
      }
      for (let word = first; word < first + grams; word += 1) {
        const bucket = join(halves[word] as number, halves[word + step - 1] as number) >>> shift;
        buckets[bucket] = (buckets[bucket] as number) + 1;
      }
    }
    // From how many there are to where they end; filled from the last on, each comes to where it starts.
    for (let bucket = 1; bucket < buckets.length; bucket += 1)
      buckets[bucket] = (buckets[bucket] as number) + (buckets[bucket - 1] as number);
    for (let document = wordStarts.length - 2; document >= 0; document -= 1) {
      const first = wordStarts[document] as number;
      for (let word = first + this.gramsOf(document) - 1; word >= first; word -= 1) {
        const hash = join(halves[word] as number, halves[word + step - 1] as number);
        const entry = (buckets[hash >>> shift] as number) - 1;
        buckets[hash >>> shift] = entry;
        entries[2 * entry] = hash;
        entries[2 * entry + 1] = word;
      }
    }
  }

  /** Of the n-gram whose first word is given. */
  private hash(first: number): number {
    return join(this.hashHalf(first), this.hashHalf(first + this.step - 1));
  }

  private hashHalf(first: number): number {
    const { hashes } = this.words;
    const end = first + this.half;
    let hash = 0;
    for (let word = first; word < end; word += 1) hash = (Math.imul(hash, base) + (hashes[word] as number)) | 0;
    return mix(hash);
  }

  private mayHold(half: number): boolean {
    const { bits } = this;
    const wanted = bitsOf(half);
    return ((bits[placeOf(half, bits)] as number) & wanted) === wanted;
  }

  /** The entry that stands for the n-gram whose first word is given, or `none`. */
  private lookUp(first: number): number {
    const { buckets, entries } = this;
    const hash = this.hash(first);
    const bucket = hash >>> this.shift();
    const end = buckets[bucket + 1] as number;
    for (let entry = buckets[bucket] as number; entry < end; entry += 1)
      if (entries[2 * entry] === hash && this.equal(entries[2 * entry + 1] as number, first)) return entry;
    return none;
  }

  private equal(one: number, other: number): boolean {
    const { starts, ends, units } = this.words;
    for (let word = 0; word < this.size; word += 1) {
      const start = starts[one + word] as number;
      const otherStart = starts[other + word] as number;
      const length = (ends[one + word] as number) - start;
      if (length !== (ends[other + word] as number) - otherStart) return false;
      for (let index = 0; index < length; index += 1)
        if (units[start + index] !== units[otherStart + index]) return false;
    }
    return true;
  }

  /** Follows each document's runs through the matches, which are in the order of the text. */
  private gather(text: string, { grams, positions }: Matches): SharedNgrams[] {
    const { runs } = this;
    const touched: number[] = [];
    const seen = new Set<number>();
    grams.forEach((gram, match) => {
      const position = positions[match] as number;
      const isNew = seen.has(gram) ? 0 : 1;
      seen.add(gram);
      for (const document of this.documentsOf(gram)) {
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
    const places = wordPlaces(text);
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

  /** The documents that hold the n-gram for which the entry stands, in rising order. */
  private documentsOf(gram: number): number[] {
    const known = this.holders.get(gram);
    if (known !== undefined) return known;
    const { entries, buckets, wordStarts } = this;
    const hash = entries[2 * gram] as number;
    const word = entries[2 * gram + 1] as number;
    const end = buckets[(hash >>> this.shift()) + 1] as number;
    const holders: number[] = [];
    let next = 0;
    for (let entry = gram; entry < end; entry += 1) {
      const other = entries[2 * entry + 1] as number;
      // Another of the document that was found last.
      if (other < next || entries[2 * entry] !== hash || (entry !== gram && !this.equal(word, other))) continue;
      const holder = upperBound(wordStarts, other) - 1;
      holders.push(holder);
      next = wordStarts[holder + 1] as number;
    }
    this.holders.set(gram, holders);
    return holders;
  }

  /** How far a hash is moved to give the number of its bucket. */
  private shift(): number {
    return Math.clz32(this.buckets.length - 1) + 1;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** N-grams of the documents that stand in a text, and the number of their first word in it. */
interface Matches {
  grams: number[];
  positions: number[];
}

const none = -1;

const base = 0x9e3779b1 | 0;

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The hash of an n-gram from those of its first and its last half, which share a word where `n` is odd. */
function join(first: number, last: number): number {
  return mix((Math.imul(first, base) + last) | 0);
}

function placeOf(half: number, bits: Int32Array): number {
  return (half >>> 10) & (bits.length - 1);
}

function bitsOf(half: number): number {
  return (1 << (half & 31)) | (1 << ((half >>> 5) & 31));
}

function powerOfTwo(least: number): number {
  let size = 16;
  while (size < least) size *= 2;
  return size;
}

/** The first index whose value is greater than `value`; the values rise. */
function upperBound(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
