import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readAllowed } from '../decontam/allow.js';
import { allows } from '../decontam/allowed.js';
import { type Benchmark, findBenchmarks } from '../decontam/benchmarks.js';
import { loadBenchmarks } from '../decontam/items.js';
import { type DecontamOptions, decontamOptions } from '../decontam/options.js';
import { type Measures, measuresOf, sharedRare } from '../decontam/reworded/seen.js';
import { Problem } from '../problem.js';
import type { Row, Tables } from '../store/tables.js';
import type { AskedRun } from './fates.js';

export interface HitExplanation {
  method: string;
  benchmark: string;
  item: string;
  score: number;
  field: string;
  /** Code points of the row's text. */
  span: { start: number; end: number; text: string };
  /** In how many items of the benchmarks the span occurs. */
  spanCount: number | null;
  /** The item's own text; null where the benchmark's file is not there any more. */
  itemText: string | null;
  /** Of a rewording: what was measured, and the rare words and numbers that both texts have. */
  measured: Measures | null;
  shared: string[];
  /** A person judged this hit to be none. */
  allowed: boolean;
}

/** Lines of `hits/` on a row's prompt and on its own reasoning and answer, with both texts. */
export async function explainHits(
  tables: Tables,
  asked: AskedRun,
  hits: readonly Row[],
  prompt_key: string,
  row: Row,
): Promise<HitExplanation[]> {
  const options = decontamOptions.parse(asked.pipeline.stages.decontam);
  const texts = await itemTexts(tables, asked, options, new Set(hits.map((hit) => String(hit.benchmark))));
  const allowFile = options.allow === undefined ? null : resolve(asked.pipeline.folder, options.allow);
  const allowed = allows(allowFile !== null && existsSync(allowFile) ? readAllowed(allowFile) : []);
  const explained: HitExplanation[] = [];
  for (const hit of hits) {
    const [method, benchmark, item] = [String(hit.method), String(hit.benchmark), String(hit.item)];
    const [start, end] = [Number(hit.span_start), Number(hit.span_end)];
    const span = { start, end, text: spanOf(row[String(hit.field)], start, end) };
    const itemText = texts.get(JSON.stringify([benchmark, item])) ?? null;
    const measured = ['reworded', 'uncertain'].includes(method)
      ? await measuresOf(tables, asked.run, { promptKey: prompt_key, benchmark, item })
      : null;
    explained.push({
      method,
      benchmark,
      item,
      score: Number(hit.score),
      field: String(hit.field),
      span,
      spanCount: hit.span_count === null || hit.span_count === undefined ? null : Number(hit.span_count),
      itemText,
      measured,
      shared: measured === null || itemText === null ? [] : sharedRare(span.text, itemText),
      allowed: allowed({ promptKey: prompt_key, benchmark, item, method }) !== null,
    });
  }
  return explained;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Code points of a text, as the table `hits` counts. */
function spanOf(text: unknown, start: number, end: number): string {
  return typeof text === 'string' ? [...text].slice(start, end).join('') : '';
}

/** Texts of the items of these benchmarks, from the files that the pipeline names. */
async function itemTexts(
  tables: Tables,
  asked: AskedRun,
  options: DecontamOptions,
  wanted: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  let found: Benchmark[];
  try {
    found = findBenchmarks(options.benchmarks, (path) => resolve(asked.pipeline.folder, path));
  } catch (error) {
    // A benchmark that was there when the run was made is gone: its items' texts are then null, and said to be.
    if (error instanceof Problem) return texts;
    throw error;
  }
  // A file of several sets goes by another name than its hits do, so where no name fits every file is read.
  const named = found.filter((benchmark) => wanted.has(benchmark.name));
  const read = named.length === wanted.size ? named : found;
  for (const { items } of await loadBenchmarks(
    read.filter(({ file }) => file !== null && existsSync(file)),
    tables,
  )) {
    for (const item of items) {
      const options = item.options.length === 0 ? '' : `\n${item.options.join('\n')}`;
      if (wanted.has(item.benchmark)) texts.set(JSON.stringify([item.benchmark, item.item]), item.question + options);
    }
  }
  return texts;
}
