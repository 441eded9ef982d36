import { z } from 'zod';

const benchmarkEntry = z.union([
  z.string().min(1),
  z
    .strictObject({
      /** A benchmark of `data/benchmarks/`, by name; with `path`, also a name of one's own. */
      use: z.string().min(1).optional(),
      /** A file of one's own: YAML that describes a benchmark, or Parquet, JSON or JSONL with `question`. */
      path: z.string().min(1).optional(),
      /** A benchmark whose file is missing is not checked, and coverage says so, instead of stopping the run. */
      optional: z.boolean().default(false),
      /** How many items it should have. */
      items: z.int().positive().optional(),
    })
    .refine((entry) => entry.use !== undefined || entry.path !== undefined, 'needs use: or path:'),
]);

const method = z.union([
  /** Words that a prompt and an item must share in a row, as open-r1 compares them. */
  z.strictObject({ ngram: z.int().min(2).max(50) }),
  /** RapidFuzz's `fuzz.ratio` of prompt and item, in percent, at or above which they match. */
  z.strictObject({ fuzzy: z.int().min(1).max(100) }),
]);

export const presetNames = ['ii-medical', 'strict'] as const;

/** The options of the stage, and what the stand-alone command makes of its own. */
export const decontamOptions = z.strictObject({
  benchmarks: z.array(benchmarkEntry).min(1),
  /** Where neither presets nor methods are given: `ii-medical`. */
  presets: z.array(z.enum(presetNames)).optional(),
  methods: z.array(method).optional(),
  /** Also looks into reasoning and answers, in one extra pass. */
  traces: z.boolean().default(false),
  /** Hits that a person judged to be none, as `curate review` writes them. */
  allow: z.string().min(1).optional(),
});

export type DecontamOptions = z.infer<typeof decontamOptions>;
export type BenchmarkEntry = DecontamOptions['benchmarks'][number];

export type MethodSpec = { kind: 'ngram'; size: number } | { kind: 'fuzzy'; threshold: number } | { kind: 'strict' };

/** The card's two steps: open-r1's 10-grams, then open-thoughts' ratio of 90. */
const presets: Record<(typeof presetNames)[number], MethodSpec[]> = {
  'ii-medical': [
    { kind: 'ngram', size: 10 },
    { kind: 'fuzzy', threshold: 90 },
  ],
  strict: [{ kind: 'strict' }],
};

/** The methods in their order, each once: presets first, as listed. */
export function methodSpecs(options: Pick<DecontamOptions, 'presets' | 'methods'>): MethodSpec[] {
  const fallback = options.methods === undefined ? (['ii-medical'] as const) : [];
  const specs = (options.presets ?? fallback).flatMap((name) => presets[name]);
  for (const each of options.methods ?? []) {
    specs.push('ngram' in each ? { kind: 'ngram', size: each.ngram } : { kind: 'fuzzy', threshold: each.fuzzy });
  }
  const byName = new Map(specs.map((spec) => [methodName(spec), spec]));
  return [...byName.values()];
}

/** What a method is called in tables, reasons and figures. */
export function methodName(spec: MethodSpec): string {
  if (spec.kind === 'ngram') return `ngram_${spec.size}`;
  return spec.kind === 'fuzzy' ? `fuzzy_${spec.threshold}` : 'strict';
}
