import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes read at once, into the same memory every time: a fresh buffer for each read costs as much as the hashing. */
const blockBytes = 1 << 20;
const block = Buffer.allocUnsafe(blockBytes);

export interface FileHash {
  path: string;
  /** null: the file is not there. */
  hash: string | null;
  bytes: number;
}

/** SHA-256 of a file, on this thread. */
export function hashFile(path: string): FileHash {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path, hash: null, bytes: 0 };
    throw error;
  }
  try {
    const hash = createHash('sha256');
    for (let length = readSync(descriptor, block); length > 0; length = readSync(descriptor, block)) {
      hash.update(length === blockBytes ? block : block.subarray(0, length));
    }
    return { path, hash: hash.digest('hex'), bytes: fstatSync(descriptor).size };
  } finally {
    closeSync(descriptor);
  }
}
