import { openNearest } from '../compute/nearest.js';
import { type Desk, type OperationResult, operate } from './operations.js';
import { FilePoints } from './points.js';
import type { ThreadTask } from './team.js';

let current: { job: string; desk: Promise<Desk> } | null = null;

/** Does one operation in a worker thread. Piscina calls the default export. */
export default async function work(task: ThreadTask): Promise<OperationResult> {
  if (current?.job !== task.job) current = { job: task.job, desk: openDesk(task) };
  return operate(task.operation, await current.desk);
}

async function openDesk({ files, compute, arrays }: ThreadTask): Promise<Desk> {
  return { points: new FilePoints(files), nearest: await openNearest(arrays.dimensions, compute), arrays };
}
