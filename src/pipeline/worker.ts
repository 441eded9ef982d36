import { BroadcastChannel } from 'node:worker_threads';
import { Problem, type ProblemParts } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { type ContextParts, makeContext } from './context.js';
import { loadWork } from './load-stage.js';
import type { Progress, StageName, TaskReport } from './stage.js';

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

/** To load a stage's code and do nothing: a thread that is told so early is ready when there is work. */
export interface WorkerStart {
  start: StageName;
}

/** A Problem loses its class on the way between threads, so it travels as data. */
export type WorkerResult = { report: TaskReport } | { problem: { message: string; parts: ProblemParts } };

/** Does one task of a stage in a worker thread. Piscina calls the default export. */
export default async function work(message: WorkerTask | WorkerStart): Promise<WorkerResult | null> {
  if (!('start' in message)) return workOn(message);
  await loadWork(message.start);
  return null;
}

async function workOn({ parts, task, index, channel }: WorkerTask): Promise<WorkerResult> {
  const messages = new BroadcastChannel(channel);
  const send = (message: WorkerMessage) => messages.postMessage(message);
  try {
    const doTask = await loadWork(parts.stage);
    const context = makeContext(parts, {
      progress: (progress) => send({ kind: 'progress', index, progress }),
      warn: (sentence) => send({ kind: 'warning', sentence }),
      signal: new AbortController().signal,
    });
    return { report: await doTask(task, parts.pipeline.stages[parts.stage], context) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { cause: _, ...rest } = error.parts;
    return { problem: { message: error.message, parts: rest } };
  } finally {
    messages.close();
  }
}
