import type { Json } from '../../store/fingerprint.js';
import type { LoadedBenchmark } from '../items.js';
import type { RewordedOptions } from '../options.js';
import { type OwnTails, tailThreshold } from './calibrate.js';
import { doubtShares } from './doubt.js';
import type { Finder, Scored } from './finder.js';
import { nats } from './score.js';
import { candidateRows } from './table.js';

/** Items that are compared at once. */
const batchSize = 1_024;

/** What a benchmark's own items said: for `finish`. */
export type BenchmarkTails = {
  [key: string]: Json;
  benchmark: string;
  items: number;
  first: number;
  second: number;
  /** The score, in nats, that a share of its items reaches against the others: where a band of doubt may begin. */
  bands: { share: number; from: number }[];
};

/** Each item as a text among the others: how close look-alikes come, per benchmark. */
export async function ownTails(
  finder: Finder,
  loaded: readonly LoadedBenchmark[],
  options: RewordedOptions,
  signal?: AbortSignal,
): Promise<BenchmarkTails[]> {
  const tails: BenchmarkTails[] = [];
  let first = 0;
  for (const { name, items } of loaded) {
    const best: Best[] = [];
    for (let start = 0; start < items.length; start += batchSize) {
      const part = items.slice(start, start + batchSize);
      const found = await finder.find(
        part.map((item) => item.question),
        { own: part.map((_, index) => first + start + index), ...(signal === undefined ? {} : { signal }) },
      );
      best.push(...found.map((each) => bestOf(each, name, finder)));
    }
    first += items.length;
    tails.push({ benchmark: name, items: items.length, ...tailsOf(best, options) });
  }
  return tails;
}

// ---------------------------------------------------------------------------------------------------------------------

interface Best {
  first: number | null;
  second: number | null;
}

function tailsOf(best: readonly Best[], options: RewordedOptions): OwnTails & Pick<BenchmarkTails, 'bands'> {
  const scores = (of: keyof Best) => best.map((each) => each[of]).filter((each) => each !== null);
  const shares = [...new Set([...doubtShares, ...(options.doubt === undefined ? [] : [options.doubt])])];
  return {
    first: tailThreshold(scores('first'), best.length, options.false_alarms),
    second: tailThreshold(scores('second'), best.length, options.false_alarms),
    bands: shares
      .sort((a, b) => a - b)
      .map((share) => ({ share, from: tailThreshold(scores('first'), best.length, share) })),
  };
}

/** The best score in a benchmark, and the best of those that are another question than the text's best. */
function bestOf(found: readonly Scored[], benchmark: string, finder: Finder): Best {
  const rows = candidateRows(found, finder.items, finder.words.twins).filter((row) => row.benchmark === benchmark);
  const most = (scores: number[]) => (scores.length === 0 ? null : nats(Math.max(...scores)));
  return {
    first: most(rows.map((row) => row.score as number)),
    second: most(rows.filter((row) => row.beside === true).map((row) => row.score as number)),
  };
}
