import { webcrypto } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { sha256File } from './fingerprint.js';

/** Larger files are read as a stream on this thread; smaller ones whole, and hashed on the thread pool. */
const wholeBytes = 64 << 20;

/**
 * SHA-256 of many files, several at a time: reading and hashing both happen on Node's thread pool, so cores add up. Calls
 * `done` for each file, in no order; `hash` is null where the file is not there.
 */
export async function hashFiles(
  paths: readonly string[],
  atOnce: number,
  done: (path: string, hash: string | null, bytes: number) => void,
): Promise<void> {
  const waiting = [...paths].reverse();
  const work = async (): Promise<void> => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const { hash, bytes } = await hashOf(path);
      done(path, hash, bytes);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, work));
}

// ---------------------------------------------------------------------------------------------------------------------

async function hashOf(path: string): Promise<{ hash: string | null; bytes: number }> {
  try {
    const { size } = await stat(path);
    if (size > wholeBytes) return { hash: await sha256File(path), bytes: size };
    const handle = await open(path, 'r');
    try {
      const digest = await webcrypto.subtle.digest('SHA-256', await handle.readFile());
      return { hash: Buffer.from(digest).toString('hex'), bytes: size };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { hash: null, bytes: 0 };
    throw error;
  }
}
