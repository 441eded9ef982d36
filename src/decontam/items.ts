import { basename } from 'node:path';
import { Problem } from '../problem.js';
import { readRows } from '../store/readers/read-rows.js';
import type { OpenTables, Tables } from '../store/tables.js';
import { formatNumber } from '../text/number.js';
import { isSpace, strip } from '../text/spaces.js';
import type { Benchmark } from './benchmarks.js';

/** One question of a benchmark. */
export interface Item {
  benchmark: string;
  /** Its own id, else its number in the file, from 0. */
  item: string;
  /** All of it, a context before the question included. */
  question: string;
  /** The question without its context; the same as `question` where there is none. */
  stem: string;
  options: string[];
  /** What ngram and fuzzy compare with. */
  compared: string;
}

/** A benchmark's items as read, and what a person should know of the file. */
export interface LoadedBenchmark {
  benchmark: Benchmark;
  /** The name under which hits of it stand: the benchmark's, or its set's in a file of several. */
  name: string;
  items: Item[];
  warnings: string[];
}

/** Reads the items of all benchmarks. A file of several sets gives one loaded benchmark for each that is asked for. */
export async function loadBenchmarks(
  benchmarks: readonly Benchmark[],
  tables: Tables | OpenTables,
): Promise<LoadedBenchmark[]> {
  // While one is decompressed another is read.
  const loaded = await Promise.allSettled(benchmarks.map((benchmark) => loadBenchmark(benchmark, tables)));
  return loaded.flatMap((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

// ---------------------------------------------------------------------------------------------------------------------

type Fields = Record<string, unknown>;

async function loadBenchmark(benchmark: Benchmark, tables: Tables | OpenTables): Promise<LoadedBenchmark[]> {
  const { file } = benchmark;
  if (file === null) return [];
  const sets = await readSets(benchmark, file, tables);
  return sets.map(([name, rows]) => loadSet(benchmark, file, name, rows));
}

/** Rows by set: of a plain file all under the benchmark's name. */
async function readSets(
  benchmark: Benchmark,
  file: string,
  tables: Tables | OpenTables,
): Promise<[string, Fields[]][]> {
  const sets = new Map<string, Fields[]>();
  const put = (name: string, row: Fields) => {
    const rows = sets.get(name);
    if (rows === undefined) sets.set(name, [row]);
    else rows.push(row);
  };
  for await (const reading of readRows(file, tables)) {
    if (reading.kind === 'bad')
      throw new Problem(`the benchmark ${benchmark.name} cannot be read`, {
        where: `${file}, row ${reading.index + 1}`,
        found: reading.reason,
      });
    if (!isFields(reading.row)) continue;
    const lists =
      benchmark.columns.question in reading.row
        ? []
        : Object.entries(reading.row).filter((entry): entry is [string, Fields[]] => isSet(entry[1]));
    if (lists.length === 0) {
      const of = reading.row.bench;
      put(typeof of === 'string' ? of : benchmark.name, reading.row);
    } else
      for (const [name, rows] of lists) {
        if (sets.has(name)) for (const row of rows) put(name, row);
        else sets.set(name, rows);
      }
  }
  if (sets.size === 0) throw hasNoItems(benchmark.name, file, 0);
  if (sets.size <= 1 && benchmark.sets.length === 0) return [...sets].map(([, rows]) => [benchmark.name, rows]);
  if (benchmark.sets.length === 0) return [...sets];
  const wanted = new Set([benchmark.name, ...benchmark.sets].map(bare));
  const chosen = [...sets].filter(([name]) => wanted.has(bare(name)));
  if (chosen.length > 0) return [[benchmark.name, chosen.flatMap(([, rows]) => rows)]];
  if (sets.size === 1) return [[benchmark.name, [...sets.values()].flat()]];
  throw new Problem(`no set of ${benchmark.name} in its file`, {
    where: file,
    found: [...sets.keys()].slice(0, 20).join(', '),
    try: `a file with one of the sets ${benchmark.sets.join(', ')}`,
  });
}

function loadSet(benchmark: Benchmark, file: string, name: string, rows: Fields[]): LoadedBenchmark {
  const wanted = Object.entries(benchmark.where);
  const kept =
    wanted.length === 0
      ? rows
      : rows.filter((row) => wanted.every(([column, value]) => !(column in row) || row[column] === value));
  const items = kept.map((row, index) => readItem(benchmark, file, name, row, index));
  const empty = items.filter((item) => item.options.length === 0 && isBlank(item.question)).length;
  if (items.length === empty) throw hasNoItems(name, file, items.length);
  if (benchmark.trainItems !== null && items.length === benchmark.trainItems)
    throw new Problem(`the file of ${name} is its train split`, {
      where: file,
      found: `${formatNumber(items.length)} items, as many as the train split has`,
      try: `the split with ${formatNumber(benchmark.whole ?? 0)} items`,
    });
  return { benchmark, name, items, warnings: suspicions(benchmark, file, name, items, empty) };
}

/** Nothing would be found of it, which must not look like a clean bill. */
function hasNoItems(name: string, file: string, rows: number): Problem {
  return new Problem(`the benchmark ${name} has no items`, {
    where: file,
    found: rows === 0 ? 'no row' : `${formatNumber(rows)} ${rows === 1 ? 'row' : 'rows'}, none with a text`,
    try: 'a file whose rows have "question", and optionally "options", "item" and "bench"',
  });
}

function suspicions(benchmark: Benchmark, file: string, name: string, items: Item[], empty: number): string[] {
  const warnings: string[] = [];
  const { expected, whole } = benchmark;
  if (expected !== null && items.length < expected)
    warnings.push(
      `${name}: ${formatNumber(items.length)} of the ${formatNumber(expected)} items that are known, in ${basename(file)}`,
    );
  else if (expected !== null && items.length > expected * 1.05)
    warnings.push(
      `${name}: ${formatNumber(items.length)} items in ${basename(file)}, more than the ${formatNumber(expected)} known: another split?`,
    );
  else if (whole !== null && items.length < whole)
    warnings.push(`${name}: a declared subset, ${formatNumber(items.length)} of ${formatNumber(whole)} items`);
  if (empty > 0) warnings.push(`${name}: ${formatNumber(empty)} ${empty === 1 ? 'item' : 'items'} without a text`);
  const repeated = countRepeated(items);
  if (repeated > 0)
    warnings.push(
      `${name}: ${formatNumber(repeated)} ${repeated === 1 ? 'item repeats' : 'items repeat'} another one word for word`,
    );
  return warnings;
}

/** Items with the question and, in whatever order, the options of one before. */
function countRepeated(items: readonly Item[]): number {
  const first = new Map<string, Item>();
  const again: Item[] = [];
  for (const item of items) {
    if (first.has(item.question)) again.push(item);
    else first.set(item.question, item);
  }
  const key = ({ question, options }: Item) => JSON.stringify([question, [...options].sort()]);
  const known = new Set(again.map(({ question }) => key(first.get(question) as Item)));
  return again.filter((item) => {
    const size = known.size;
    return known.add(key(item)).size === size;
  }).length;
}

function readItem(benchmark: Benchmark, file: string, name: string, row: Fields, index: number): Item {
  const { columns } = benchmark;
  const text = at(row, columns.question) ?? row.question;
  if (typeof text !== 'string')
    throw new Problem(`the benchmark ${name} lacks a question`, {
      where: `${file}, item ${index + 1}`,
      found:
        text === undefined
          ? `the columns ${Object.keys(row).slice(0, 20).join(', ')}`
          : `a question that is ${text === null ? 'null' : typeof text}`,
      try: 'a column "question"; or a YAML of your own with columns: { question: NAME }',
    });
  const contexts = texts(at(row, columns.context ?? 'context'));
  const options = readOptions(row, columns.options);
  const lastLine = benchmark.stemIsLastLine ? strip(text).split('\n').pop() : undefined;
  const question = contexts.length === 0 ? text : `${contexts.join('\n')}\n${text}`;
  const stem = lastLine ?? text;
  const compared = benchmark.compare === 'question' ? question : [question, ...lettered(options)].join('\n');
  return { benchmark: name, item: idOf(row, columns.item, index), question, stem, options, compared };
}

function readOptions(row: Fields, columns: string | string[]): string[] {
  if (Array.isArray(columns) && columns.some((column) => column in row))
    return columns.flatMap((column) => texts(row[column]));
  const value = at(row, Array.isArray(columns) ? 'options' : columns) ?? row.options ?? row.choices;
  if (!isFields(value)) return texts(value);
  return texts(Array.isArray(value.text) ? value.text : Object.values(value));
}

function lettered(options: readonly string[]): string[] {
  return options.map((option, index) => `${String.fromCharCode(65 + index)}. ${option}`);
}

function idOf(row: Fields, column: string | undefined, index: number): string {
  for (const name of [column, 'item', 'id', 'question_id']) {
    const value = name === undefined ? undefined : row[name];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  }
  return String(index);
}

/** A value by a path of names with dots. */
function at(row: Fields, path: string): unknown {
  if (path in row) return row[path];
  if (!path.includes('.')) return undefined;
  let value: unknown = row;
  for (const name of path.split('.')) value = isFields(value) ? value[name] : undefined;
  return value;
}

/** A text or a list of texts or numbers, as texts. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return isBlank(value) ? [] : [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (!Array.isArray(value)) return [];
  return value.every((each) => typeof each === 'string' && !isBlank(each)) ? value : value.flatMap(texts);
}

function isBlank(text: string): boolean {
  return isSpace(text.charCodeAt(0)) ? strip(text) === '' : text === '';
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isSet(value: unknown): value is Fields[] {
  return Array.isArray(value) && value.length > 0 && value.every(isFields);
}

/** Names of sets are compared without case and punctuation. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
