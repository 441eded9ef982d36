import { rowBias } from '../compute/nearest.js';
import { addVector, center, subtractVector } from './arithmetic.js';
import type { Arrays } from './arrays.js';
import type { Points } from './points.js';
import { blocks } from './seeds.js';
import type { Team } from './team.js';

/**
 * Gives each cluster without points, lowest id first, the point that is farthest from its own centroid (of equals the
 * lowest; never a cluster's last point), and lets the points that are nearer to a new centroid join it: after an exact
 * pass the assignment stays exact. Repeats until no cluster is empty. Returns how many were filled.
 */
export async function fillEmpty(arrays: Arrays, points: Points, team: Team): Promise<number> {
  const { pointCount, centroids, bias, dimensions, squared, assigned } = arrays;
  let filled = 0;
  for (;;) {
    const sizes = sizesOf(arrays);
    const empty = [...sizes.keys()].filter((cluster) => sizes[cluster] === 0);
    if (empty.length === 0) return filled;
    const far = farthest(squared, assigned, sizes, empty.length);
    const clusters = empty.slice(0, far.length);
    if (clusters.length === 0) return filled;
    far.forEach((point, place) => {
      const cluster = clusters[place] as number;
      const start = cluster * dimensions;
      points.read(point, point + 1, centroids.subarray(start, start + dimensions));
      bias[cluster] = rowBias(centroids, start, dimensions);
    });
    await team.run(blocks(pointCount, (start, end) => ({ kind: 'join', start, end, clusters })));
    filled += clusters.length;
  }
}

/**
 * Between two passes: gives each cluster without points, lowest id first, one of the points that are farthest from their
 * centroids, by the same rule, and moves that point alone; the passes that follow let others join. Returns how many.
 */
export async function refill(arrays: Arrays, points: Points, team: Team): Promise<number> {
  const { pointCount, dimensions, squared, assigned, counts, sums } = arrays;
  const empty = [...counts.keys()].filter((cluster) => counts[cluster] === 0);
  if (empty.length === 0) return 0;
  await team.run(blocks(pointCount, (start, end) => ({ kind: 'measure', start, end })));
  const far = farthest(squared, assigned, counts, empty.length);
  const vector = new Float32Array(dimensions);
  far.forEach((point, place) => {
    const before = assigned[point] as number;
    const now = empty[place] as number;
    points.read(point, point + 1, vector);
    subtractVector(sums, before * dimensions, vector, 0, dimensions);
    counts[before] = (counts[before] as number) - 1;
    // Whatever rounding left in the sum of a cluster that lost its last point must not stay.
    sums.fill(0, now * dimensions, (now + 1) * dimensions);
    addVector(sums, now * dimensions, vector, 0, dimensions);
    counts[now] = 1;
    assigned[point] = now;
    center(before, arrays);
    center(now, arrays);
  });
  return far.length;
}

/** Points of each cluster. */
export function sizesOf({ assigned, clusterCount }: Arrays): Int32Array {
  const sizes = new Int32Array(clusterCount);
  for (const cluster of assigned) sizes[cluster] = (sizes[cluster] as number) + 1;
  return sizes;
}

// ---------------------------------------------------------------------------------------------------------------------

function farthest(squared: Float64Array, assigned: Int32Array, sizes: Int32Array, wanted: number): number[] {
  const left = sizes.slice();
  const chosen: number[] = [];
  const order = Int32Array.from(squared.keys())
    .filter((point) => (squared[point] as number) > 0)
    .sort((a, b) => (squared[b] as number) - (squared[a] as number) || a - b);
  for (const point of order) {
    if (chosen.length === wanted) break;
    const cluster = assigned[point] as number;
    if ((left[cluster] as number) < 2) continue;
    left[cluster] = (left[cluster] as number) - 1;
    chosen.push(point);
  }
  return chosen;
}
