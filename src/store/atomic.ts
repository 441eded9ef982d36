import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** `main:12` or `worker:3`: in which kind of thread, and at which of its durable points, the process kills itself. */
const fault = /^(main|worker):(\d+)$/.exec(process.env.CURATE_FAULT_AT ?? '');
const faultAt = fault !== null && (fault[1] === 'main') === isMainThread ? Number(fault[2]) : 0;
let pointCount = 0;

/**
 * Called immediately before every durable change of the run folder, so that the fault tests can kill the process at each
 * of them in turn (`CURATE_FAULT_AT`). What a kill after a change leaves is what a kill before the next one finds.
 */
export function durablePoint(): void {
  pointCount += 1;
  if (pointCount === faultAt) process.kill(process.pid, 'SIGKILL');
}

/**
 * Gives `write` a temporary path in `temporaryFolder` (same file system as `path`), then syncs and renames it to `path`.
 * A reader sees the old file or the new one, never a part. On an error the temporary file is removed.
 */
export async function writeThenRename<T>(
  path: string,
  temporaryFolder: string,
  write: (temporaryPath: string) => Promise<T>,
): Promise<T> {
  await mkdir(temporaryFolder, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const temporaryPath = join(temporaryFolder, `${process.pid}-${randomBytes(6).toString('hex')}-${basename(path)}`);
  try {
    const result = await write(temporaryPath);
    const handle = await open(temporaryPath, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    durablePoint();
    await rename(temporaryPath, path);
    return result;
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

/** `writeThenRename` for content that is already in memory. */
export async function writeFileAtomic(
  path: string,
  temporaryFolder: string,
  content: string | Uint8Array,
): Promise<void> {
  await writeThenRename(path, temporaryFolder, async (temporaryPath) => {
    const handle = await open(temporaryPath, 'w');
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
  });
}
