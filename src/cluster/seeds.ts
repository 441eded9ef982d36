import { type Arrays, blockPoints } from './arrays.js';
import type { Operation } from './operations.js';
import type { Team } from './team.js';

/** Points that one super-cluster's seeds are made from: bounds the memory of a thread (100 MB). */
const memberLimit = 65_536;
const iterations = 2;

/** √k: at this number both levels of the start cost the same. */
export function superCountOf(clusterCount: number): number {
  return Math.max(1, Math.round(Math.sqrt(clusterCount)));
}

/**
 * The two-level start: super-clusters of a sample, all points divided among them, the clusters allotted by the number of
 * points, and each super-cluster clustered by itself. Leaves centroids, sums and an assignment of every point.
 */
export async function startTwoLevel(arrays: Arrays, team: Team, seed: number): Promise<void> {
  const { pointCount, dimensions, assigned } = arrays;
  const superCount = arrays.supers.length / dimensions;
  const sampleSize = Math.min(pointCount, 128 * superCount);
  await team.run([{ kind: 'supers', sampleSize, iterations: 8, seed }]);
  await team.run(blocks(pointCount, (start, end) => ({ kind: 'divide', start, end })));

  const starts = sortMembers(arrays, superCount);
  const sizes = Int32Array.from({ length: superCount }, (_, each) => (starts[each + 1] ?? 0) - (starts[each] ?? 0));
  const allotted = allot(arrays.clusterCount, sizes);
  let first = 0;
  const operations: Operation[] = [];
  allotted.forEach((count, each) => {
    const start = starts[each] as number;
    const end = starts[each + 1] as number;
    if (count > 0) operations.push({ kind: 'seed', start, end, first, count, iterations, limit: memberLimit, seed });
    first += count;
  });
  // `assigned` holds super-clusters until here; every point is a member of one that has clusters.
  assigned.fill(-1);
  // The largest first, so that no thread is left with one at the end.
  await team.run(operations.sort((a, b) => workOf(b) - workOf(a)));
}

/** Shares of `total` proportional to `sizes` by the largest remainder; at least 1 where there is a size, never above it. */
export function allot(total: number, sizes: Int32Array): Int32Array {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const shares = sizes.map((size) => Math.min(size, Math.max(size > 0 ? 1 : 0, Math.floor((total * size) / all))));
  const remainder = (place: number) => (total * (sizes[place] as number)) / all - (shares[place] as number);
  for (let given = shares.reduce((sum, share) => sum + share, 0); given !== total; ) {
    const step = given < total ? 1 : -1;
    let best = -1;
    for (let place = 0; place < sizes.length; place += 1) {
      const share = shares[place] as number;
      const possible = step === 1 ? share < (sizes[place] as number) : share > 1;
      if (possible && (best < 0 || step * remainder(place) > step * remainder(best))) best = place;
    }
    if (best < 0) throw new Error(`${total} clusters cannot be allotted to ${all} points`);
    shares[best] = (shares[best] as number) + step;
    given += step;
  }
  return shares;
}

/** One operation per block of points. */
export function blocks(pointCount: number, make: (start: number, end: number) => Operation): Operation[] {
  const operations: Operation[] = [];
  for (let start = 0; start < pointCount; start += blockPoints) {
    operations.push(make(start, Math.min(pointCount, start + blockPoints)));
  }
  return operations;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Sorts the points by their super-cluster into `members`; returns where each one's begin. */
function sortMembers({ assigned, members, pointCount }: Arrays, superCount: number): Int32Array {
  const starts = new Int32Array(superCount + 1);
  for (let point = 0; point < pointCount; point += 1) {
    const next = (assigned[point] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let each = 0; each < superCount; each += 1) starts[each + 1] = (starts[each + 1] ?? 0) + (starts[each] ?? 0);
  const ends = starts.slice();
  for (let point = 0; point < pointCount; point += 1) {
    const each = assigned[point] as number;
    members[ends[each] as number] = point;
    ends[each] = (ends[each] as number) + 1;
  }
  return starts;
}

function workOf(operation: Operation): number {
  return operation.kind === 'seed' ? (operation.end - operation.start) * operation.count : 0;
}
