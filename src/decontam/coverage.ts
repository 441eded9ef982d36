import type { Json } from '../store/fingerprint.js';
import type { Benchmark } from './benchmarks.js';
import type { LoadedBenchmark } from './items.js';
import type { Method } from './method.js';

/** Items that one method sees otherwise than the others, with the reason. */
export interface MethodCoverage {
  [key: string]: Json;
  method: string;
  seen: number;
  unseen: number;
  why: string;
  /** Items seen under a condition only, by condition. */
  limited: { [condition: string]: number };
  /** The first of the unseen and limited items, by id. */
  examples: string[];
}

export interface BenchmarkCoverage {
  [key: string]: Json;
  name: string;
  title: string;
  checked: boolean;
  items: number;
  /** What the whole benchmark has, where known. */
  known: number | null;
  methods: MethodCoverage[];
  warnings: string[];
}

const exampleCount = 20;

/** What a method says of its own sight. */
export type Sight = Pick<Method, 'name' | 'blindTo' | 'limitOf'>;

/** What each method can see of each benchmark, and the benchmarks that were named and not checked. */
export function coverageOf(
  benchmarks: readonly Benchmark[],
  loaded: readonly LoadedBenchmark[],
  sights: readonly Sight[],
): BenchmarkCoverage[] {
  const covered: BenchmarkCoverage[] = [];
  let first = 0;
  for (const { benchmark, name, items, warnings } of loaded) {
    const start = first;
    first += items.length;
    covered.push({
      name,
      title: benchmark.title,
      checked: true,
      items: items.length,
      known: benchmark.whole,
      methods: sights.map((method) => {
        const reasons = items.map((_, index) => method.blindTo(start + index));
        const limits = items.map((_, index) => method.limitOf?.(start + index) ?? null);
        const unseen = reasons.filter((reason) => reason !== null);
        return {
          method: method.name,
          seen: items.length - unseen.length,
          unseen: unseen.length,
          why: [...new Set(unseen)].sort().join('; '),
          limited: tally(limits),
          examples: items
            .filter((_, index) => reasons[index] !== null || limits[index] !== null)
            .slice(0, exampleCount)
            .map((item) => item.item),
        };
      }),
      warnings,
    });
  }
  for (const benchmark of benchmarks) {
    if (benchmark.file !== null) continue;
    covered.push({
      name: benchmark.name,
      title: benchmark.title,
      checked: false,
      items: 0,
      known: benchmark.whole,
      methods: [],
      warnings: [],
    });
  }
  return covered;
}

/** The sentences of a coverage that a person must see. */
export function coverageWarnings(covered: readonly BenchmarkCoverage[]): string[] {
  const unchecked = covered.filter((each) => !each.checked).map((each) => each.name);
  const warnings = covered.flatMap((each) => each.warnings);
  if (unchecked.length > 0) warnings.push(`named and not checked, because there is no copy: ${unchecked.join(', ')}`);
  return warnings;
}

function tally(values: readonly (string | null)[]): { [value: string]: number } {
  const counts: { [value: string]: number } = {};
  for (const value of values) if (value !== null) counts[value] = (counts[value] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
