import { openNearest } from '../compute/nearest.js';
import { openPool } from '../compute/pool.js';
import { openScreen } from '../compute/screen.js';
import type { Compute } from '../compute/session.js';
import { workerFile } from '../product.js';
import type { Arrays } from './arrays.js';
import { type Desk, type Operation, type OperationResult, operate } from './operations.js';
import type { Points } from './points.js';

/** Those who do the pieces of work: threads, or the caller's own. */
export interface Team {
  size: number;
  /** Results in the order of the operations, which may run at the same time. */
  run(operations: readonly Operation[]): Promise<OperationResult[]>;
  close(): Promise<void>;
}

export interface ThreadTask {
  /** Names the clustering, so that a thread opens files and sessions once. */
  job: string;
  files: string[];
  compute: Compute;
  arrays: Arrays;
  operation: Operation;
}

let jobCount = 0;

/** Threads that read the vector files for themselves and share the arrays. */
export function openThreads(files: readonly string[], compute: Compute, arrays: Arrays, threads: number): Team {
  jobCount += 1;
  const job = `${process.pid} ${jobCount}`;
  const pool = openPool<ThreadTask, OperationResult>(workerFile('cluster/worker'), threads);
  return {
    size: threads,
    run: (operations) =>
      pool.run(operations.map((operation) => ({ job, files: [...files], compute, arrays, operation }))),
    close: () => pool.close(),
  };
}

/** The sessions of one thread. */
export async function openDesk(points: Points, compute: Compute, arrays: Arrays): Promise<Desk> {
  const { projection } = arrays;
  const screened = projection === null ? null : { projection, screen: await openScreen(compute) };
  return { points, nearest: await openNearest(arrays.dimensions, compute), arrays, screened };
}

/** The caller's own thread. */
export async function openAlone(points: Points, compute: Compute, arrays: Arrays): Promise<Team> {
  const desk = await openDesk(points, compute, arrays);
  return {
    size: 1,
    async run(operations) {
      const results: OperationResult[] = [];
      for (const operation of operations) results.push(await operate(operation, desk));
      return results;
    },
    async close() {
      await desk.nearest.close();
      await desk.screened?.screen.close();
    },
  };
}
