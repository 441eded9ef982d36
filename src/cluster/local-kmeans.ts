import { biasOf, type Nearest, rowBias } from '../compute/nearest.js';
import { addVector } from './arithmetic.js';
import type { Random } from './random.js';

export interface LocalClusters {
  /** One after another. */
  centroids: Float32Array;
  /** By point. */
  at: Int32Array;
}

/**
 * Plain k-means of points in memory. The start is drawn as k-means++ draws it, each point with a chance proportional to
 * its squared distance to what is drawn already, but in rounds that double, so that a round is one matrix product.
 */
export async function localKMeans(
  nearest: Nearest,
  points: Float32Array,
  dimensions: number,
  count: number,
  iterations: number,
  random: Random,
): Promise<LocalClusters> {
  const centroids = await drawStart(nearest, points, dimensions, count, random);
  let { at } = await nearest.find(points, centroids, biasOf(centroids, dimensions));
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    moveToMeans(points, at, centroids, dimensions);
    ({ at } = await nearest.find(points, centroids, biasOf(centroids, dimensions)));
  }
  return { centroids, at };
}

/** Moves each centroid to the mean of its points, summed in doubles in their order; one without points stays. */
export function moveToMeans(points: Float32Array, at: Int32Array, centroids: Float32Array, dimensions: number): void {
  const sums = new Float64Array(centroids.length);
  const counts = new Int32Array(centroids.length / dimensions);
  for (let point = 0; point < at.length; point += 1) {
    const cluster = at[point] as number;
    counts[cluster] = (counts[cluster] as number) + 1;
    addVector(sums, cluster * dimensions, points, point * dimensions, dimensions);
  }
  for (let cluster = 0; cluster < counts.length; cluster += 1) {
    const size = counts[cluster] as number;
    if (size === 0) continue;
    const start = cluster * dimensions;
    for (let place = start; place < start + dimensions; place += 1) centroids[place] = (sums[place] as number) / size;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function drawStart(
  nearest: Nearest,
  points: Float32Array,
  dimensions: number,
  count: number,
  random: Random,
): Promise<Float32Array> {
  const pointCount = points.length / dimensions;
  const lengths = new Float64Array(pointCount);
  for (let point = 0; point < pointCount; point += 1) {
    lengths[point] = -2 * rowBias(points, point * dimensions, dimensions);
  }
  const distances = new Float64Array(pointCount).fill(Number.POSITIVE_INFINITY);
  const centroids = new Float32Array(count * dimensions);
  let drawn = 0;
  while (drawn < count) {
    const wanted = Math.min(Math.max(1, drawn), count - drawn);
    const chosen = drawn === 0 ? [Math.floor(random() * pointCount)] : drawFar(distances, wanted, random);
    const first = drawn;
    for (const point of chosen) {
      centroids.set(points.subarray(point * dimensions, (point + 1) * dimensions), drawn * dimensions);
      drawn += 1;
    }
    if (drawn === count) break;
    const added = centroids.subarray(first * dimensions, drawn * dimensions);
    const { score } = await nearest.find(points, added, biasOf(added, dimensions));
    for (let point = 0; point < pointCount; point += 1) {
      const length = lengths[point] as number;
      const distance = length - 2 * (score[point] as number);
      // What a float32 product cannot tell from zero is a repeat, which must not be drawn again.
      const counted = distance < 1e-6 * length ? 0 : distance;
      if (counted < (distances[point] as number)) distances[point] = counted;
    }
  }
  return centroids;
}

/** Draws points by their squared distances, without repeats; where too few are left, any points. */
function drawFar(distances: Float64Array, wanted: number, random: Random): number[] {
  const ends = new Float64Array(distances.length);
  let total = 0;
  for (let point = 0; point < distances.length; point += 1) {
    total += distances[point] as number;
    ends[point] = total;
  }
  const chosen = new Set<number>();
  for (let attempt = 0; total > 0 && chosen.size < wanted && attempt < 4 * wanted; attempt += 1) {
    chosen.add(firstBeyond(ends, random() * total));
  }
  for (let attempt = 0; chosen.size === 0 || (total === 0 && chosen.size < wanted && attempt < wanted); attempt += 1) {
    chosen.add(Math.floor(random() * distances.length));
  }
  return [...chosen];
}

function firstBeyond(ends: Float64Array, value: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
