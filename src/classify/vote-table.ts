import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { writeThenRename } from '../store/atomic.js';
import type { RunFolder } from '../store/folder.js';

/** One line of `labels/votes.jsonl`: what an exemplar's vote was. The file is ordered by cluster and rank. */
export interface Vote {
  cluster_id: number;
  rank: number;
  prompt_key: string;
  /** null: the answer was none of the labels. */
  label: string | null;
  /** Who voted: a model's name as the endpoint calls it, or `embedded`. */
  by: string;
}

/** Writes the run's votes, whole or not at all. */
export async function writeVotes(run: RunFolder, votes: Iterable<Vote>): Promise<void> {
  await writeThenRename(run.file('labels', 'votes.jsonl'), run.temporary, async (path) => {
    const handle = await open(path, 'w');
    try {
      let lines: string[] = [];
      for (const { cluster_id, rank, prompt_key, label, by } of votes) {
        lines.push(`${JSON.stringify({ cluster_id, rank, prompt_key, label, by })}\n`);
        if (lines.length === 10_000) {
          await handle.appendFile(lines.join(''));
          lines = [];
        }
      }
      await handle.appendFile(lines.join(''));
    } finally {
      await handle.close();
    }
  });
}

/** Reads them back, a cluster at a time. */
export async function* readVotes(run: RunFolder): AsyncGenerator<Vote[]> {
  let cluster: Vote[] = [];
  const lines = createInterface({ input: createReadStream(run.file('labels', 'votes.jsonl')), crlfDelay: Infinity });
  for await (const line of lines) {
    if (line === '') continue;
    const vote = JSON.parse(line) as Vote;
    if (cluster[0] !== undefined && cluster[0].cluster_id !== vote.cluster_id) {
      yield cluster;
      cluster = [];
    }
    cluster.push(vote);
  }
  if (cluster.length > 0) yield cluster;
}
