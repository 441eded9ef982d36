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

/** What a judge says of a prompt and a candidate. A candidate of which it says nothing stays in doubt. */
export interface Ruling {
  promptKey: string;
  benchmark: string;
  itemId: string;
  is: 'same question' | 'same topic';
}

/** Rules on the band of doubt, in the order of the prompts table. */
export type RuleOnDoubts = (doubts: AsyncIterable<Doubt>) => Promise<Ruling[]>;
