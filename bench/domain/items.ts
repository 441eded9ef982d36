import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { literal, Tables } from '../../src/store/tables.js';

export interface Item {
  source: string;
  family: string;
  /** Null where the source is of all domains. */
  label: string | null;
  language: string;
  license: string;
  text: string;
}

interface Gold {
  families: Record<string, Record<string, string>>;
  mmlu: Record<string, string>;
  mmlu_pro: Record<string, string>;
}

/** Sources, and subjects of MMLU, whose prompts are of all domains: they lie in the clusters and are not judged. */
export const unknownFamily = 'mixed';

/** `each`: so many of every source that is of one subject; `draw`: so many English prompts of all sources as they occur. */
export async function readItems(
  data: string,
  choice: { each: number } | { draw: number },
  questions: number,
): Promise<Item[]> {
  const gold = parse(readFileSync(join(import.meta.dirname, 'gold.yaml'), 'utf8')) as Gold;
  const tables = await Tables.open({ temporaryFolder: join(import.meta.dirname, '..', '.cache', 'domain', 'tmp'), memoryMegabytes: 2_000 });
  const items: Item[] = [];
  try {
    const families = new Map<string, { family: string; label: string }>();
    for (const [family, sources] of Object.entries(gold.families)) {
      for (const [source, label] of Object.entries(sources)) families.set(source, { family, label });
    }
    // The Chinese medical sources are judged too, and never calibrated on.
    for (const source of ['huatuo_llama_zh', 'medicalgpt_sft1k'])
      families.set(source, { family: 'chinese', label: 'Medical' });
    const file = `read_parquet(${literal(join(data, 'prompts.parquet'))})`;
    const select =
      'draw' in choice
        ? `SELECT source, language, license, prompt FROM ${file} WHERE language = 'en' ORDER BY md5(prompt), id LIMIT ${choice.draw}`
        : `SELECT source, language, license, prompt FROM (
             SELECT *, row_number() OVER (PARTITION BY source ORDER BY md5(prompt), id) AS place FROM ${file}
           ) WHERE place <= ${choice.each} ORDER BY source, place`;
    const prompts = await tables.rows<{ source: string; language: string; license: string; prompt: string }>(select);
    for (const { source, language, license, prompt } of prompts) {
      const known = families.get(source) ?? ('draw' in choice ? { family: unknownFamily, label: null } : undefined);
      if (known !== undefined) items.push({ source, language, license, text: prompt, ...known });
    }
    const choices = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'].map((letter) => `options.${letter}`).join(', ');
    for (const [bench, labels] of [['mmlu', gold.mmlu] as const, ['mmlu_pro', gold.mmlu_pro] as const]) {
      const rows = await tables.rows<{ subject: string; license: string; text: string }>(
        `SELECT coalesce(meta.subject, meta.category) AS subject, license, question || chr(10) || concat_ws(chr(10), ${choices}) AS text
         FROM read_parquet(${literal(join(data, 'benchmark_items.parquet'))})
         WHERE bench = '${bench}' AND split = 'test' ORDER BY md5(question) LIMIT ${questions}`,
      );
      for (const { subject, license, text } of rows) {
        const label = labels[subject] ?? null;
        const family = label === null ? unknownFamily : 'mmlu';
        items.push({ source: bench, family, label, language: 'en', license, text });
      }
    }
    return items;
  } finally {
    tables.close();
  }
}
