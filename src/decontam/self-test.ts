import type { Item } from './items.js';
import type { Judge } from './judge.js';
import { type LeakKind, leakKinds, worstKind } from './leaks.js';
import { Random } from './random.js';

/** How many planted leaks of a kind a method found again. */
export interface SelfTestResult {
  [figure: string]: string | number;
  kind: string;
  method: string;
  planted: number;
  /** Of those, leaks of items that the method cannot see at all. */
  blind: number;
  found: number;
}

/** Copies of what is compared, as it is: a method that misses one does not work. */
const plainKind = 'verbatim';

/**
 * Plants leaks of every kind, made of the run's own benchmarks, in prompts of its own data, and looks for them by the
 * methods that judge the run. `hosts` are such prompts.
 */
export function selfTest(judge: Judge, hosts: readonly string[], seed: number, perKind: number): SelfTestResult[] {
  const results: SelfTestResult[] = [];
  [...leakKinds, worstKind].forEach((kind, stream) => {
    const random = new Random(seed, stream);
    const found = judge.methods.map(() => 0);
    const blind = judge.methods.map(() => 0);
    let planted = 0;
    while (planted < perKind) {
      const place = drawItem(judge.items, kind, random);
      if (place === null) break;
      planted += 1;
      const item = judge.items[place] as Item;
      const others = [random.pick(judge.items), random.pick(judge.items)];
      const text = kind.make(item, random, hosts.length === 0 ? '' : random.pick(hosts), others);
      judge.methods.forEach((method, index) => {
        const hit = method.find(text).some((finding) => judge.items[finding.item]?.question === item.question);
        if (hit) found[index] = (found[index] as number) + 1;
        if (method.blindTo(place) !== null) blind[index] = (blind[index] as number) + 1;
      });
    }
    judge.methods.forEach((method, index) => {
      results.push({
        kind: kind.name,
        method: method.name,
        planted,
        blind: blind[index] as number,
        found: found[index] as number,
      });
    });
  });
  return results;
}

/** Methods that missed what they cannot miss: verbatim copies of items that they can see. */
export function brokenMethods(results: readonly SelfTestResult[]): string[] {
  return results
    .filter((each) => each.kind === plainKind && each.found < each.planted - each.blind)
    .map((each) => each.method);
}

// ---------------------------------------------------------------------------------------------------------------------

/** The place of an item that the kind takes, each as likely as the others; null where there is none. */
function drawItem(items: readonly Item[], kind: LeakKind, random: Random): number | null {
  // Nearly always a few draws are enough, and most items need not be looked at.
  for (let draw = 0; draw < 100; draw += 1) {
    const place = random.below(items.length);
    if (kind.takes(items[place] as Item)) return place;
  }
  const fitting = items.flatMap((item, place) => (kind.takes(item) ? [place] : []));
  return fitting.length === 0 ? null : random.pick(fitting);
}
