import { parentPort } from 'node:worker_threads';
import { hashFile } from './hash-file.js';

/** One answer for each path that the thread is sent, in their order. */
parentPort?.on('message', (path: string) => parentPort?.postMessage(hashFile(path)));
