import type { Allowed } from './allow.js';

/** The verdict by which a person allowed a hit, or null. */
export function allows(
  entries: readonly Allowed[],
): (hit: { promptKey: string; benchmark: string; item: string; method: string }) => Allowed | null {
  const known = new Map(
    entries.map((each) => [keyOf(each.prompt_key, each.benchmark, each.item, each.method ?? ''), each]),
  );
  return ({ promptKey, benchmark, item, method }) =>
    known.get(keyOf(promptKey, benchmark, item, '')) ?? known.get(keyOf(promptKey, benchmark, item, method)) ?? null;
}

// ---------------------------------------------------------------------------------------------------------------------

function keyOf(...parts: string[]): string {
  return JSON.stringify(parts);
}
