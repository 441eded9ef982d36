import { embeddingFlop } from '../compute/graph.js';

export interface EmbedCost {
  /** Of matrix products, in 10⁹ multiplications and additions. */
  gflop: number;
  memoryBytes: number;
  /** On the disk, in the run folder; the cache takes as much again. */
  diskBytes: number;
}

/** What embedding so many prompts will take, none of them in the cache. `tokens` is the average with the two special ones. */
export function embedCost(size: { prompts: number; tokens: number; workers: number }): EmbedCost {
  const session = 420e6;
  return {
    gflop: (size.prompts * embeddingFlop(size.tokens)) / 1e9,
    memoryBytes: 150e6 + size.workers * session,
    diskBytes: size.prompts * (384 * 4 + 36),
  };
}
