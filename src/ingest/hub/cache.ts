import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

const commitPattern = /^[0-9a-f]{40}$/;

export function isCommit(revision: string): boolean {
  return commitPattern.test(revision);
}

/**
 * One data set in the hub's cache, in the layout of Python's `huggingface_hub`, so that `datasets` finds what curate
 * fetched and the other way round: `blobs/<etag>`, `refs/<branch>`, `snapshots/<commit>/<path>` as links into `blobs`.
 */
export class CachedRepository {
  private readonly folder: string;

  constructor(cache: string, name: string) {
    this.folder = join(cache, `datasets--${name.split('/').join('--')}`);
  }

  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  snapshot(commit: string, path: string): string {
    return join(this.folder, 'snapshots', commit, ...path.split('/'));
  }

  /** The commit that a branch or tag had when it was last looked up, or null. */
  commitOf(revision: string): string | null {
    if (isCommit(revision)) return existsSync(join(this.folder, 'snapshots', revision)) ? revision : null;
    const path = join(this.folder, 'refs', revision);
    return existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8').trim() : null;
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || this.commitOf(revision) === commit) return;
    const path = join(this.folder, 'refs', revision);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.${process.pid}.tmp`, commit);
    await rename(`${path}.${process.pid}.tmp`, path);
  }

  /** Files of a snapshot, with the etag that their blob is named by. */
  filesOf(commit: string): { path: string; size: number; etag: string }[] {
    const root = join(this.folder, 'snapshots', commit);
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => existsSync(path) && statSync(path).isFile())
      .map((path) => ({
        path: relative(root, path).split(sep).join('/'),
        size: statSync(path).size,
        etag: realpathSync(path).split(sep).pop() ?? '',
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Makes the snapshot's path a link to the blob. */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const link = this.snapshot(commit, path);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) {
      if (existsSync(link)) return;
      await rm(link, { force: true });
    }
    await mkdir(dirname(link), { recursive: true });
    try {
      await symlink(relative(dirname(link), this.blob(etag)), link);
    } catch (error) {
      // Another process made the same link in between.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
