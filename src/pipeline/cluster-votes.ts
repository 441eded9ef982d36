import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** An exemplar's vote, by its rank in the cluster. */
export interface ExemplarVote {
  rank: number;
  /** null: the answer was none of the labels. */
  label: string | null;
  by: string;
}

const blockBytes = 1 << 16;

/**
 * The votes of one cluster from `labels/votes.jsonl`, which is ordered by cluster and rank: found by bisection, as the file
 * of a large run has some tens of megabytes and a question has half a second.
 */
export function readClusterVotes(path: string, cluster: number): ExemplarVote[] {
  if (!existsSync(path)) return [];
  const descriptor = openSync(path, 'r');
  try {
    let low = 0;
    let high = fstatSync(descriptor).size;
    while (high - low > blockBytes) {
      const middle = Math.floor((low + high) / 2);
      const first = linesFrom(descriptor, middle, middle > 0).next().value;
      if (first === undefined || clusterOf(first) >= cluster) high = middle;
      else low = middle;
    }
    const found: ExemplarVote[] = [];
    for (const line of linesFrom(descriptor, low, low > 0)) {
      const id = clusterOf(line);
      if (id > cluster) break;
      if (id < cluster) continue;
      const { rank, label, by } = JSON.parse(line) as ExemplarVote;
      found.push({ rank, label, by });
    }
    return found;
  } finally {
    closeSync(descriptor);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Lines from a byte on; with `skip` the first is left out, as it may have begun before. */
function* linesFrom(descriptor: number, start: number, skip: boolean): Generator<string> {
  const block = Buffer.alloc(blockBytes);
  let rest = Buffer.alloc(0);
  let skipping = skip;
  for (let offset = start; ; ) {
    const length = readSync(descriptor, block, 0, blockBytes, offset);
    offset += length;
    let bytes = Buffer.concat([rest, block.subarray(0, length)]);
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
      if (!skipping && end > 0) yield bytes.toString('utf8', 0, end);
      skipping = false;
      bytes = bytes.subarray(end + 1);
    }
    rest = Buffer.from(bytes);
    if (length === 0) {
      if (rest.length > 0 && !skipping) yield rest.toString('utf8');
      return;
    }
  }
}

function clusterOf(line: string): number {
  return (JSON.parse(line) as { cluster_id: number }).cluster_id;
}
