import type { Json } from '../../store/fingerprint.js';
import { Random } from '../random.js';
import type { SelfTestResult } from '../self-test.js';
import type { Finder } from './finder.js';
import { type Limit, rewordedName } from './limits.js';
import { type RewordingKind, reword } from './reword.js';
import { termsOf } from './terms.js';

/** A rewording that was planted: the best score of its item, or null where that is not among the candidates. */
export type Planted = { [key: string]: Json; kind: string; benchmark: string; score: number | null };

/** Kinds of rewording that need no model; what a model writes is harder to find. A copy is found, or the method is broken. */
const kinds: readonly ('verbatim' | RewordingKind)[] = [
  'verbatim',
  'other words',
  'sentences',
  'notes',
  'open question',
];

/** With fewer terms a question is one of those that coverage calls limited. */
const leastTerms = 4;

/** Plants rewordings of the benchmarks' own items and looks for them, before thresholds are known. */
export async function plantRewordings(
  finder: Finder,
  seed: number,
  perKind: number,
  signal?: AbortSignal,
): Promise<Planted[]> {
  const texts: { kind: string; item: number; text: string }[] = [];
  kinds.forEach((kind, stream) => {
    const random = new Random(seed, firstStream + stream);
    let made = 0;
    for (let tries = 0; made < perKind && tries < perKind * triesPerLeak; tries += 1) {
      const item = random.below(finder.items.length);
      const { question } = finder.items[item] as { question: string };
      if (new Set(termsOf(question)).size < leastTerms) continue;
      const text = kind === 'verbatim' ? question : reword(question, kind, random);
      // A question without a word of the table stays as it is and is no rewording.
      if (text === null || (kind !== 'verbatim' && text === question)) continue;
      made += 1;
      texts.push({ kind: kind === 'verbatim' ? kind : `reworded by rule: ${kind}`, item, text });
    }
  });
  const found = await finder.find(
    texts.map((each) => each.text),
    signal === undefined ? {} : { signal },
  );
  return texts.map(({ kind, item }, place) => {
    const { twins } = finder.words;
    const own = (found[place] ?? []).filter((each) => twins[each.item] === twins[item]).map((each) => each.score);
    return {
      kind,
      benchmark: finder.items[item]?.benchmark ?? '',
      score: own.length === 0 ? null : Math.max(...own),
    };
  });
}

/** How many of them reach their benchmark's threshold. */
export function plantedResults(planted: readonly Planted[], limits: readonly Limit[]): SelfTestResult[] {
  const thresholds = new Map(limits.map((limit) => [limit.benchmark, limit.threshold]));
  return [...new Set(planted.map((each) => each.kind))].map((kind) => {
    const own = planted.filter((each) => each.kind === kind);
    const found = own.filter(({ score, benchmark }) => score !== null && score >= (thresholds.get(benchmark) ?? 0));
    return { kind, method: rewordedName, planted: own.length, blind: 0, found: found.length };
  });
}

/** A sentence for each kind of which so few are found that the method cannot be relied on here. */
export function plantedWarnings(results: readonly SelfTestResult[]): string[] {
  return results
    .filter(({ kind, planted, found }) => found < planted * (kind === 'verbatim' ? leastOfCopies : leastOfOtherWords))
    .filter(({ kind }) => kind === 'verbatim' || kind.endsWith('other words'))
    .map(
      ({ kind, planted, found }) =>
        `reworded: found ${found} of ${planted} of its benchmarks' questions that were planted (${kind}); do not rely on it here`,
    );
}

// ---------------------------------------------------------------------------------------------------------------------

/** After the streams of the other methods' self-test. */
const firstStream = 1_000;
const triesPerLeak = 20;
const leastOfCopies = 0.9;
const leastOfOtherWords = 0.5;
