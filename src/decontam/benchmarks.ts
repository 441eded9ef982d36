import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve as resolvePath } from 'node:path';
import { Problem } from '../problem.js';
import { dataFolder, productFolder } from '../product.js';
import { nearestName } from '../text/nearest-name.js';
import { knownBenchmarks } from './known-benchmarks.js';
import type { BenchmarkEntry } from './options.js';

/** A benchmark with the file that holds its items, or without one where it may be missing. */
export interface Benchmark {
  name: string;
  title: string;
  file: string | null;
  /** How many items the file should hold, and how many the whole benchmark has. */
  expected: number | null;
  whole: number | null;
  trainItems: number | null;
  compare: 'question' | 'question-and-options';
  stemIsLastLine: boolean;
  /** Its authors ask that its items are not published. */
  gated: boolean;
  where: Record<string, string | number>;
  sets: string[];
  columns: { question: string; options: string | string[]; context?: string; item?: string };
}

/** The benchmarks that the entries name. `resolve` makes a path absolute. A missing file stops all but optional ones. */
export function findBenchmarks(entries: readonly BenchmarkEntry[], resolve: (path: string) => string): Benchmark[] {
  const problems: Problem[] = [];
  const found = entries.flatMap((entry) => {
    try {
      return [findBenchmark(typeof entry === 'string' ? spell(entry, resolve) : entry, resolve)];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(error);
      return [];
    }
  });
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1)
    throw new Problem(`${problems.length} benchmarks cannot be read`, {
      items: problems.map((each) => [each.message, each.parts.found, each.parts.try].filter(Boolean).join('  ')),
    });
  const names = new Set<string>();
  for (const { name } of found) {
    if (names.has(name)) throw new Problem(`the benchmark ${name} is named twice`, { where: 'decontam.benchmarks' });
    names.add(name);
  }
  return found;
}

/** The descriptions that ship, by their text: the build keeps them in `builtDescriptors`. */
export function shippedDescriptors(): Record<string, unknown> {
  const files = knownBenchmarks().map(shippedYaml);
  const texts = files.map((file) => [file, readFileSync(file, 'utf8')] as const);
  return Object.fromEntries(texts.map(([file, text]) => [text, parseDescriptor(text, file)]));
}

/** A file that need not be there. */
export const builtDescriptors = join(productFolder, 'dist', 'decontam', 'descriptors.json');

// ---------------------------------------------------------------------------------------------------------------------

interface Spelled {
  use?: string | undefined;
  path?: string | undefined;
  optional?: boolean;
  items?: number | undefined;
}

/** A bare text is the name of a shipped benchmark, or else a path. */
function spell(text: string, resolve: (path: string) => string): Spelled {
  if (knownBenchmarks().includes(text)) return { use: text };
  return /[/\\.]/.test(text) || existsSync(resolve(text)) ? { path: text } : { use: text };
}

function findBenchmark(entry: Spelled, resolve: (path: string) => string): Benchmark {
  const path = entry.path === undefined ? undefined : resolve(entry.path);
  const describes = path !== undefined && /\.ya?ml$/i.test(path);
  if (path !== undefined && !describes && (entry.use === undefined || !knownBenchmarks().includes(entry.use))) {
    const file = path;
    const name = entry.use ?? basename(file).replace(/(\.(jsonl?|ndjson|parquet|csv|tsv|gz|zst|bz2))+$/i, '');
    return { ...plain(name, entry), file: presentFile(name, file, entry, 'check the path') };
  }
  const yaml = entry.use === undefined ? (path as string) : shippedYaml(entry.use);
  if (entry.use === undefined && !existsSync(yaml)) {
    const name = basename(yaml).replace(/\.ya?ml$/i, '');
    return { ...plain(name, entry), file: presentFile(name, yaml, entry, 'check the path') };
  }
  const described = readDescriptor(yaml);
  const name = basename(yaml).replace(/\.ya?ml$/i, '');
  const own = entry.use === undefined ? undefined : path;
  const listed = own ?? (described.path === undefined ? undefined : resolvePath(dirname(yaml), described.path));
  const sample = described.sample === undefined ? undefined : resolvePath(dirname(yaml), described.sample);
  const get = described.get ?? `fetch ${described.hub ?? name} and name your copy`;
  const file = presentFile(name, listed ?? sample, entry, `${get}: { use: ${name}, path: FILE }`);
  const whole = entry.items ?? described.items ?? null;
  const { columns } = described;
  return {
    name,
    title: described.title,
    file,
    expected: listed === undefined ? (described.sample_items ?? whole) : whole,
    whole,
    trainItems: described.train_items ?? null,
    compare: described.compare,
    stemIsLastLine: described.stem === 'last-line',
    gated: described.gated ?? false,
    where: described.where ?? {},
    sets: described.sets,
    columns: {
      question: columns?.question ?? 'question',
      options: columns?.options ?? 'options',
      ...(columns?.context === undefined ? {} : { context: columns.context }),
      ...(columns?.item === undefined ? {} : { item: columns.item }),
    },
  };
}

