import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tables } from '../store/tables.js';
import type { Benchmark } from './benchmarks.js';
import { loadBenchmarks } from './items.js';
import { type Hit, Judge } from './judge.js';
import type { MethodSpec } from './options.js';

/** Texts to judge by the methods over the items of the benchmarks. */
export interface JudgeTask {
  benchmarks: Benchmark[];
  specs: MethodSpec[];
  texts: string[];
}

/** Hits with the place of their text among the task's. */
export type JudgedTexts = { text: number; hit: Hit }[];

let ready: { key: string; judge: Promise<Judge> } | null = null;

/** Judges a batch in a thread of its own; the indexes are built once per thread. */
export default async function judgeTexts({ benchmarks, specs, texts }: JudgeTask): Promise<JudgedTexts> {
  const key = JSON.stringify([benchmarks, specs]);
  if (ready?.key !== key) ready = { key, judge: makeJudge(benchmarks, specs) };
  const judge = await ready.judge;
  return texts.flatMap((text, index) => judge.find(text).map((hit) => ({ text: index, hit })));
}

async function makeJudge(benchmarks: Benchmark[], specs: MethodSpec[]): Promise<Judge> {
  const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-judge') });
  try {
    const loaded = await loadBenchmarks(benchmarks, tables);
    return new Judge(
      loaded.flatMap((each) => each.items),
      specs,
    );
  } finally {
    tables.close();
  }
}
