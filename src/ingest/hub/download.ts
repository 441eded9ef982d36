import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../../problem.js';
import { CachedRepository } from './cache.js';
import { type HubClient, networkReason, readBody } from './client.js';
import type { HubFile, Repository } from './listing.js';

/** Files in flight at once: more does not help one disk and annoys the hub. */
const parallel = 4;

/** Where a file lies in the cache once it is fetched. */
export function cachedPath(client: HubClient, repository: Repository, file: HubFile): string {
  return new CachedRepository(client.settings.cache, repository.name).snapshot(repository.commit, file.path);
}

export function isCached(client: HubClient, repository: Repository, file: HubFile): boolean {
  const path = cachedPath(client, repository, file);
  return existsSync(path) && statSync(path).size === file.size;
}

/** Fetches the files that the cache lacks. `progress`: bytes that came since it was last called. */
export async function fetchFiles(
  client: HubClient,
  repository: Repository,
  files: readonly HubFile[],
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  const queue = files.filter((file) => !isCached(client, repository, file));
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const lane = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await fetchFile(client, repository, file, either, progress);
    }
  };
  const lanes = Array.from({ length: parallel }, () =>
    lane().catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  const ends = await Promise.allSettled(lanes);
  signal.throwIfAborted();
  const failed = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  if (failed.length > 0) throw failed.find((reason) => reason instanceof Problem) ?? failed[0];
}

// ---------------------------------------------------------------------------------------------------------------------

async function fetchFile(
  client: HubClient,
  repository: Repository,
  file: HubFile,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  const cached = new CachedRepository(client.settings.cache, repository.name);
  const blob = cached.blob(file.etag);
  if (!existsSync(blob) || statSync(blob).size !== file.size) {
    await mkdir(dirname(blob), { recursive: true });
    const url = `${client.settings.endpoint}/datasets/${repository.name}/resolve/${repository.commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    await fetchBlob(client, url, repository.name, file, `${blob}.incomplete`, signal, progress);
    await rename(`${blob}.incomplete`, blob);
  }
  await cached.link(repository.commit, file.path, file.etag);
}

/** Goes on where an earlier try stopped; bytes that are not the listed ones are thrown away, and fetched anew once. */
async function fetchBlob(
  client: HubClient,
  url: string,
  about: string,
  file: HubFile,
  path: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  for (let cuts = 0, wrong = 0; ; ) {
    const failure = await fetchRest(client, url, about, file, path, signal, progress);
    if (failure !== null) {
      cuts += 1;
      if (cuts >= client.settings.attempts) {
        throw new Problem(`fetching ${about}/${file.path} broke off ${cuts} times`, {
          found: failure,
          try: 'the same command goes on where it stopped',
        });
      }
      await client.settings.wait(1000 * cuts);
      signal.throwIfAborted();
      continue;
    }
    const found = await digest(path, file);
    if (found === file.etag) return;
    await rm(path, { force: true });
    wrong += 1;
    if (wrong >= 2) {
      throw new Problem(`${about}/${file.path} is not what the hub lists`, {
        found: `${file.etag.length === 64 ? 'SHA-256' : 'git SHA-1'} ${found.slice(0, 12)}… instead of ${file.etag.slice(0, 12)}…`,
        try: 'a proxy or mirror changes it on the way, or it was replaced just now: try again, or unset HF_ENDPOINT',
      });
    }
  }
}

/** Appends what is missing to the unfinished file; what broke it off, or null where all bytes are there. */
async function fetchRest(
  client: HubClient,
  url: string,
  about: string,
  file: HubFile,
  path: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<string | null> {
  let have = existsSync(path) ? statSync(path).size : 0;
  if (have > file.size) have = 0;
  if (have === file.size && existsSync(path)) return null;
  const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await client.request(url, about, { 'accept-encoding': 'identity', ...range }, signal);
  if (response.status !== 206) have = 0;
  if (response.status === 416) {
    await response.body?.cancel();
    await rm(path, { force: true });
    return 'the hub has fewer bytes than were fetched (416)';
  }
  const handle = await open(path, have > 0 ? 'r+' : 'w');
  try {
    await handle.truncate(have);
    for await (const bytes of readBody(response)) {
      signal.throwIfAborted();
      if (have + bytes.length > file.size) return 'more bytes came than the hub lists';
      await handle.write(bytes, 0, bytes.length, have);
      have += bytes.length;
      progress(bytes.length);
    }
    await handle.sync();
  } catch (error) {
    if (signal.aborted || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    return networkReason(error);
  } finally {
    await handle.close();
  }
  return have === file.size ? null : `${have} of ${file.size} bytes came`;
}

/** SHA-256, or for small files git's SHA-1 of a blob. */
async function digest(path: string, file: HubFile): Promise<string> {
  const hash: Hash = createHash(file.etag.length === 64 ? 'sha256' : 'sha1');
  if (file.etag.length === 40) hash.update(`blob ${file.size}\0`);
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return hash.digest('hex');
}
