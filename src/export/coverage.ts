import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StageContext } from '../pipeline/stage.js';
import { formatNumber } from '../text/number.js';
import { markdown } from './inert.js';

const method = z.looseObject({
  method: z.string(),
  seen: z.number(),
  unseen: z.number(),
  why: z.string().default(''),
  /** Items seen under a condition only, by condition. */
  limited: z.record(z.string(), z.number()).default({}),
});

const benchmark = z.looseObject({
  name: z.string(),
  title: z.string().default(''),
  checked: z.boolean().default(true),
  items: z.number().default(0),
  /** What the whole benchmark has, where known. */
  known: z.number().nullable().default(null),
  methods: z.array(method).default([]),
});

/** Planted leaks that were found again; `blind` are those of items that the method cannot see at all. */
const planted = z.looseObject({
  kind: z.string(),
  method: z.string(),
  planted: z.number(),
  blind: z.number().default(0),
  found: z.number(),
});

/** A hit to look at, with the item's own text where it may be shown. */
const example = z.looseObject({
  prompt_key: z.string(),
  method: z.string(),
  benchmark: z.string(),
  item: z.string(),
  text: z.string().nullable(),
  /** Of a rewording: its rank among the candidates, what was measured, and rare words and numbers of both texts. */
  rank: z.number().optional(),
  measured: z.record(z.string(), z.number()).optional(),
  shared: z.array(z.string()).optional(),
});

/** What the method `reworded` looked into, flagged, and left in doubt. */
const reworded = z.looseObject({
  model: z.string(),
  false_alarms: z.number(),
  prompts: z.number(),
  prompts_not_read: z.number(),
  prompts_hit: z.number(),
  prompts_uncertain: z.number(),
});

/** What decontamination could see, per benchmark and method, and what its self-test found. */
const coverage = z.looseObject({
  benchmarks: z.array(benchmark),
  self_test: z.array(planted).default([]),
  examples: z.array(example).default([]),
  reworded: reworded.optional(),
});
export type Coverage = z.output<typeof coverage>;

/** Reads `coverage.json`; null where decontamination did not run. */
export function readCoverage(context: StageContext): Coverage | null {
  const path = context.run.table('coverage.json');
  if (context.options.decontam === undefined || !existsSync(path)) return null;
  return coverage.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** What a method cannot see of a benchmark, and what it sees under a condition only, in words. */
export function blindness(each: Coverage['benchmarks'][number]['methods'][number]): string {
  const limited = Object.entries(each.limited).map(([condition, items]) => `${formatNumber(items)} ${condition}`);
  return [each.why, ...limited].filter((part) => part !== '').join('; ');
}

/** What `reworded` found, left in doubt and did not read, in one sentence; null where it did not run. */
export function rewordedSentence(found: Coverage | null): string | null {
  if (found?.reworded === undefined) return null;
  const { model, false_alarms: rate, prompts, ...counts } = found.reworded;
  return `Of ${formatNumber(prompts)} prompts ${formatNumber(counts.prompts_hit)} are benchmark items in other words by the vectors of ${model}, at a stated false-alarm rate of ${formatNumber(rate * 100)} %; ${formatNumber(counts.prompts_uncertain)} are uncertain and were kept; ${formatNumber(counts.prompts_not_read)} are in a language that the model does not read and were not checked by this method.`;
}

/** The coverage as a Markdown table; null where decontamination did not run. */
export function coverageTable(found: Coverage | null): string | null {
  if (found === null) return null;
  const rows = found.benchmarks.flatMap((each) =>
    each.checked
      ? each.methods.map((one) => [
          markdown(each.name),
          formatNumber(each.items),
          markdown(one.method),
          formatNumber(one.unseen),
          markdown(blindness(one)),
        ])
      : [[markdown(each.name), '–', '**not checked**', '–', 'no copy of it was there']],
  );
  const head = ['benchmark', 'items', 'method', 'items it cannot see', 'why'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
