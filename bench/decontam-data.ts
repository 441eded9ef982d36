import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from '../src/decontam/items.js';
import { Random } from '../src/decontam/random.js';
import { VARCHAR } from '../src/store/duckdb.js';
import { literal, type Tables } from '../src/store/tables.js';

const samples = join(import.meta.dirname, '..', 'data', 'samples');

/** The prompts of what ships, with the column that holds them. */
const shipped = [
  ['general-thought/rml-mmlu-pro.parquet', 'question'],
  ['openthoughts2/thought-anchors.parquet', 'question'],
  ['openthoughts2/dipg-safety-gym.parquet', 'question'],
  ['r1-distill-sft/marco-o1.parquet', 'problem'],
] as const;

/**
 * Prompts as they are, in a drawn order: of `--data FOLDER` (medical_traces.parquet, all of it, and prompts.parquet, of which
 * a fifth of the rows longer than 400 characters), else those that ship.
 */
export async function realPrompts(tables: Tables, data: string | null, rows: number): Promise<string[]> {
  const from = (file: string) => `read_parquet(${literal(data === null ? join(samples, file) : join(data, file))})`;
  const select =
    data === null
      ? shipped.map(([file, column]) => `(SELECT ${column} AS prompt FROM ${from(file)})`).join(' UNION ALL ')
      : `(SELECT prompt FROM ${from('medical_traces.parquet')})
         UNION ALL (SELECT prompt FROM ${from('prompts.parquet')} WHERE length(prompt) > 400 ORDER BY hash(id) LIMIT ${Math.floor(rows / 5)})
         UNION ALL (SELECT prompt FROM ${from('prompts.parquet')} WHERE length(prompt) <= 400 ORDER BY hash(id) LIMIT ${rows})`;
  const found = await tables.rows<{ prompt: string }>(`SELECT prompt FROM (${select}) LIMIT ${rows}`);
  return found.map((row) => row.prompt);
}

/**
 * As many texts as asked for: the real ones, then the same again with two words in five replaced by words of other texts,
 * so that lengths, letters and frequencies stay real and no two are alike.
 */
export function* scaled(texts: readonly string[], count: number, seed: number): Generator<string> {
  yield* texts.slice(0, count);
  const random = new Random(seed, 0);
  const pieces = texts.map((text) => text.split(/(\s+)/));
  const words = pieces.flatMap((text) => text.filter((_, index) => index % 2 === 0)).slice(0, 1 << 20);
  for (let made = texts.length; made < count; made += 1) {
    const text = pieces[made % pieces.length] as string[];
    yield text.map((piece, index) => (index % 2 === 0 && random.below(5) < 2 ? random.pick(words) : piece)).join('');
  }
}

/** Writes texts as Parquet files of 100,000 rows (`id`, `prompt`), unless they are there. Returns the folder. */
export async function writePrompts(tables: Tables, texts: Iterable<string>, folder: string): Promise<string> {
  if (existsSync(folder)) return folder;
  const making = `${folder}.part`;
  mkdirSync(making, { recursive: true });
  const writer = await tables.writer({ id: VARCHAR, prompt: VARCHAR });
  let row = 0;
  const put = () => writer.writeTo(join(making, `${String(row).padStart(9, '0')}.parquet`));
  for (const prompt of texts) {
    await writer.append({ id: String(row), prompt: prompt.toWellFormed() });
    row += 1;
    if (row % 100_000 === 0) await put();
  }
  if (row % 100_000 !== 0) await put();
  await writer.drop();
  renameSync(making, folder);
  return folder;
}

/** Items beyond those that ship, made the same way: a benchmark file of one's own. */
export function writeItems(items: readonly Item[], count: number, file: string): string {
  const made = [
    ...scaled(
      items.map((item) => item.question),
      items.length + count,
      7,
    ),
  ].slice(items.length);
  writeFileSync(file, made.map((question, item) => JSON.stringify({ item, question })).join('\n'));
  return file;
}
