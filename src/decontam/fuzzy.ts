import { RatioIndex } from '../text/ratio.js';
import type { Item } from './items.js';
import type { Method } from './method.js';

/** open-thoughts' rule: RapidFuzz's `fuzz.ratio` of the whole text and the item, at or above the threshold. */
export function fuzzyMethod(items: readonly Item[], threshold: number): Method {
  const index = new RatioIndex(
    items.map((item) => item.compared),
    threshold,
  );
  return {
    name: `fuzzy_${threshold}`,
    find(text) {
      const found = index.find(text);
      return found.map((match) => ({
        item: match.document,
        score: match.ratio,
        start: 0,
        end: text.length,
        count: found.length,
      }));
    },
    blindTo: () => null,
  };
}
