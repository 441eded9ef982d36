import type { OpenTables, Tables } from '../tables.js';
import { readCsv } from './csv.js';
import { detectFormat, type FileFormat } from './format.js';
import { readJsonLines } from './json-lines.js';
import { readJsonValues } from './json-values.js';
import type { Reading, ReadingAids } from './reading.js';

/**
 * The rows of any data file (Parquet, JSONL, JSON, CSV or TSV, also as .gz, .zst or .bz2), told by its content, in
 * batches and in order. What is no row comes as a reading of kind 'bad' with its place and reason, so a caller can
 * account for everything in the file. Tables are opened only where the file is Parquet.
 */
export async function* readBatches(
  path: string,
  tables: Tables | OpenTables,
  known?: FileFormat,
  aids: ReadingAids = {},
): AsyncGenerator<Reading[]> {
  const { format, compression } = known ?? (await detectFormat(path));
  if (format === 'parquet') {
    const open = typeof tables === 'function' ? await tables() : tables;
    yield* (await import('./parquet-rows.js')).readParquet(open, path);
  } else if (format === 'jsonl') yield* readJsonLines(path, compression, undefined, aids);
  else if (format === 'json') yield* readJsonValues(path, compression, undefined, aids);
  else yield* readCsv(path, compression, format === 'csv' ? ',' : '\t', aids.position);
}

/** `readBatches`, one reading at a time. */
export async function* readRows(path: string, tables: Tables | OpenTables): AsyncGenerator<Reading> {
  for await (const readings of readBatches(path, tables)) yield* readings;
}
