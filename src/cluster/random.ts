import { createHash } from 'node:crypto';

/** Numbers in [0, 1), the same for the same seed and purpose on every machine (sfc32 seeded by a hash). */
export type Random = () => number;

export function seededRandom(seed: number, purpose: string): Random {
  const state = createHash('sha256').update(`${seed} ${purpose}`).digest();
  let a = state.readInt32LE(0);
  let b = state.readInt32LE(4);
  let c = state.readInt32LE(8);
  let counter = state.readInt32LE(12);
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
}

/** `count` of 0 … `total` − 1 without repeats, in the order in which they were drawn. */
export function sample(total: number, count: number, random: Random): Int32Array {
  const all = Int32Array.from({ length: total }, (_, place) => place);
  shuffle(all, random, count);
  return all.slice(0, count);
}

/** Shuffles the first `count` places of `list` (drawn from all of it). */
export function shuffle(list: Int32Array, random: Random, count = list.length): void {
  for (let place = 0; place < count; place += 1) {
    const other = place + Math.floor(random() * (list.length - place));
    const kept = list[place] as number;
    list[place] = list[other] as number;
    list[other] = kept;
  }
}
