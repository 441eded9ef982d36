import { Tables } from '../store/tables.js';
import type { Benchmark } from './benchmarks.js';
import { type BenchmarkCoverage, coverageOf } from './coverage.js';
import { type LoadedBenchmark, loadBenchmarks } from './items.js';
import { type Hit, Judge } from './judge.js';
import type { MethodSpec } from './options.js';
import { type SelfTestResult, selfTest } from './self-test.js';

/** What to ask the methods over the items of the benchmarks. */
export type JudgeTask = { benchmarks: Benchmark[]; specs: MethodSpec[] } & (
  | { ask: 'texts'; texts: string[] }
  | { ask: 'coverage' }
  | { ask: 'self-test'; hosts: string[]; seed: number; perKind: number }
);

/** Hits with the place of their text among the task's. */
export type JudgedTexts = { text: number; hit: Hit }[];

interface Ready {
  judge: Judge;
  loaded: LoadedBenchmark[];
}

let ready: { key: string; parts: Promise<Ready> } | null = null;

/** Answers in a thread of its own; the indexes are built once per thread. */
export default async function ask(task: JudgeTask): Promise<JudgedTexts | BenchmarkCoverage[] | SelfTestResult[]> {
  const key = JSON.stringify([task.benchmarks, task.specs]);
  if (ready?.key !== key) ready = { key, parts: makeJudge(task.benchmarks, task.specs) };
  const { judge, loaded } = await ready.parts;
  if (task.ask === 'coverage') return coverageOf(task.benchmarks, loaded, judge);
  if (task.ask === 'self-test') return selfTest(judge, task.hosts, task.seed, task.perKind);
  return task.texts.flatMap((text, index) => judge.find(text).map((hit) => ({ text: index, hit })));
}

async function makeJudge(benchmarks: Benchmark[], specs: MethodSpec[]): Promise<Ready> {
  const tables = await Tables.open();
  try {
    const loaded = await loadBenchmarks(benchmarks, tables);
    const items = loaded.flatMap((each) => each.items);
    return { judge: new Judge(items, specs), loaded };
  } finally {
    tables.close();
  }
}
