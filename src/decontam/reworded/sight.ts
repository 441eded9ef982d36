import type { Sight } from '../coverage.js';
import type { Item } from '../items.js';
import { termsOf } from './terms.js';

/** With fewer terms a question has too many neighbours for another wording of it to be told from them. */
const leastTerms = 4;

/** What the method sees of the items. */
export function rewordedSight(items: readonly Item[]): Sight {
  const counts = items.map((item) => new Set(termsOf(`${item.question}\n${item.options.join('\n')}`)).size);
  return {
    name: 'reworded',
    blindTo: (item) => (counts[item] === 0 ? 'without a word' : null),
    limitOf: (item) =>
      (counts[item] as number) > 0 && (counts[item] as number) < leastTerms
        ? `with fewer than ${leastTerms} words`
        : null,
  };
}
