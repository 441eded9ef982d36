import { stat } from 'node:fs/promises';
import { Problem } from '../problem.js';
import { detectFormat, type FileFormat } from '../store/readers/format.js';
import { readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Reading } from '../store/readers/reading.js';
import type { Tables } from '../store/tables.js';
import { type Adapter, isRecord, Unfit } from './adapter.js';
import { adapterNamed, adapters, fittingAdapters, missingColumns } from './adapters.js';
import { canonicalise, type RowSource } from './canonical.js';
import { readColumnTypes } from './columns.js';
import { nameOfPattern } from './files.js';
import type { CanonicalRow } from './row.js';

/** Rows that are looked at. */
const sampleRows = 1000;
const shownRows = 3;

/** What a file holds, and what would become of it. Plain JSON. */
export interface Inspection {
  format: FileFormat['format'];
  compression: FileFormat['compression'];
  bytes: number;
  /** Rows in the file, where its format says so without reading all. */
  rows: number | null;
  columns: { name: string; type: string }[];
  /** The adapter that the rest was tried with, or null where none fits. */
  adapter: string | null;
  /** All that fit by their columns, the best first. */
  fitting: string[];
  /** Of those that do not fit, the three that lack least. */
  near: { adapter: string; missing: string[] }[];
  /** Of the first rows, up to a thousand. */
  sample: { read: number; kept: number; complete: number; withoutTrace: number; quarantined: Record<string, number> };
  languages: Record<string, number>;
  examples: CanonicalRow[];
}

/** Looks at a file's first rows; `adapter`: this one instead of the best. */
export async function inspectFile(path: string, tables: Tables, adapter: string | null): Promise<Inspection> {
  const known = await detectFormat(path);
  const types = await readColumnTypes(path, tables);
  const names = Object.keys(types);
  const readings = await firstReadings(path, tables, known);
  const rows = readings.flatMap((reading) => (reading.kind === 'row' && isRecord(reading.row) ? [reading.row] : []));
  const fitting = fittingAdapters(names).filter((each) => each.recognises === undefined || rows.some(each.recognises));
  const candidates = adapter === null ? fitting : [checkedAdapter(adapter, names, path)];
  const trials = candidates.map((each) => attempt(each, readings, path));
  const shape = known.format === 'parquet' ? await readParquetShape(tables, path) : null;
  const best = trials.reduce<Trial | null>(
    (most, trial) => (most === null || trial.score > most.score ? trial : most),
    null,
  );
  const chosen = best ?? attempt(null, readings, path);
  return {
    ...known,
    bytes: (await stat(path)).size,
    rows: shape?.rowCount ?? null,
    columns: shape?.columns ?? names.map((name) => ({ name, type: kindsOf(rows, name) })),
    adapter: chosen.adapter,
    fitting: [...new Set([...(chosen.adapter === null ? [] : [chosen.adapter]), ...fitting.map((each) => each.name)])],
    near: nearAdapters(names, fitting),
    sample: chosen.sample,
    languages: chosen.languages,
    examples: chosen.examples,
  };
}

// ---------------------------------------------------------------------------------------------------------------------

interface Trial extends Pick<Inspection, 'adapter' | 'sample' | 'languages' | 'examples'> {
  /** A shape that was recognised counts most, then complete rows, then rows that became canonical at all. */
  score: number;
}

async function firstReadings(path: string, tables: Tables, known: FileFormat): Promise<Reading[]> {
  const found: Reading[] = [];
  for await (const readings of readBatches(path, tables, known)) {
    found.push(...readings.slice(0, sampleRows - found.length));
    if (found.length >= sampleRows) break;
  }
  return found;
}

function checkedAdapter(name: string, columns: readonly string[], path: string): Adapter {
  if (!adapters.some((each) => each.name === name)) {
    throw new Problem(`no adapter "${name}"`, { found: adapters.map((each) => each.name).join(', ') });
  }
  const adapter = adapterNamed(name);
  const missing = missingColumns(adapter, columns);
  if (missing.length === 0) return adapter;
  throw new Problem(`the adapter ${name} does not fit`, {
    where: path,
    found: `missing ${missing.join(', ')}; there: ${columns.join(', ')}`,
    try: `curate inspect ${path} says which fits`,
  });
}

function attempt(adapter: Adapter | null, readings: readonly Reading[], path: string): Trial {
  const sample = {
    read: readings.length,
    kept: 0,
    complete: 0,
    withoutTrace: 0,
    quarantined: {} as Record<string, number>,
  };
  const languages: Record<string, number> = {};
  const examples: CanonicalRow[] = [];
  const source: RowSource | null =
    adapter === null
      ? null
      : { adapter, map: {}, name: nameOfPattern(path) ?? 'source', group: 'source', license: null };
  for (const reading of readings) {
    let reason = reading.kind === 'bad' ? reading.reason : 'no adapter fits';
    try {
      if (reading.kind === 'row' && source !== null) {
        const { row } = canonicalise(reading.row, source, path, reading.index);
        sample.kept += 1;
        if (row.complete) sample.complete += 1;
        if (row.reasoning === null && row.answer === null && row.finish_reason === 'no_trace') sample.withoutTrace += 1;
        languages[row.language] = (languages[row.language] ?? 0) + 1;
        if (examples.length < shownRows) examples.push(row);
        continue;
      }
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      reason = error.message as typeof reason;
    }
    sample.quarantined[reason] = (sample.quarantined[reason] ?? 0) + 1;
  }
  const recognised = adapter?.recognises === undefined ? 0 : 1;
  const score = recognised * 1e9 + sample.complete * 1000 + sample.kept;
  return { adapter: adapter?.name ?? null, sample, languages, examples, score };
}

/** What a column of a text file holds: `text`, `number or nothing`, `list` … */
function kindsOf(rows: readonly Record<string, unknown>[], name: string): string {
  const kinds = new Set(
    rows.map((row) => {
      const value = row[name];
      if (value === null || value === undefined) return 'nothing';
      if (Array.isArray(value)) return 'list';
      return typeof value === 'string' ? 'text' : typeof value;
    }),
  );
  return [...kinds].sort((a, b) => Number(a === 'nothing') - Number(b === 'nothing')).join(' or ');
}

function nearAdapters(columns: readonly string[], fitting: readonly Adapter[]): Inspection['near'] {
  return adapters
    .filter((adapter) => !fitting.includes(adapter))
    .map((adapter) => ({
      adapter: adapter.name,
      missing: missingColumns(adapter, columns),
      needed: adapter.needs.length,
    }))
    .filter(({ missing, needed }) => missing.length < needed)
    .sort((a, b) => a.missing.length - b.missing.length)
    .slice(0, 3)
    .map(({ adapter, missing }) => ({ adapter, missing }));
}
