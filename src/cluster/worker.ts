import { type Desk, type OperationResult, operate } from './operations.js';
import { FilePoints } from './points.js';
import { openDesk, type ThreadTask } from './team.js';

let current: { job: string; desk: Promise<Desk> } | null = null;

/** Does one operation in a worker thread. Piscina calls the default export. */
export default async function work(task: ThreadTask): Promise<OperationResult> {
  if (current?.job !== task.job) {
    current = { job: task.job, desk: openDesk(new FilePoints(task.files), task.compute, task.arrays) };
  }
  return operate(task.operation, await current.desk);
}
