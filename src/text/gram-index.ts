/**
 * Which of many short texts ("fields") a text might hold: an index of their grams of symbols. It proposes and does not
 * judge, so a hash is as good as the gram itself. Grams that stand in very many fields are left out: a phrase that all
 * exams share proposes nothing.
 */
export class GramIndex {
  private readonly tiers: Tier[];
  private readonly hits: Int32Array;

  constructor(fields: readonly Uint16Array[]) {
    this.hits = new Int32Array(fields.length);
    this.tiers = [
      buildTier(fields, 5, (length) => length >= 5 && length <= longestShort, 0.35, { window: 192, step: 128 }),
      buildTier(fields, 8, (length) => length > longestShort, 0.2, null),
    ];
  }

  /** Fields that share enough grams with the text, in rising order. Short fields must find theirs close together. */
  propose(symbols: Uint16Array, count: number): number[] {
    if (count === 0) return [];
    const proposed = new Set<number>();
    for (const tier of this.tiers) {
      const { window, step } = tier.windows ?? { window: count, step: count };
      for (let start = 0; start === 0 || start < count - tier.size; start += step)
        this.count(tier, symbols, start, Math.min(count, start + window), proposed);
    }
    return [...proposed].sort((a, b) => a - b);
  }

  private count(tier: Tier, symbols: Uint16Array, start: number, end: number, proposed: Set<number>): void {
    const { hits } = this;
    const touched: number[] = [];
    for (let at = start; at + tier.size <= end; at += 1) {
      const bucket = gramHash(symbols, at, tier.size);
      const stop = tier.offsets[bucket + 1] as number;
      for (let posting = tier.offsets[bucket] as number; posting < stop; posting += 1) {
        const field = tier.postings[posting] as number;
        if (hits[field] === 0) touched.push(field);
        hits[field] = (hits[field] as number) + 1;
      }
    }
    for (const field of touched) {
      if ((hits[field] as number) >= (tier.needed[field] as number)) proposed.add(field);
      hits[field] = 0;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Fields up to this many symbols are looked for by short grams, within a window. */
const longestShort = 48;
const bucketBits = 20;
const mostPostings = 250;

interface Tier {
  size: number;
  windows: { window: number; step: number } | null;
  offsets: Int32Array;
  postings: Int32Array;
  /** Grams that a text must share with the field. */
  needed: Int32Array;
}

function buildTier(
  fields: readonly Uint16Array[],
  size: number,
  takes: (length: number) => boolean,
  share: number,
  windows: Tier['windows'],
): Tier {
  // The bucket of each gram, in the order of the fields: each is hashed once.
  const taken = fields.flatMap((symbols, field) => (takes(symbols.length) ? [field] : []));
  const symbolsOf = (field: number) => fields[field] as Uint16Array;
  const buckets = new Int32Array(taken.reduce((sum, field) => sum + symbolsOf(field).length - size + 1, 0));
  const counts = new Int32Array(1 << bucketBits);
  let gram = 0;
  for (const field of taken) {
    const symbols = symbolsOf(field);
    for (let at = 0; at + size <= symbols.length; at += 1, gram += 1) {
      const bucket = gramHash(symbols, at, size);
      buckets[gram] = bucket;
      counts[bucket] = (counts[bucket] as number) + 1;
    }
  }
  const offsets = new Int32Array((1 << bucketBits) + 1);
  for (let bucket = 0; bucket < 1 << bucketBits; bucket += 1) {
    const kept = (counts[bucket] as number) > mostPostings ? 0 : (counts[bucket] as number);
    offsets[bucket + 1] = (offsets[bucket] as number) + kept;
  }
  const postings = new Int32Array(offsets[1 << bucketBits] as number);
  const next = offsets.slice();
  const kept = new Int32Array(fields.length);
  gram = 0;
  for (const field of taken)
    for (const end = gram + symbolsOf(field).length - size + 1; gram < end; gram += 1) {
      const bucket = buckets[gram] as number;
      if ((counts[bucket] as number) > mostPostings) continue;
      postings[next[bucket] as number] = field;
      next[bucket] = (next[bucket] as number) + 1;
      kept[field] = (kept[field] as number) + 1;
    }
  return { size, windows, offsets, postings, needed: kept.map((grams) => Math.max(1, Math.ceil(grams * share))) };
}

function gramHash(symbols: Uint16Array, at: number, size: number): number {
  let hash = 0;
  for (let index = at; index < at + size; index += 1)
    hash = Math.imul(hash ^ (symbols[index] as number), 0x01000193) ^ (hash >>> 15);
  return Math.imul(hash, 0x9e3779b1) >>> (32 - bucketBits);
}
