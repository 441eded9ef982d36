import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { workerFile } from '../product.js';
import { sha256File } from './fingerprint.js';
import { type FileHash, hashFile } from './hash-file.js';

/** Less than this is hashed here before a thread would have started. */
const worthThreads = 64 << 20;

/** SHA-256 of many files on so many threads, the largest first. Calls `done` for each file, in no order. */
export async function hashFiles(
  paths: readonly string[],
  threads: number,
  done: (file: FileHash) => void,
): Promise<void> {
  const sized = paths.map((path) => ({ path, size: statSync(path, { throwIfNoEntry: false })?.size ?? 0 }));
  const total = sized.reduce((sum, { size }) => sum + size, 0);
  const waiting = sized.sort((a, b) => a.size - b.size).map(({ path }) => path);
  if (threads <= 1 || total < worthThreads) {
    for (const path of waiting) done(hashFile(path));
    return;
  }
  await Promise.all(Array.from({ length: Math.min(threads, waiting.length) }, () => hashInThread(waiting, done)));
}

/** SHA-256 of one file, of a large one on a thread beside this one. */
export async function hashBeside(path: string): Promise<string> {
  if (statSync(path).size < worthThreads) return sha256File(path);
  const found: (string | null)[] = [];
  await hashInThread([path], ({ hash }) => found.push(hash));
  const hash = found[0] ?? null;
  if (hash === null) throw new Error(`${path} is gone`);
  return hash;
}

// ---------------------------------------------------------------------------------------------------------------------

/** One thread that takes paths from the end of the list until there is none. */
function hashInThread(waiting: string[], done: (file: FileHash) => void): Promise<void> {
  const worker = new Worker(workerFile('store/hash-worker'));
  return new Promise<void>((resolve, reject) => {
    const next = () => {
      const path = waiting.pop();
      if (path === undefined) resolve();
      else worker.postMessage(path);
    };
    worker.on('message', (file: FileHash) => {
      done(file);
      next();
    });
    worker.on('error', reject);
    next();
  }).finally(() => worker.terminate());
}
