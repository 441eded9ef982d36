import { countCodePoints } from '../text/code-points.js';
import type { Sight } from './coverage.js';
import type { Item } from './items.js';
import type { Method } from './method.js';
import { type MethodSpec, methodName } from './method-name.js';

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

  private constructor(items: readonly Item[], methods: readonly Method[]) {
    this.items = items;
    this.methods = methods;
  }

  static async of(items: readonly Item[], specs: readonly MethodSpec[]): Promise<Judge> {
    const methods: Method[] = [];
    for (const spec of specs) methods.push(...(await build(spec, items)));
    return new Judge(items, methods);
  }

  /** Hits in the order of methods, then items. */
  find(text: string): Hit[] {
    const hits: Hit[] = [];
    for (const method of this.methods) {
      const found = method.find(text);
      if (found.length === 0) continue;
      // Without surrogates, which most texts have none of, code points are UTF-16 units.
      const points = /[\ud800-\udfff]/.test(text) ? (end: number) => countCodePoints(text, end) : (end: number) => end;
      for (const { item: place, score, start, end, count } of found) {
        const { benchmark, item } = this.items[place] as Item;
        const span = text.slice(start, end);
        hits.push({
          method: method.name,
          benchmark,
          item,
          score,
          start: points(start),
          end: points(end),
          count,
          text: span,
        });
      }
    }
    return hits;
  }
}

/** What each method can see, in the order of the methods. */
export async function sightsOf(judge: Judge, specs: readonly MethodSpec[]): Promise<Sight[]> {
  const sights: Sight[] = [];
  for (const spec of specs)
    sights.push(
      judge.methods.find(({ name }) => name === methodName(spec)) ??
        (await import('./reworded/sight.js')).rewordedSight(judge.items),
    );
  return sights;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Loads what the methods need before there are items. */
export async function loadMethods(specs: readonly MethodSpec[]): Promise<void> {
  for (const { kind } of specs) if (kind !== 'reworded') await files[kind]();
}

/**
 * A method's files are loaded where it is asked for: threads start for one method alone. `reworded` is none of them: it
 * takes vectors and a whole run's prompts.
 */
const files = {
  ngram: () => import('./ngram.js'),
  fuzzy: () => import('./fuzzy.js'),
  strict: () => import('./strict.js'),
};

async function build(spec: MethodSpec, items: readonly Item[]): Promise<Method[]> {
  if (spec.kind === 'ngram') return [(await files.ngram()).ngramMethod(items, spec.size)];
  if (spec.kind === 'fuzzy') return [(await files.fuzzy()).fuzzyMethod(items, spec.threshold)];
  return spec.kind === 'strict' ? [(await files.strict()).strictMethod(items)] : [];
}
