import { rowBias } from '../compute/nearest.js';
import type { Arrays } from './arrays.js';

/** Sums in doubles, in the order of the calls: the same on every CPU. */
export function addVector(
  sums: Float64Array,
  sumStart: number,
  vectors: Float32Array,
  start: number,
  dimensions: number,
): void {
  for (let place = 0; place < dimensions; place += 1) {
    sums[sumStart + place] = (sums[sumStart + place] as number) + (vectors[start + place] as number);
  }
}

export function subtractVector(
  sums: Float64Array,
  sumStart: number,
  vectors: Float32Array,
  start: number,
  length: number,
): void {
  for (let place = 0; place < length; place += 1) {
    sums[sumStart + place] = (sums[sumStart + place] as number) - (vectors[start + place] as number);
  }
}

export function squaredDistance(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  length: number,
): number {
  let sum = 0;
  for (let place = 0; place < length; place += 1) {
    sum += ((a[aStart + place] as number) - (b[bStart + place] as number)) ** 2;
  }
  return sum;
}

/** Moves a centroid to the mean of its points, for `spherical` to the direction of it; without points it stays. */
export function center(cluster: number, { centroids, bias, sums, counts, dimensions, spherical }: Arrays): void {
  const size = counts[cluster] as number;
  if (size === 0) return;
  const start = cluster * dimensions;
  let scale = 1 / size;
  if (spherical) {
    let length = 0;
    for (let place = start; place < start + dimensions; place += 1) length += (sums[place] as number) ** 2;
    // Points that cancel out have no direction: the centroid stays.
    if (length === 0) return;
    scale = 1 / Math.sqrt(length);
  }
  for (let place = start; place < start + dimensions; place += 1) centroids[place] = (sums[place] as number) * scale;
  bias[cluster] = rowBias(centroids, start, dimensions);
}
