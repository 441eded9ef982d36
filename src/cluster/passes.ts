import type { Nearest } from '../compute/nearest.js';
import { type Arrays, blockPoints } from './arrays.js';
import { findNeighbours, type NeighbourSizes, orderByGroup } from './neighbours.js';
import type { Operation } from './operations.js';
import { type Random, shuffle } from './random.js';
import type { Team } from './team.js';

/** Neighbours in the files that go into a batch together, so that they are read in one piece. */
const runLength = 64;

export interface PassPlan {
  /** all: every centroid. near: those of the group of the cluster that a point is in. */
  candidates: 'all' | NeighbourSizes;
  /** Centroids move to the means of their points after each batch, or at the end of the pass. */
  center: 'batch' | 'pass';
}

/** Goes once over all points in seeded batches and gives each the nearest of its candidates. Returns how many moved. */
export async function pass(
  arrays: Arrays,
  team: Team,
  nearest: Nearest,
  plan: PassPlan,
  random: Random,
  progress: (points: number) => void,
): Promise<number> {
  const { assigned, batchPoints, found, clusterCount } = arrays;
  const near = plan.candidates === 'all' ? null : plan.candidates;
  const groups = near === null ? null : await findNeighbours(nearest, arrays, near, random);
  let moved = 0;
  for (const slotCount of batches(arrays, random)) {
    await team.run(ranges(slotCount, blockPoints, (start, end) => ({ kind: 'load', start, end })));
    if (near === null || groups === null) {
      await projectAll(arrays, team);
      await team.run(ranges(slotCount, blockPoints, (start, end) => ({ kind: 'all', start, end })));
    } else {
      orderByGroup(arrays, groups, slotCount, near.groupCount);
      await team.run(ranges(near.groupCount, 16, (start, end) => ({ kind: 'near', start, end })));
    }
    const parts = team.size;
    const center = plan.center === 'batch';
    await team.run(Array.from({ length: parts }, (_, part) => ({ kind: 'move', part, parts, center })));
    for (let slot = 0; slot < slotCount; slot += 1) {
      const point = batchPoints[slot] as number;
      if (assigned[point] !== found[slot]) moved += 1;
      assigned[point] = found[slot] as number;
    }
    progress(slotCount);
  }
  if (plan.center === 'pass') {
    await team.run(ranges(clusterCount, blockPoints, (start, end) => ({ kind: 'center', start, end })));
  }
  return moved;
}

/** Projects the centroids as they are now, for a search over all of them. */
export async function projectAll({ projection, clusterCount }: Arrays, team: Team): Promise<void> {
  if (projection === null) return;
  await team.run(ranges(clusterCount, blockPoints, (start, end) => ({ kind: 'project', start, end })));
}

/** Fills `batchPoints` with one batch after another: runs of neighbouring points in a drawn order, every point once. */
function* batches({ pointCount, batchSize, batchPoints }: Arrays, random: Random): Generator<number> {
  const runs = Int32Array.from({ length: Math.ceil(pointCount / runLength) }, (_, place) => place);
  shuffle(runs, random);
  const runsPerBatch = Math.max(1, Math.floor(batchSize / runLength));
  for (let first = 0; first < runs.length; first += runsPerBatch) {
    batchPoints.fill(-1);
    let slot = 0;
    for (const run of runs.subarray(first, first + runsPerBatch).sort()) {
      const end = Math.min(pointCount, (run + 1) * runLength);
      for (let point = run * runLength; point < end; point += 1) {
        batchPoints[slot] = point;
        slot += 1;
      }
    }
    yield slot;
  }
}

function ranges(count: number, step: number, make: (start: number, end: number) => Operation): Operation[] {
  const operations: Operation[] = [];
  for (let start = 0; start < count; start += step) operations.push(make(start, Math.min(count, start + step)));
  return operations;
}
