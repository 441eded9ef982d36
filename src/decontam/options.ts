import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { miniLm } from '../compute/weights.js';
import { Problem } from '../problem.js';
import { presetNames } from './presets.js';
import { judgeOption } from './reworded/judge-options.js';

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

const reworded = z.strictObject({
  /** Share of prompts that are no leak and may be flagged, per benchmark. */
  false_alarms: z.number().min(0.0001).max(0.2).default(0.005),
  /**
   * Share of prompts that are no leak and may lie in the band of doubt, which is reported and does not drop. Default: 0.1,
   * and 0.5 where a judge is asked about it: half a call a prompt.
   */
  doubt: z.number().min(0.0001).max(1).optional(),
  /** An LLM says of the band of doubt which prompts ask the same question. */
  judge: judgeOption,
  /**
   * The sentence model: MiniLM, or a BERT sentence encoder of one's own: a folder, or an id whose folder lies in
   * CURATE_MODELS. Nothing but MiniLM is fetched.
   */
  model: z.string().min(1).default(miniLm.name),
  /** Languages that the model reads, as ingest names them (`en`, `zh`). Default: MiniLM reads `en`, another model all. */
  languages: z.array(z.string().min(2)).min(1).optional(),
});

export type RewordedOptions = z.infer<typeof reworded>;
export type RewordedInput = z.input<typeof reworded>;

/** The options of the stage, and what the stand-alone command makes of its own. */
export const decontamOptions = z
  .strictObject({
    benchmarks: z.array(benchmarkEntry).min(1),
    /** Where neither presets nor methods are given: `ii-medical`. */
    presets: z.array(z.enum(presetNames)).optional(),
    methods: z.array(method).optional(),
    /** What the preset of that name takes. */
    reworded: reworded.optional(),
    /** Also looks into reasoning and answers, in one extra pass. */
    traces: z.boolean().default(false),
    /** Hits that a person judged to be none, as `curate review` writes them. */
    allow: z.string().min(1).optional(),
  })
  .refine((options) => options.reworded === undefined || options.presets?.includes('reworded') === true, {
    path: ['reworded'],
    message: 'is read where presets: lists reworded',
  });

export type DecontamOptions = z.infer<typeof decontamOptions>;
export type BenchmarkEntry = DecontamOptions['benchmarks'][number];

/** The options of the method `reworded`, the model's folder as an absolute path where it is one. */
export function rewordedOptions(
  options: Pick<DecontamOptions, 'reworded'>,
  resolved: (path: string) => string = (path) => path,
): RewordedOptions {
  const parsed = reworded.parse(options.reworded ?? {});
  const folder = resolved(parsed.model);
  const isFolder = parsed.model !== miniLm.name && (/^[./~]/.test(parsed.model) || existsSync(folder));
  return isFolder ? { ...parsed, model: folder } : parsed;
}

/** The same from flags of the stand-alone command; throws a Problem that names those that do not fit. */
export function rewordedFlags(given: RewordedInput): RewordedOptions {
  const parsed = reworded.safeParse(given);
  if (!parsed.success)
    throw new Problem('the options for reworded do not fit', {
      items: parsed.error.issues.map((issue) => `--${issue.path.join('-').replaceAll('_', '-')}: ${issue.message}`),
      try: 'curate decontam --help',
    });
  return rewordedOptions({ reworded: parsed.data }, (path) => resolve(path));
}
