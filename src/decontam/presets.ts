import { type MethodSpec, methodName } from './method-name.js';
import type { DecontamOptions } from './options.js';

export const presetNames = ['ii-medical', 'strict', 'reworded'] as const;

/** The card's two steps: open-r1's 10-grams, then open-thoughts' ratio of 90. */
const presets: Record<(typeof presetNames)[number], MethodSpec[]> = {
  'ii-medical': [
    { kind: 'ngram', size: 10 },
    { kind: 'fuzzy', threshold: 90 },
  ],
  strict: [{ kind: 'strict' }],
  reworded: [{ kind: 'reworded' }],
};

/** The methods in their order, each once: presets first, as listed. */
export function methodSpecs(options: Pick<DecontamOptions, 'presets' | 'methods'>): MethodSpec[] {
  const fallback = options.methods === undefined ? (['ii-medical'] as const) : [];
  const specs = (options.presets ?? fallback).flatMap((name) => presets[name]);
  for (const each of options.methods ?? []) {
    specs.push('ngram' in each ? { kind: 'ngram', size: each.ngram } : { kind: 'fuzzy', threshold: each.fuzzy });
  }
  // reworded comes last: it is judged when all prompts are known, and names what the others cannot see.
  const last = (spec: MethodSpec) => (spec.kind === 'reworded' ? 1 : 0);
  const byName = new Map(specs.map((spec) => [methodName(spec), spec]));
  return [...byName.values()].sort((a, b) => last(a) - last(b));
}

/** Whether the method `reworded` is among them. */
export function isReworded(options: Pick<DecontamOptions, 'presets' | 'methods'>): boolean {
  return methodSpecs(options).some((spec) => spec.kind === 'reworded');
}
