import { Problem } from '../../problem.js';
import { CachedRepository, isCommit } from './cache.js';
import { type HubClient, HubSilent } from './client.js';

/** A file of a data set at a commit. */
export interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of large files, git's SHA-1 of small ones: what the blob is called and what its bytes are checked against. */
  etag: string;
}

export interface Repository {
  name: string;
  commit: string;
  files: HubFile[];
}

/** A data set's files at a revision, a branch or tag being resolved to the commit that it has now. */
export async function listRepository(client: HubClient, name: string, revision: string): Promise<Repository> {
  const { endpoint, cache, offline } = client.settings;
  const cached = new CachedRepository(cache, name);
  if (offline) {
    const commit = cached.commitOf(revision);
    if (commit !== null) return { name, commit, files: cached.filesOf(commit) };
    throw new HubSilent(`${name} at ${revision} is not in the cache, and HF_HUB_OFFLINE is set`, {
      where: cache,
      try: 'unset HF_HUB_OFFLINE, or fetch it where there is a network and copy the cache',
    });
  }
  // Loaded here: files of one's own need no hub.
  const { listFiles } = await import('@huggingface/hub');
  const parameters = { hubUrl: endpoint, fetch: client.fetchFor(name) };
  const commit = isCommit(revision) ? revision : await commitOf(name, revision, parameters);
  const files: HubFile[] = [];
  for await (const entry of listFiles({
    repo: { type: 'dataset', name },
    revision: commit,
    recursive: true,
    ...parameters,
  })) {
    if (entry.type !== 'file') continue;
    const etag = entry.lfs?.oid ?? entry.oid;
    // A path from the outside that must not lead out of the cache.
    if (etag === undefined || !isPlainPath(entry.path) || !/^[0-9a-f]{40,64}$/.test(etag)) {
      throw new Problem(`the hub's listing of ${name} holds a file that cannot be cached`, { found: entry.path });
    }
    files.push({ path: entry.path, size: entry.lfs?.size ?? entry.size, etag });
  }
  await cached.rememberCommit(revision, commit);
  return { name, commit, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

// ---------------------------------------------------------------------------------------------------------------------

async function commitOf(
  name: string,
  revision: string,
  parameters: { hubUrl: string; fetch: typeof fetch },
): Promise<string> {
  const { datasetInfo } = await import('@huggingface/hub');
  const { sha } = await datasetInfo({ name, revision, additionalFields: ['sha'], ...parameters });
  if (isCommit(sha)) return sha;
  throw new Problem(`the hub named no commit for ${name} at ${revision}`, { found: String(sha) });
}

function isPlainPath(path: string): boolean {
  return (
    path !== '' &&
    !path.startsWith('/') &&
    !path.split('/').some((part) => part === '' || part === '.' || part === '..')
  );
}
