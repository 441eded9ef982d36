export type MethodSpec =
  | { kind: 'ngram'; size: number }
  | { kind: 'fuzzy'; threshold: number }
  | { kind: 'strict' }
  | { kind: 'reworded' };

/** What a method is called in tables, reasons and figures. */
export function methodName(spec: MethodSpec): string {
  if (spec.kind === 'ngram') return `ngram_${spec.size}`;
  return spec.kind === 'fuzzy' ? `fuzzy_${spec.threshold}` : spec.kind;
}
