import type { RunFolder } from '../store/folder.js';
import { parquet, type Tables } from '../store/tables.js';

/** A text to look into, and the row or prompt that it belongs to. */
export interface Text {
  promptKey: string;
  /** The row, for its reasoning and answer; null for a prompt, which may have many. */
  id: string | null;
  field: 'prompt' | 'reasoning' | 'answer';
  text: string;
  /** Of a prompt: as ingest saw it. */
  language?: string | null;
}

/** Where a prompt's text lies. */
interface Place {
  [column: string]: string | number;
  key: string;
  file: string;
  row: number;
}

/** How many distinct prompts there are. */
export async function countPrompts(tables: Tables, run: RunFolder): Promise<number> {
  const files = run.files('prompts');
  if (files.length === 0) return 0;
  return (await tables.row<{ count: number }>(`SELECT count(*) AS count FROM ${parquet(files)}`)).count;
}

/** The prompts from `start` to `end` of the prompts table, in its order: each file is read once and nothing is sorted. */
export async function* promptTexts(tables: Tables, run: RunFolder, start: number, end: number): AsyncGenerator<Text[]> {
  const places = await tables.rows<Place>(
    `SELECT prompt_key AS key, file, row FROM ${parquet(run.files('prompts'), 'file_row_number=true')}
     WHERE file_row_number >= ${start} AND file_row_number < ${end} ORDER BY file_row_number`,
  );
  yield* textsAt(tables, run, places);
}

/** The prompts that a query of keys names, in the order of the prompts table. */
export async function* chosenPrompts(tables: Tables, run: RunFolder, keys: string): AsyncGenerator<Text[]> {
  if (run.files('prompts').length === 0) return;
  const places = await tables.rows<Place>(
    `SELECT prompt_key AS key, file, row FROM ${parquet(run.files('prompts'), 'file_row_number=true')}
     WHERE prompt_key IN (${keys}) ORDER BY file_row_number`,
  );
  yield* textsAt(tables, run, places);
}

async function* textsAt(tables: Tables, run: RunFolder, places: readonly Place[]): AsyncGenerator<Text[]> {
  let next = 0;
  while (next < places.length) {
    const first = places[next] as { file: string; row: number };
    let stop = next;
    while (places[stop]?.file === first.file) stop += 1;
    const select = `SELECT file_row_number::INTEGER AS row, prompt, language
      FROM ${parquet([run.file('rows', first.file)], 'file_row_number=true')}
      WHERE file_row_number BETWEEN ${first.row} AND ${places[stop - 1]?.row ?? first.row}`;
    for await (const { columns, rowCount } of tables.streamColumns(select)) {
      const texts: Text[] = [];
      for (let each = 0; each < rowCount && next < stop; each += 1) {
        const place = places[next];
        if (place === undefined || Number(columns.row?.[each]) !== place.row) continue;
        const language = columns.language?.[each];
        texts.push({
          promptKey: place.key,
          id: null,
          field: 'prompt',
          text: String(columns.prompt?.[each]),
          language: typeof language === 'string' ? language : null,
        });
        next += 1;
      }
      yield texts;
    }
    if (next < stop) throw new Error(`rows/${first.file} lacks row ${places[next]?.row} that the prompts table names`);
  }
}

/** Reasoning and answers of the rows of one file, in its order. */
export async function* traceTexts(tables: Tables, run: RunFolder, file: string): AsyncGenerator<Text[]> {
  const select = `SELECT id, prompt_key, reasoning, answer FROM ${parquet([run.file('rows', file)])}`;
  for await (const { columns, rowCount } of tables.streamColumns(select)) {
    const texts: Text[] = [];
    for (let each = 0; each < rowCount; each += 1)
      for (const field of ['reasoning', 'answer'] as const) {
        const text = columns[field]?.[each];
        if (typeof text !== 'string' || text === '') continue;
        texts.push({ promptKey: String(columns.prompt_key?.[each]), id: String(columns.id?.[each]), field, text });
      }
    yield texts;
  }
}
