import { NgramIndex } from '../text/ngrams.js';
import type { Item } from './items.js';
import type { Finding, Method } from './method.js';

/** Items per benchmark that one text's hits name: a phrase can occur in hundreds, and one is enough to flag. */
const itemsPerBenchmark = 100;

/** open-r1's rule: one shared n-gram of words is enough. The score is the share of the item's n-grams that the text holds. */
export function ngramMethod(items: readonly Item[], size: number): Method {
  const index = new NgramIndex(
    items.map((item) => item.compared),
    size,
  );
  return {
    name: `ngram_${size}`,
    find(text) {
      const found = index.find(text).map(
        (match): Finding => ({
          item: match.document,
          score: (100 * match.shared) / index.count(match.document),
          start: match.start,
          end: match.end,
          count: match.documents,
        }),
      );
      return found.length <= itemsPerBenchmark ? found : bestPerBenchmark(found, items);
    },
    blindTo: (item) => (index.canMatch(item) ? null : `with fewer than ${size} words`),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function bestPerBenchmark(found: readonly Finding[], items: readonly Item[]): Finding[] {
  const taken = new Map<string, number>();
  const kept = [...found]
    .sort((a, b) => b.score - a.score || a.item - b.item)
    .filter((finding) => {
      const { benchmark } = items[finding.item] as Item;
      const count = (taken.get(benchmark) ?? 0) + 1;
      taken.set(benchmark, count);
      return count <= itemsPerBenchmark;
    });
  return kept.sort((a, b) => a.item - b.item);
}
