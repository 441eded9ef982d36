import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { dataFolder } from '../product.js';

/**
 * How much it says that two texts share a word: the negative logarithm of the share of questions that hold it (nats),
 * by a shipped table and by the items themselves. A phrase that many items share says little, however rare its words.
 */
export class Evidence {
  private readonly shipped = shippedRarity();
  /** Per word of the items: in how many texts it stands, and what it says. */
  private readonly documents = new Map<string, { count: number; nats: number }>();
  private readonly fieldCount: number;
  private readonly phrases: { size: number; least: number; counts: Uint16Array }[] = [
    { size: 5, least: 5, counts: new Uint16Array(phraseBuckets) },
    { size: 3, least: 12, counts: new Uint16Array(phraseBuckets) },
  ];

  /** Folded words of each distinct text of the items. */
  constructor(fields: readonly (readonly string[])[]) {
    this.fieldCount = fields.length + smoothing;
    for (const words of fields) {
      for (const word of new Set(words)) {
        const known = this.documents.get(word);
        if (known === undefined) this.documents.set(word, { count: 1, nats: mostNats });
        else known.count += 1;
      }
      for (const { size, counts } of this.phrases)
        for (let at = 0; at + size <= words.length; at += 1) {
          const bucket = phraseBucket(words, at, size);
          counts[bucket] = Math.min(0xffff, (counts[bucket] as number) + 1);
        }
    }
    for (const [word, known] of this.documents) {
      const here = known.count === 1 ? mostNats : -Math.log((known.count - 1) / this.fieldCount);
      known.nats = Math.min(mostNats, this.shipped.get(word) ?? mostNats, here);
    }
  }

  /** What a single word says. */
  word(word: string): number {
    return this.documents.get(word)?.nats ?? Math.min(mostNats, this.shipped.get(word) ?? mostNats);
  }

  /**
   * Whether `own` is a mistyped `word` rather than another word: people hardly use it, or so much less than the other
   * that it is how they mistype that one.
   */
  isTypo(own: string, word: string): boolean {
    if ((this.documents.get(own)?.count ?? 0) >= 3) return false;
    const shipped = this.shipped.get(own);
    return shipped === undefined
      ? !this.documents.has(own)
      : shipped > (this.shipped.get(word) ?? mostNats) + muchRarer;
  }

  /** What each word of an item's text says, where it stands. */
  field(words: readonly string[]): number[] {
    const nats = words.map((word) => this.word(word));
    for (const { size, least, counts } of this.phrases)
      for (let at = 0; at + size <= words.length; at += 1) {
        const count = counts[phraseBucket(words, at, size)] as number;
        if (count < least) continue;
        const share = -Math.log(count / this.fieldCount) / size;
        for (let index = at; index < at + size; index += 1) nats[index] = Math.min(nats[index] as number, share);
      }
    return nats;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** No single word is proof. */
const mostNats = 9;
/** How much rarer a mistyped word is than the word, in nats. */
const muchRarer = 5;
/** With few items, what they share says little about what questions share. */
const smoothing = 2000;
const phraseBuckets = 1 << 22;

let rarity: Map<string, number> | null = null;

function shippedRarity(): Map<string, number> {
  if (rarity !== null) return rarity;
  rarity = new Map();
  const lines = gunzipSync(readFileSync(join(dataFolder, 'rarity', 'words.tsv.gz')))
    .toString('utf8')
    .split('\n');
  for (const line of lines) {
    const [word, tenths] = line.split('\t');
    if (word !== undefined && tenths !== undefined) rarity.set(word, Number(tenths) / 10);
  }
  return rarity;
}

function phraseBucket(words: readonly string[], at: number, size: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = at; index < at + size; index += 1) {
    const word = words[index] as string;
    for (let unit = 0; unit < word.length; unit += 1) hash = Math.imul(hash ^ word.charCodeAt(unit), 0x01000193);
    hash = Math.imul(hash ^ 0x20, 0x01000193);
  }
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 10;
}
