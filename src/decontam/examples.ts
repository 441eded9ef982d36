import type { StageContext } from '../pipeline/stage.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import type { LoadedBenchmark } from './items.js';
import { measuresOf, sharedRare } from './reworded/seen.js';

/** A hit for a person to look at, with the item's own text; null where its authors ask that it is not published. */
export type ExampleHit = {
  prompt_key: string;
  method: string;
  benchmark: string;
  item: string;
  text: string | null;
  /** Of a rewording: its rank among the candidates, what was measured, and the rare words and numbers of both texts. */
  rank?: number;
  measured?: { [feature: string]: number };
  shared?: string[];
};

/** Of each benchmark and method two hits on prompts, of different items, drawn by the seed. */
export async function exampleHits(
  tables: Tables,
  context: StageContext,
  loaded: readonly LoadedBenchmark[],
): Promise<ExampleHit[]> {
  const files = context.run.files('hits');
  if (files.length === 0) return [];
  const drawn = `md5(${literal(`${context.seed} `)} || prompt_key)`;
  const hits = await tables.rows<{ prompt_key: string; method: string; benchmark: string; item: string; span: string }>(
    `SELECT prompt_key, method, benchmark, item, text AS span FROM (
       SELECT *, row_number() OVER (PARTITION BY benchmark, method ORDER BY ${drawn}, prompt_key, item) AS place FROM (
         SELECT *, row_number() OVER (PARTITION BY benchmark, method, item ORDER BY ${drawn}, prompt_key) AS turn
         FROM ${parquet(files)} WHERE id IS NULL
       ) WHERE turn = 1
     ) WHERE place <= 2 ORDER BY benchmark, method, place`,
  );
  const texts = new Map(
    loaded.flatMap(({ benchmark, name, items }) =>
      benchmark.gated ? [] : items.map((item): [string, string] => [`${name} ${item.item}`, textOf(item)]),
    ),
  );
  const examples: ExampleHit[] = [];
  for (const { span, ...hit } of hits) {
    const text = texts.get(`${hit.benchmark} ${hit.item}`) ?? null;
    const seen = ['reworded', 'uncertain'].includes(hit.method)
      ? await measuresOf(tables, context.run, { ...hit, promptKey: hit.prompt_key })
      : null;
    const more =
      seen === null
        ? {}
        : { rank: seen.rank, measured: seen.values, shared: text === null ? [] : sharedRare(`${span}\n`, text) };
    examples.push({ ...hit, text, ...more });
  }
  return examples;
}

function textOf(item: { question: string; options: string[] }): string {
  return [item.question, ...item.options.map((option, index) => `${String.fromCharCode(65 + index)}. ${option}`)]
    .join('\n')
    .slice(0, 3000);
}
