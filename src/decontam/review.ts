import type { RunFolder } from '../store/folder.js';
import { literal, parquet, type Row, type Tables } from '../store/tables.js';
import type { Allowed } from './allow.js';
import { allows } from './allowed.js';
import { findBenchmarks } from './benchmarks.js';
import { loadBenchmarks } from './items.js';
import type { DecontamOptions } from './options.js';
import { type Measures, measuresOf, sharedRare } from './reworded/seen.js';

/** A hit with both texts, for a person to judge. */
export interface ReviewedHit {
  promptKey: string;
  field: string;
  method: string;
  benchmark: string;
  item: string;
  score: number;
  start: number;
  end: number;
  count: number;
  /** All items that the method found at this place of the prompt: one verdict is for all of them. */
  items: string[];
  /** The prompt, or the span alone for a hit in reasoning or answer. */
  prompt: string;
  question: string;
  options: string[];
  /** Of a rewording: what was measured, and the rare words and numbers that both texts have. */
  measured: Measures | null;
  shared: string[];
}

/** The hits most likely to be none that nobody allowed yet: the commonest spans first, then the lowest scores. */
export async function hitsToReview(
  run: RunFolder,
  tables: Tables,
  options: DecontamOptions,
  resolve: (path: string) => string,
  known: readonly Allowed[],
  wanted: { top: number; benchmark?: string | undefined; method?: string | undefined },
): Promise<ReviewedHit[]> {
  const files = run.files('hits');
  if (files.length === 0) return [];
  const where = [
    wanted.benchmark === undefined ? 'true' : `benchmark = ${literal(wanted.benchmark)}`,
    wanted.method === undefined ? 'true' : `method = ${literal(wanted.method)}`,
  ];
  // One hit per prompt, method and benchmark: the item that agrees most.
  const rows = await tables.rows<Row>(
    `SELECT prompt_key, field, method, benchmark, item, score, span_start, span_end, span_count, text,
       list({ item: item, start: span_start, stop: span_end }) OVER (PARTITION BY prompt_key, method, benchmark) AS found FROM ${parquet(files)}
     WHERE ${where.join(' AND ')}
     QUALIFY row_number() OVER (PARTITION BY prompt_key, method, benchmark ORDER BY score DESC, item) = 1
     ORDER BY span_count DESC, score, prompt_key, method, benchmark, item LIMIT ${wanted.top + known.length}`,
  );
  const isAllowed = allows(known);
  const chosen = rows
    .map((row) => ({
      promptKey: String(row.prompt_key),
      field: String(row.field),
      method: String(row.method),
      benchmark: String(row.benchmark),
      item: String(row.item),
      score: Number(row.score),
      start: Number(row.span_start),
      end: Number(row.span_end),
      count: Number(row.span_count),
      items: (row.found as { item: string; start: number; stop: number }[])
        .filter(({ start, stop }) => start < Number(row.span_end) && stop > Number(row.span_start))
        .map(({ item }) => item)
        .sort(),
      text: String(row.text),
    }))
    .filter((hit) => isAllowed(hit) === null)
    .slice(0, wanted.top);
  const items = new Map<string, { question: string; options: string[] }>();
  for (const loaded of await loadBenchmarks(findBenchmarks(options.benchmarks, resolve), tables))
    for (const item of loaded.items) items.set(JSON.stringify([item.benchmark, item.item]), item);
  const prompts = await promptsOf(run, tables, [...new Set(chosen.map((hit) => hit.promptKey))]);
  const reviewed: ReviewedHit[] = [];
  for (const { text, ...hit } of chosen) {
    const item = items.get(JSON.stringify([hit.benchmark, hit.item]));
    const whole = hit.field === 'prompt' ? prompts.get(hit.promptKey) : undefined;
    const prompt = whole ?? text;
    const [question, options] = [item?.question ?? '', item?.options ?? []];
    const measured = ['reworded', 'uncertain'].includes(hit.method) ? await measuresOf(tables, run, hit) : null;
    reviewed.push({
      ...hit,
      ...(whole === undefined ? { start: 0, end: [...text].length } : {}),
      prompt,
      question,
      options,
      measured,
      shared: measured === null ? [] : sharedRare(prompt, [question, ...options].join('\n')),
    });
  }
  return reviewed;
}

// ---------------------------------------------------------------------------------------------------------------------

async function promptsOf(run: RunFolder, tables: Tables, keys: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (keys.length === 0) return found;
  const places = await tables.rows<{ key: string; file: string; row: number }>(
    `SELECT prompt_key AS key, file, row FROM ${parquet(run.files('prompts'))}
     WHERE prompt_key IN (${keys.map(literal).join(', ')})`,
  );
  for (const { key, file, row } of places) {
    const [first] = await tables.rows<{ prompt: string }>(
      `SELECT prompt FROM ${parquet([run.file('rows', file)], 'file_row_number=true')} WHERE file_row_number = ${row}`,
    );
    if (first !== undefined) found.set(key, first.prompt);
  }
  return found;
}
