import { countCodePoints } from '../text/code-points.js';
import type { Sight } from './coverage.js';
import { fuzzyMethod } from './fuzzy.js';
import type { Item } from './items.js';
import type { Method } from './method.js';
import { type MethodSpec, methodName } from './method-name.js';
import { ngramMethod } from './ngram.js';
import { rewordedSight } from './reworded/sight.js';
import { strictMethod } from './strict.js';

/** A row of the table `hits`, but for the key of what it was found in. */
export interface Hit {
  method: string;
  benchmark: string;
  item: string;
  score: number;
  /** In code points of the text as given. */
  start: number;
  end: number;
  count: number;
  text: string;
}

/** All methods over all items. */
export class Judge {
  readonly items: readonly Item[];
  readonly methods: readonly Method[];

  constructor(items: readonly Item[], specs: readonly MethodSpec[]) {
    this.items = items;
    this.methods = specs.flatMap((spec) => build(spec, items));
  }

  /** Hits in the order of methods, then items. */
  find(text: string): Hit[] {
    return this.methods.flatMap((method) =>
      method.find(text).map((finding) => {
        const item = this.items[finding.item] as Item;
        return {
          method: method.name,
          benchmark: item.benchmark,
          item: item.item,
          score: finding.score,
          start: countCodePoints(text, finding.start),
          end: countCodePoints(text, finding.end),
          count: finding.count,
          text: text.slice(finding.start, finding.end),
        };
      }),
    );
  }
}

/** What each method can see, in the order of the methods. */
export function sightsOf(judge: Judge, specs: readonly MethodSpec[]): Sight[] {
  return specs.map((spec) => judge.methods.find(({ name }) => name === methodName(spec)) ?? rewordedSight(judge.items));
}

// ---------------------------------------------------------------------------------------------------------------------

/** `reworded` is none of them: it takes vectors and a whole run's prompts. */
function build(spec: MethodSpec, items: readonly Item[]): Method[] {
  if (spec.kind === 'ngram') return [ngramMethod(items, spec.size)];
  if (spec.kind === 'fuzzy') return [fuzzyMethod(items, spec.threshold)];
  return spec.kind === 'strict' ? [strictMethod(items)] : [];
}
