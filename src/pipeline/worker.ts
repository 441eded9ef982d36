import { BroadcastChannel } from 'node:worker_threads';
import { Problem, type ProblemParts } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { type ContextParts, makeContext } from './context.js';
import { loadStage } from './load-stage.js';
import type { Progress, TaskReport } from './stage.js';

export interface WorkerTask {
  parts: ContextParts;
  task: Json;
  index: number;
  /** Name of the channel on which the worker reports. */
  channel: string;
}

export type WorkerMessage =
  | { kind: 'progress'; index: number; progress: Progress }
  | { kind: 'warning'; sentence: string };

/** A Problem loses its class on the way between threads, so it travels as data. */
export type WorkerResult = { report: TaskReport } | { problem: { message: string; parts: ProblemParts } };

/** Does one task of a stage in a worker thread. Piscina calls the default export. */
export default async function work({ parts, task, index, channel }: WorkerTask): Promise<WorkerResult> {
  const messages = new BroadcastChannel(channel);
  const send = (message: WorkerMessage) => messages.postMessage(message);
  try {
    const stage = await loadStage(parts.stage);
    const context = makeContext(parts, {
      progress: (progress) => send({ kind: 'progress', index, progress }),
      warn: (sentence) => send({ kind: 'warning', sentence }),
      signal: new AbortController().signal,
    });
    return { report: await stage.work(task, parts.pipeline.stages[parts.stage], context) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { cause: _, ...rest } = error.parts;
    return { problem: { message: error.message, parts: rest } };
  } finally {
    messages.close();
  }
}
