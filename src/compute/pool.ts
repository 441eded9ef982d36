import { Piscina } from 'piscina';
import { threadArguments } from '../product.js';

/** Threads of this machine that run the default export of one compiled file. */
export interface Pool<Task, Result> {
  /** Results in the order of the tasks. On a failure the tasks in hand end before it is thrown. */
  run(tasks: readonly Task[]): Promise<Result[]>;
  close(): Promise<void>;
}

/** `file` is a `workerFile(…)`. A task may hold SharedArrayBuffers; everything else is copied. */
export function openPool<Task, Result>(file: URL, threads: number): Pool<Task, Result> {
  const piscina = new Piscina<Task, Result>({
    filename: file.href,
    execArgv: threadArguments,
    minThreads: threads,
    maxThreads: threads,
    // Without it an idle thread blocks in Atomics.wait and its native sessions keep the process from ending.
    atomics: 'disabled',
  });
  return {
    async run(tasks) {
      const ends = await Promise.allSettled(tasks.map((task) => piscina.run(task)));
      return ends.map((end) => {
        if (end.status === 'rejected') throw end.reason;
        return end.value;
      });
    },
    // Not destroy: a thread that is ended while it computes takes the whole process down.
    close: () => piscina.close(),
  };
}
