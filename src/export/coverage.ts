import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StageContext } from '../pipeline/stage.js';
import { markdown } from './inert.js';

/** What decontamination could see: per benchmark and method the items, and those that the method is blind to. */
export interface Coverage {
  benchmarks: {
    name: string;
    checked: boolean;
    items: number;
    methods: { method: string; seen: number; unseen: number; why: string }[];
  }[];
  /** Planted leaks that were found again, by kind and method; empty where no self-test ran. */
  selfTest: { kind: string; method: string; planted: number; found: number }[];
}

const file = z.looseObject({
  benchmarks: z.array(
    z.looseObject({
      name: z.string(),
      checked: z.boolean().default(true),
      items: z.number().default(0),
      methods: z
        .array(z.looseObject({ method: z.string(), seen: z.number(), unseen: z.number(), why: z.string().default('') }))
        .default([]),
    }),
  ),
});

/** Reads `coverage.json`; null where decontamination did not run. */
export function readCoverage(context: StageContext): Coverage | null {
  const path = context.run.table('coverage.json');
  if (context.options.decontam === undefined || !existsSync(path)) return null;
  const parsed = file.parse(JSON.parse(readFileSync(path, 'utf8')));
  return { benchmarks: parsed.benchmarks, selfTest: [] };
}

/** The coverage as a Markdown table; null where decontamination did not run. */
export function coverageTable(coverage: Coverage | null): string | null {
  if (coverage === null) return null;
  const rows = coverage.benchmarks.flatMap((each) =>
    each.checked
      ? each.methods.map((method) => [
          markdown(each.name),
          each.items.toLocaleString('en-US'),
          markdown(method.method),
          method.unseen.toLocaleString('en-US'),
          markdown(method.why),
        ])
      : [[markdown(each.name), '–', '**not checked**', '–', '']],
  );
  const head = ['benchmark', 'items', 'method', 'items it cannot see', 'why'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
