import { type BenchmarkCoverage, coverageOf } from './coverage.js';
import { type JudgedItems, readShared } from './item-memory.js';
import { type Hit, Judge, loadMethods, sightsOf } from './judge.js';
import type { MethodSpec } from './method-name.js';
import { type SelfTestResult, selfTest } from './self-test.js';

/** Before there are items: what judging by these methods takes is loaded. */
export interface LoadTask {
  ask: 'load';
  specs: MethodSpec[];
}

/** What to ask the methods over the items, which are those of `shareItems`: one pool's tasks all have the same ones. */
export type JudgeTask = { items: SharedArrayBuffer; specs: MethodSpec[] } & (
  | { ask: 'texts'; texts: string[] }
  | { ask: 'coverage' }
  | { ask: 'self-test'; hosts: string[]; seed: number; perKind: number }
);

/** Hits with the place of their text among the task's. */
export type JudgedTexts = { text: number; hit: Hit }[];

let ready: Promise<{ judge: Judge; items: JudgedItems }> | null = null;

/** Answers in a thread of its own, which builds the indexes for its first task and serves one pool. */
export default async function ask(
  task: JudgeTask | LoadTask,
): Promise<JudgedTexts | BenchmarkCoverage[] | SelfTestResult[] | null> {
  if (task.ask === 'load') {
    await loadMethods(task.specs);
    return null;
  }
  ready ??= makeJudge(task);
  const { judge, items } = await ready;
  if (task.ask === 'coverage') return coverageOf(items.benchmarks, items.loaded, await sightsOf(judge, task.specs));
  if (task.ask === 'self-test') return selfTest(judge, task.hosts, task.seed, task.perKind);
  const judged: JudgedTexts = [];
  task.texts.forEach((text, index) => {
    for (const hit of judge.find(text)) judged.push({ text: index, hit });
  });
  return judged;
}

// ---------------------------------------------------------------------------------------------------------------------

async function makeJudge(task: JudgeTask): Promise<{ judge: Judge; items: JudgedItems }> {
  const items = readShared(task.items);
  const all = items.loaded.flatMap((each) => each.items);
  return { judge: await Judge.of(all, task.specs), items };
}
