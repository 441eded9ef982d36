import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readClusterVotes } from '../../src/pipeline/cluster-votes.js';

describe('readClusterVotes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'curate-votes-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'votes.jsonl');
  const votes = Array.from({ length: 3000 }, (_, id) =>
    // Cluster 77 is missing, cluster 1,500 has more votes than a block holds.
    Array.from({ length: id === 77 ? 0 : id === 1500 ? 2000 : 1 + (id % 4) }, (_, index) => ({
      cluster_id: id,
      rank: index + 1,
      prompt_key: 'k'.repeat(32),
      label: id % 5 === 0 ? null : `Médecine ${id}`,
      by: 'embedded',
    })),
  ).flat();
  writeFileSync(path, votes.map((vote) => `${JSON.stringify(vote)}\n`).join(''));

  it('finds every cluster’s votes, and none of another’s', () => {
    for (const id of [
      0,
      1,
      76,
      77,
      78,
      1499,
      1500,
      1501,
      2999,
      3000,
      ...Array.from({ length: 60 }, (_, n) => n * 49),
    ]) {
      const expected = votes
        .filter((vote) => vote.cluster_id === id)
        .map(({ rank, label, by }) => ({ rank, label, by }));
      expect(readClusterVotes(path, id), `cluster ${id}`).toEqual(expected);
    }
  });

  it('of a file that is not there there are none', () => {
    expect(readClusterVotes(`${path}.none`, 1)).toEqual([]);
  });
});
