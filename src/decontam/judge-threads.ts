import { statSync } from 'node:fs';
import { openPool, type Pool } from '../compute/pool.js';
import { workerFile } from '../product.js';
import type { BenchmarkCoverage } from './coverage.js';
import type { JudgedTexts, JudgeTask, LoadTask } from './judge-worker.js';
import type { MethodSpec } from './method-name.js';
import type { SelfTestResult } from './self-test.js';

type Question = JudgeTask extends infer Task ? (Task extends JudgeTask ? Omit<Task, 'items' | 'specs'> : never) : never;

interface Lane {
  specs: MethodSpec[];
  pool: Pool<JudgeTask | LoadTask, unknown>;
}

/**
 * Threads that judge texts by all methods. A thread builds its own indexes first, so little data is shared out by method,
 * each with a thread and an index of its own, and much data by text, each thread with all methods. The answers are the same.
 */
export class JudgeThreads {
  private readonly lanes: Lane[];
  private items: SharedArrayBuffer | null = null;
  private covering: Promise<BenchmarkCoverage[]> | null = null;

  /** Starts the threads at once: `paths` are the data that will be judged. */
  constructor(specs: MethodSpec[], paths: readonly string[], workers: number) {
    const isFast = specs.every(({ kind }) => kind === 'ngram' || kind === 'fuzzy');
    const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
    const threads = isFast ? Math.max(1, Math.min(workers, Math.ceil(bytes / bytesPerThread))) : workers;
    const byMethod = isFast && specs.length <= workers && threads <= specs.length;
    const open = (own: MethodSpec[], count: number) => {
      const pool = openPool<JudgeTask | LoadTask, unknown>(workerFile('decontam/judge-worker'), count);
      const load: LoadTask = { ask: 'load', specs: own };
      // What fails here fails again, and is told, when something is asked.
      pool.run(Array.from({ length: count }, () => load)).catch(() => undefined);
      return { specs: own, pool };
    };
    this.lanes = byMethod ? specs.map((spec) => open([spec], 1)) : [open(specs, threads)];
  }

  /** What is asked for is asked of these items (`shareItems`), whose indexes the threads now build. */
  give(items: SharedArrayBuffer): void {
    this.items = items;
    this.covering = this.askCoverage();
    // Thrown where it is awaited, which may be never.
    this.covering.catch(() => undefined);
  }

  /** Hits by text, then in the order of the methods. */
  async texts(texts: string[]): Promise<JudgedTexts> {
    const judged = await this.ask<JudgedTexts>({ ask: 'texts', texts });
    return judged.length === 1 ? (judged[0] as JudgedTexts) : judged.flat().sort((a, b) => a.text - b.text);
  }

  coverage(): Promise<BenchmarkCoverage[]> {
    if (this.covering === null) throw new Error('no items were given');
    return this.covering;
  }

  /** Results by kind, then in the order of the methods. */
  async selfTest(hosts: string[], seed: number, perKind: number): Promise<SelfTestResult[]> {
    const tested = await this.ask<SelfTestResult[]>({ ask: 'self-test', hosts, seed, perKind });
    const kinds = [...new Set(tested[0]?.map(({ kind }) => kind))];
    return kinds.flatMap((kind) => tested.flatMap((results) => results.filter((each) => each.kind === kind)));
  }

  async close(): Promise<void> {
    await Promise.all(this.lanes.map(({ pool }) => pool.close()));
  }

  // -------------------------------------------------------------------------------------------------------------------

  private async askCoverage(): Promise<BenchmarkCoverage[]> {
    const [first = [], ...others] = await this.ask<BenchmarkCoverage[]>({ ask: 'coverage' });
    return first.map((each, index) => ({
      ...each,
      methods: [...each.methods, ...others.flatMap((lane) => lane[index]?.methods ?? [])],
    }));
  }

  /** One answer of each lane. */
  private ask<Answer>(question: Question): Promise<Answer[]> {
    const { items } = this;
    if (items === null) throw new Error('no items were given');
    return Promise.all(
      this.lanes.map(async ({ specs, pool }) => (await pool.run([{ items, specs, ...question }]))[0] as Answer),
    );
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** For the fast methods a further thread with indexes of its own pays from so much data on. */
const bytesPerThread = 8 << 20;
