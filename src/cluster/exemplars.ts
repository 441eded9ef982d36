export interface Exemplar {
  cluster: number;
  /** From 1. */
  rank: number;
  point: number;
}

/**
 * The points nearest to each centre, at most `count` per cluster, in the order of clusters and ranks. Of points at the
 * same distance the one whose key sorts first; `compareKeys` compares two points' keys.
 */
export function* exemplars(
  assigned: Int32Array,
  squared: Float64Array,
  clusterCount: number,
  count: number,
  compareKeys: (a: number, b: number) => number,
): Generator<Exemplar> {
  const { starts, members } = byCluster(assigned, clusterCount);
  for (let cluster = 0; cluster < clusterCount; cluster += 1) {
    const sorted = members
      .slice(starts[cluster], starts[cluster + 1])
      .sort((a, b) => (squared[a] as number) - (squared[b] as number) || compareKeys(a, b));
    for (const [place, point] of sorted.subarray(0, count).entries()) yield { cluster, rank: place + 1, point };
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function byCluster(assigned: Int32Array, clusterCount: number): { starts: Int32Array; members: Int32Array } {
  const starts = new Int32Array(clusterCount + 1);
  for (const cluster of assigned) starts[cluster + 1] = (starts[cluster + 1] as number) + 1;
  for (let cluster = 0; cluster < clusterCount; cluster += 1) {
    starts[cluster + 1] = (starts[cluster + 1] as number) + (starts[cluster] as number);
  }
  const ends = starts.slice();
  const members = new Int32Array(assigned.length);
  assigned.forEach((cluster, point) => {
    members[ends[cluster] as number] = point;
    ends[cluster] = (ends[cluster] as number) + 1;
  });
  return { starts, members };
}
