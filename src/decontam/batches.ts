import type { Tables } from '../store/tables.js';
import { type DataFile, fieldsOf, hasNoPrompt, idOf, readData, textsOf } from './data-file.js';

/** Texts that travel to a thread at once. */
const textsPerTask = 1_024;
const charactersPerTask = 1 << 20;

export interface Batch {
  file: number;
  texts: string[];
  places: { row: number; id: string; field: string }[];
}

/** What is counted of the rows that are read. */
export interface ReadRows {
  rows: number;
  /** Places of the input that are no row, by reason. */
  unreadable: Record<string, number>;
  /** Rows without a text to look into. */
  without_text: number;
  files: { rows: number }[];
}

/** The texts of all files in their order. */
export async function* batches(
  files: readonly DataFile[],
  options: { traces: boolean },
  tables: Tables,
  summary: ReadRows,
): AsyncGenerator<Batch> {
  let places = 0;
  for (const [index, file] of files.entries()) {
    const before = summary.rows;
    let row = 0;
    let batch: Batch = { file: index, texts: [], places: [] };
    let characters = 0;
    for await (const readings of readData(file, tables, options.traces)) {
      for (const reading of readings) {
        const number = row;
        row += 1;
        const found = fieldsOf(reading);
        if ('reason' in found) {
          summary.unreadable[found.reason] = (summary.unreadable[found.reason] ?? 0) + 1;
          continue;
        }
        const id = idOf(file, found.fields, places + number);
        const texts = textsOf(file, found.fields, options.traces);
        summary.rows += 1;
        if (hasNoPrompt(file, texts)) summary.without_text += 1;
        for (const { field, text } of texts) {
          batch.texts.push(text);
          batch.places.push({ row: number, id, field });
          characters += text.length;
        }
        if (batch.texts.length < textsPerTask && characters < charactersPerTask) continue;
        yield batch;
        batch = { file: index, texts: [], places: [] };
        characters = 0;
      }
    }
    if (batch.texts.length > 0) yield batch;
    const known = summary.files[index];
    if (known !== undefined) known.rows = summary.rows - before;
    places += row;
  }
}
