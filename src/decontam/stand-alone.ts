import { lendTables, Tables } from '../store/tables.js';
import type { Allowed } from './allow.js';
import type { BenchmarkCoverage } from './coverage.js';
import { dataPaths } from './data-paths.js';
import { type JudgedItems, shareItems } from './item-memory.js';
import { JudgeThreads } from './judge-threads.js';
import type { MethodSpec } from './method-name.js';
import type { BenchmarkEntry, RewordedInput } from './options.js';
import type { SelfTestResult } from './self-test.js';

export interface StandAloneOptions {
  data: readonly string[];
  benchmarks: readonly BenchmarkEntry[];
  specs: MethodSpec[];
  /** What the method `reworded` is told, where it is among them. */
  reworded?: RewordedInput | undefined;
  out: string;
  textColumn?: string | undefined;
  idColumn?: string | undefined;
  traces: boolean;
  allowed: readonly Allowed[];
  workers: number;
  seed: number;
  /** More planted leaks than the few that every run plants. */
  selfTest: boolean;
}

export interface StandAloneSummary {
  rows: number;
  kept: number;
  flagged: number;
  /** Rows by the first method that flagged them, and rows that a method flags whatever the others say. */
  flagged_first: Record<string, number>;
  flagged_by_method: Record<string, number>;
  flagged_by_benchmark: Record<string, number>;
  hits: number;
  allowed_hits: number;
  /** A person's verdicts, in their order, each with the hits that it allowed and the first row of those. */
  allowed: HonouredVerdict[];
  /** What a judge cost, over all runs into this folder; null where none was asked. */
  judge: { calls: number; input_tokens: number; output_tokens: number; money: number | null } | null;
  /** Places of the input that are no row, by reason: they are neither looked into nor kept. */
  unreadable: Record<string, number>;
  /** Rows in which nothing could be looked into, as their text is empty or absent: they are kept. */
  without_text: number;
  files: { file: string; text_column: string; id_column: string; rows: number; flagged: number }[];
  seconds: Record<string, number>;
}

export type HonouredVerdict = Allowed & { hits: number; id: string | null };

export interface StandAloneEffects {
  progress(done: number): void;
}

export interface Checked {
  summary: StandAloneSummary;
  coverage: BenchmarkCoverage[];
  selfTest: SelfTestResult[];
  warnings: string[];
}

/** Checks any files against benchmarks and writes hits, the rows that none flagged, coverage and a summary. */
export async function checkData(options: StandAloneOptions, effects: StandAloneEffects): Promise<Checked> {
  const paths = dataPaths(options.data);
  const threads = new JudgeThreads(options.specs, paths, options.workers);
  try {
    // Threads start while the items are read, and build their indexes while DuckDB is loaded.
    const items = await readItems(options.benchmarks);
    threads.give(shareItems(items));
    const { checkFiles } = await import('./check-files.js');
    return await checkFiles(paths, items, threads, options, effects);
  } finally {
    await threads.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function readItems(entries: readonly BenchmarkEntry[]): Promise<JudgedItems> {
  const [{ findBenchmarks }, { loadBenchmarks }] = await Promise.all([import('./benchmarks.js'), import('./items.js')]);
  const benchmarks = findBenchmarks(entries, (path) => path);
  const open = () => Tables.open();
  return { benchmarks, loaded: await lendTables(open, (tables) => loadBenchmarks(benchmarks, tables)) };
}
