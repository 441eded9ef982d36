import { join } from 'node:path';
import type { Json } from '../store/fingerprint.js';
import type { RunFolder } from '../store/folder.js';
import { literal, parquet, type Tables } from '../store/tables.js';

/** A contiguous range of the prompts table. */
export type PromptRange = {
  [key: string]: Json;
  index: number;
  /** Half-open range of rows of the prompts table. */
  start: number;
  end: number;
  /** Prompts of the embedded groups in it. */
  size: number;
};

/** Where a prompt's text lies: `row` of `file` in `rows/`. */
export interface PromptPlace {
  key: string;
  file: string;
  row: number;
}

/** Big enough for many texts of each length, small enough that a kill loses little and few prompts still fill all cores. */
function rangeSize(total: number): number {
  return total < 65_536 ? 1_024 : 8_192;
}

/** Cuts the prompts of the groups into ranges. The rule looks at nothing but the table. */
export async function cutRanges(tables: Tables, run: RunFolder, groups: readonly string[]): Promise<PromptRange[]> {
  const rows: number[] = [];
  const select = `SELECT file_row_number::INTEGER AS place FROM ${source(run)} WHERE ${inGroups(groups)} ORDER BY 1`;
  for await (const { columns } of tables.streamColumns(select)) {
    for (const place of columns.place ?? []) rows.push(Number(place));
  }
  const size = rangeSize(rows.length);
  const ranges: PromptRange[] = [];
  for (let first = 0; first < rows.length; first += size) {
    const last = Math.min(first + size, rows.length) - 1;
    const start = rows[first] ?? 0;
    const end = (rows[last] ?? 0) + 1;
    ranges.push({ index: ranges.length, start, end, size: last - first + 1 });
  }
  return ranges;
}

/** The range's prompts of the groups, in the order of the table. */
export async function readPlaces(
  tables: Tables,
  run: RunFolder,
  range: PromptRange,
  groups: readonly string[],
): Promise<PromptPlace[]> {
  return tables.rows<{ key: string; file: string; row: number }>(
    `SELECT prompt_key AS key, file, row FROM ${source(run)}
     WHERE file_row_number >= ${range.start} AND file_row_number < ${range.end} AND ${inGroups(groups)}
     ORDER BY file_row_number`,
  );
}

/**
 * Distinct prompts of the groups, and about how many tokens one of them has: 1.4 for a word, two special ones, 256 at most.
 */
export async function measurePrompts(
  tables: Tables,
  run: RunFolder,
  groups: readonly string[],
): Promise<{ prompts: number; tokens: number }> {
  const { prompts } = await tables.row<{ prompts: number }>(
    `SELECT count(*) AS prompts FROM ${source(run)} WHERE ${inGroups(groups)}`,
  );
  const { tokens } = await tables.row<{ tokens: number | null }>(
    `SELECT avg(least(256, 2 + 1.4 * greatest(prompt_words, prompt_words_segmented))) AS tokens
     FROM ${parquet(run.files('rows'))} WHERE list_contains([${groups.map(literal).join(', ')}]::VARCHAR[], "group")`,
  );
  return { prompts, tokens: Math.ceil(tokens ?? 0) };
}

/**
 * Texts of prompts, each with its index among `places`, whose order is that of the files: a file is read once, from the
 * first row that is wanted to the last, and no text is ever sorted.
 */
export async function* readTexts(
  tables: Tables,
  run: RunFolder,
  places: readonly PromptPlace[],
): AsyncGenerator<{ index: number; text: string; source: string }> {
  let next = 0;
  while (next < places.length) {
    const { file, row: first } = places[next] as PromptPlace;
    let end = next;
    while (end < places.length && places[end]?.file === file) end += 1;
    const last = places[end - 1]?.row ?? first;
    const select = `SELECT file_row_number::INTEGER AS row, prompt, source
      FROM ${parquet([join(run.table('rows'), file)], 'file_row_number=true')}
      WHERE file_row_number BETWEEN ${first} AND ${last}`;
    for await (const { columns, rowCount } of tables.streamColumns(select)) {
      const { row = [], prompt = [], source: sources = [] } = columns;
      for (let each = 0; each < rowCount && next < end; each += 1) {
        if (Number(row[each]) !== places[next]?.row) continue;
        const text = prompt[each];
        if (typeof text !== 'string') throw new Error(`rows/${file} has no prompt in row ${row[each]}`);
        yield { index: next, text, source: String(sources[each]) };
        next += 1;
      }
    }
    if (next < end) throw new Error(`rows/${file} lacks row ${places[next]?.row} that the prompts table names`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function source(run: RunFolder): string {
  return parquet([run.file('prompts', 'prompts.parquet')], 'file_row_number=true');
}

function inGroups(groups: readonly string[]): string {
  return `list_has_any(groups, [${groups.map(literal).join(', ')}]::VARCHAR[])`;
}
