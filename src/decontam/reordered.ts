import type { Field } from './fields.js';
import type { Inspected } from './surroundings.js';

/** Where a question stands whose sentences are in another order. */
export interface Reordered {
  /** In nats: the words of the question that stand there. */
  matched: number;
  /** Half-open range of the text's symbols. */
  first: number;
  end: number;
}

/** What a question must say, in nats: a few sentences. */
const leastNats = 60;
/** The share of it that must stand there, each stretch word for word, and the share of its last sentence. */
const leastShare = 0.9;
const leastShareOfAsk = 0.8;
/** Symbols of a stretch: some words. */
const leastStretch = 16;

/**
 * A question of several sentences that all stand in the text, in whatever order; null where they do not. The last sentence is
 * what is asked: without it, it is the same case before another question.
 */
export function findReordered(question: Field, { folded, aligner }: Inspected): Reordered | null {
  if (question.askFrom === 0 || question.nats < leastNats) return null;
  const places = aligner.alignParts(question.symbols, folded.symbols, folded.count, leastStretch);
  let matched = 0;
  let asked = 0;
  let matchedAsk = 0;
  for (const [index, word] of question.words.entries()) {
    const isThere = places.subarray(word.start, word.end).every((place) => place !== -1);
    if (!isThere && /^\d+$/.test(word.text)) return null;
    if (isThere) matched += word.nats;
    if (index < question.askFrom) continue;
    asked += word.nats;
    if (isThere) matchedAsk += word.nats;
  }
  if (matched < question.nats * leastShare || matchedAsk < asked * leastShareOfAsk) return null;
  const there = places.filter((place) => place !== -1);
  return { matched, first: Math.min(...there), end: Math.max(...there) + 1 };
}
