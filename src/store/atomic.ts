import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

let durableWriteCount = 0;
const faultAt = Number(process.env.CURATE_FAULT_AT ?? 0);

/**
 * Called immediately before and after every durable change of the run folder. With `CURATE_FAULT_AT=n` in the
 * environment the process kills itself at the n-th call, which is how the fault tests stop it at each write in turn.
 */
export function durablePoint(): void {
  durableWriteCount += 1;
  if (faultAt > 0 && durableWriteCount === faultAt) process.kill(process.pid, 'SIGKILL');
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
    durablePoint();
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
