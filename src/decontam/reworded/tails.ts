import type { Json } from '../../store/fingerprint.js';
import type { LoadedBenchmark } from '../items.js';
import type { Finder, Scored } from './finder.js';
import { nats } from './score.js';
import { candidateRows } from './table.js';

/** Items that are compared at once. */
const batchSize = 1_024;

/**
 * What a benchmark's own items say of its look-alikes, for `finish`: in nats and falling, what each item's best candidate
 * among the others scores, and the best of those that are another question than that.
 */
export type BenchmarkTails = {
  [key: string]: Json;
  benchmark: string;
  items: number;
  firsts: number[];
  seconds: number[];
};

/** Each item as a text among the others: how close look-alikes come, per benchmark. */
export async function ownTails(
  finder: Finder,
  loaded: readonly Pick<LoadedBenchmark, 'name' | 'items'>[],
  signal?: AbortSignal,
): Promise<BenchmarkTails[]> {
  const tails: BenchmarkTails[] = [];
  let first = 0;
  for (const { name, items } of loaded) {
    const found: Scored[][] = [];
    for (let start = 0; start < items.length; start += batchSize) {
      const part = items.slice(start, start + batchSize);
      const own = part.map((_, index) => first + start + index);
      found.push(
        ...(await finder.find(
          part.map((item) => item.question),
          { own, ...(signal === undefined ? {} : { signal }) },
        )),
      );
    }
    first += items.length;
    tails.push({
      benchmark: name,
      items: items.length,
      firsts: falling(found.map((each) => bestOf(each, name, finder, false))),
      seconds: falling(found.map((each) => bestOf(each, name, finder, true))),
    });
  }
  return tails;
}

// ---------------------------------------------------------------------------------------------------------------------

/** The best score in a benchmark; with `beside`, of those that are another question than the text's best. */
function bestOf(found: readonly Scored[], benchmark: string, finder: Finder, beside: boolean): number | null {
  const scores = candidateRows(found, finder.items, finder.words.twins)
    .filter((row) => row.benchmark === benchmark && (!beside || row.beside === true))
    .map((row) => row.score as number);
  return scores.length === 0 ? null : nats(Math.max(...scores));
}

function falling(scores: readonly (number | null)[]): number[] {
  return scores
    .filter((each) => each !== null)
    .map((each) => Number(each.toFixed(4)))
    .sort((a, b) => b - a);
}
