import { BroadcastChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { Problem } from '../problem.js';
import { threadArguments, workerFile } from '../product.js';
import type { Json } from '../store/fingerprint.js';
import { type ContextParts, makeContext } from './context.js';
import type { Progress, StageName, TaskReport } from './stage.js';
import type { AnyStage } from './stages.js';
import type { WorkerMessage, WorkerResult, WorkerStart, WorkerTask } from './worker.js';

export interface WorkEffects {
  /** How far the stage is: `done` of `total` in the tasks' own unit of work. */
  progress(progress: Progress): void;
  warn(sentence: string): void;
  signal: AbortSignal;
  /** Called when a task is whole; its thread may have begun the next one. */
  finished(index: number, report: TaskReport): Promise<void>;
}

/**
 * Does the tasks of a stage that are still to do, on this machine's cores. A task's weight in the progress is its `size`
 * (rows, bytes, prompts), where it has one. The first failure stops the rest; tasks in hand end first, because a native
 * session must not be torn down while it computes.
 */
export async function work(
  stage: AnyStage,
  tasks: readonly Json[],
  todo: readonly number[],
  parts: ContextParts,
  effects: WorkEffects,
): Promise<void> {
  const gauge = new Gauge(tasks, todo, effects.progress);
  if (stage.runs === 'here' || todo.length === 0) {
    for (const index of todo) {
      effects.signal.throwIfAborted();
      const context = makeContext(parts, { ...effects, progress: effects.progress });
      const report = await stage.work(tasks[index] as Json, parts.pipeline.stages[stage.name], context);
      await effects.finished(index, report);
    }
    return;
  }
  const channel = `curate-${process.pid}`;
  const messages = new BroadcastChannel(channel);
  messages.onmessage = (event) => {
    const message = (event as { data: WorkerMessage }).data;
    if (message.kind === 'progress') gauge.update(message.index, message.progress);
    else effects.warn(message.sentence);
  };
  const threads = poolOf(parts.workers);
  try {
    const queue = [...todo];
    let failed = false;
    const told: Promise<void>[] = [];
    const tell = async (index: number, report: TaskReport) => {
      try {
        await effects.finished(index, report);
        gauge.complete(index);
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    const lane = async () => {
      for (let index = queue.shift(); index !== undefined && !failed; index = queue.shift()) {
        effects.signal.throwIfAborted();
        try {
          const result = await threads.run({ parts, task: tasks[index] as Json, index, channel });
          if (result === null) throw new Error('a worker gave no result');
          if ('problem' in result) throw new Problem(result.problem.message, result.problem.parts);
          // The next task need not wait until the report lies on disk.
          const telling = tell(index, result.report);
          telling.catch(() => undefined);
          told.push(telling);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: Math.min(parts.workers, todo.length) }, lane));
    ends.push(...(await Promise.allSettled(told)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    messages.close();
  }
}

/** Starts one worker thread for what the stage will want of it, while the main one still looks at the inputs. */
export function startWorkers(stage: StageName, workers: number): void {
  // Whatever hinders it hinders its first task too, and is told then.
  poolOf(workers)
    .run({ start: stage })
    .catch(() => undefined);
}

/** Lets the worker threads go, which outlive a stage because starting one costs half a second. */
export async function closeWorkers(): Promise<void> {
  const open = pool;
  pool = null;
  await open?.close();
}

type Pool = Piscina<WorkerTask | WorkerStart, WorkerResult | null>;
let pool: Pool | null = null;

function poolOf(workers: number): Pool {
  pool ??= new Piscina<WorkerTask | WorkerStart, WorkerResult | null>({
    filename: workerFile('pipeline/worker').href,
    execArgv: threadArguments,
    minThreads: 1,
    maxThreads: workers,
    idleTimeout: 60_000,
    // A worker holds one shard at a time; without a bound V8 lets garbage grow to the machine's size.
    resourceLimits: { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 64 },
    atomics: 'disabled',
  });
  return pool;
}

/** Adds up what the tasks report into one figure for the stage. */
class Gauge {
  private readonly sizes: number[];
  private readonly done: number[];
  private readonly total: number;
  private unit: string;
  private readonly report: (progress: Progress) => void;

  constructor(tasks: readonly Json[], todo: readonly number[], report: (progress: Progress) => void) {
    this.sizes = tasks.map(sizeOf);
    const waiting = new Set(todo);
    this.done = this.sizes.map((size, index) => (waiting.has(index) ? 0 : size));
    this.total = this.sizes.reduce((sum, size) => sum + size, 0);
    this.unit = 'tasks';
    this.report = report;
  }

  update(index: number, progress: Progress): void {
    const size = this.sizes[index] ?? 0;
    if (progress.total !== null && progress.total > 0)
      this.done[index] = (size * Math.min(progress.done, progress.total)) / progress.total;
    this.unit = progress.unit;
    this.send();
  }

  complete(index: number): void {
    this.done[index] = this.sizes[index] ?? 0;
    this.send();
  }

  private send(): void {
    this.report({ done: this.done.reduce((sum, each) => sum + each, 0), total: this.total, unit: this.unit });
  }
}

function sizeOf(task: Json): number {
  if (task !== null && typeof task === 'object' && !Array.isArray(task) && typeof task.size === 'number')
    return task.size;
  return 1;
}
