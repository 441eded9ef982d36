import type { Took } from '../../llm/asker.js';

/** A prompt in the band of doubt: too near to an item to be let go unseen, not near enough to drop. */
export interface Doubt {
  promptKey: string;
  prompt: string;
  /** By falling score; of equals by rank. */
  candidates: DoubtCandidate[];
}

export interface DoubtCandidate {
  /** The item's place among all items of the run. */
  item: number;
  benchmark: string;
  itemId: string;
  /** Question and options. */
  text: string;
  score: number;
  rank: number;
}

/** Bands whose cost is reported: shares of the prompts that are no leak. */
export const doubtShares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1];

/** The share of prompts that may lie in the band: wider where somebody judges them, as a person reads no half of a run. */
export function doubtShare({ doubt, judge }: { doubt?: number | undefined; judge: unknown }): number {
  return doubt ?? (judge === false ? 0.1 : 0.5);
}

/** A candidate of a prompt. */
export interface Pair {
  promptKey: string;
  benchmark: string;
  itemId: string;
}

/** What a judge said of the band. Most of it is about the same topic only, so that is what is not listed. */
export interface Ruling {
  /** The prompt asks what the item asks. */
  same: Pair[];
  /** Of these it said nothing: an invalid answer, or not asked as the prompt was found to be a leak before. */
  open: Pair[];
  /** How many are about the same topic only. */
  cleared: number;
}

/** Rules on the band of doubt, in the order of the prompts table. `took`: what that cost, for notes that no lock holds. */
export type RuleOnDoubts = (doubts: AsyncIterable<Doubt>) => Promise<{ ruling: Ruling; took: Took }>;