function plain(name: string, entry: Spelled): Omit<Benchmark, 'file'> {
  return {
    name,
    title: name,
    expected: entry.items ?? null,
    whole: entry.items ?? null,
    trainItems: null,
    compare: 'question',
    stemIsLastLine: false,
    gated: false,
    where: {},
    sets: [],
    columns: { question: 'question', options: 'options' },
  };
}

function presentFile(name: string, file: string | undefined, entry: Spelled, advice: string): string | null {
  if (file !== undefined && existsSync(file)) return file;
  if (entry.optional === true) return null;
  throw new Problem(`the benchmark ${name} is not here`, {
    where: 'decontam.benchmarks',
    found: file === undefined ? 'no copy of it ships with curate' : `no file ${file}`,
    try: `${advice}; or optional: true, and coverage says that it was not checked`,
  });
}

function shippedYaml(name: string): string {
  const known = knownBenchmarks();
  if (known.includes(name)) return join(dataFolder, 'benchmarks', `${name}.yaml`);
  const near = nearestName(name, known);
  throw new Problem(`no benchmark "${name}"`, {
    where: 'decontam.benchmarks',
    try: near === null ? `one of ${known.join(', ')}, or a path` : `did you mean ${near}? Or a path`,
  });
}

/** What the build has read: by the text of a file. */
let readBefore: Record<string, Descriptor> | null = null;

function readDescriptor(file: string): Descriptor {
  const text = readFileSync(file, 'utf8');
  readBefore ??= existsSync(builtDescriptors) ? JSON.parse(readFileSync(builtDescriptors, 'utf8')) : {};
  return readBefore?.[text] ?? parseDescriptor(text, file);
}

/** Loaded for a description that was never read before: starting the two takes as long as checking a small file. */
const load = createRequire(import.meta.url);

function parseDescriptor(text: string, file: string): Descriptor {
  const { parse } = load('yaml') as typeof import('yaml');
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new Problem(`${basename(file)} is not valid YAML`, { where: file, found: (error as Error).message });
  }
  const parsed = descriptor().safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Problem(`${basename(file)} does not describe a benchmark`, {
    where: file,
    items: parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}  ${issue.message}`),
    try: 'data/benchmarks/medmcqa.yaml shows the shape',
  });
}

type Descriptor = ReturnType<ReturnType<typeof descriptor>['parse']>;

/** A benchmark as a YAML file describes it: one of `data/benchmarks/`, or one's own. */
function descriptor() {
  const { z } = load('zod') as typeof import('zod');
  return z.strictObject({
    title: z.string().min(1),
    hub: z.string().optional(),
    config: z.string().optional(),
    split: z.string().optional(),
    /** Of a file with more: only the rows whose columns have these values. */
    where: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    license: z.string().optional(),
    gated: z.boolean().optional(),
    /** How many items it has. */
    items: z.int().positive().optional(),
    /** How many items the shipped copy has, where that is a declared subset. */
    sample_items: z.int().positive().optional(),
    /** How many rows its train split has: a file of that size is the wrong one. */
    train_items: z.int().positive().optional(),
    /** What ngram and fuzzy compare a prompt with. */
    compare: z.enum(['question', 'question-and-options']).default('question'),
    /** The question alone is the last line of the text; what stands before it is its context. */
    stem: z.literal('last-line').optional(),
    /** The copy that ships, relative to this file. */
    sample: z.string().optional(),
    /** The file with the items, relative to this file. */
    path: z.string().optional(),
    /** Names of its set in a file of several. */
    sets: z.array(z.string()).default([]),
    columns: z
      .strictObject({
        question: z.string().default('question'),
        options: z.union([z.string(), z.array(z.string())]).default('options'),
        context: z.string().optional(),
        item: z.string().optional(),
      })
      .optional(),
    /** What a person does to get it. */
    get: z.string().optional(),
  });
}
