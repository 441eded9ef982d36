import type { Screen } from '../compute/screen.js';
import { screenStep } from '../compute/screen.js';
import type { Projection } from './arrays.js';
import { gather, type Points } from './points.js';
import { type Random, sample } from './random.js';

/**
 * The search for the nearest of many centroids that measures few of them. In an orthonormal basis whose first axes hold
 * most of the points' variance, x·c is the product of the two projections plus that of the two rests, and the rests'
 * product is at most the product of their lengths (Cauchy–Schwarz; block vectors as in Bottesch, Bühler and Kächele 2016).
 * A centroid whose bound is below what the point's own centroid reaches cannot be nearer. With 126 of 384 axes some ten of
 * 8,000 centroids are left for a prompt, and those are measured in doubles: the result is exact, and the same on every CPU.
 */
export const projectionWidth = 128;

/** Below it the whole product is as fast. */
const leastClusters = 2048;

/** Whether the search over all centroids is worth a projection. */
export function isProjected(dimensions: number, clusterCount: number): boolean {
  return dimensions >= 2 * projectionWidth && clusterCount >= leastClusters;
}

/** Sets the basis: the first principal axes (about the origin) of a sample, by orthogonal iteration. */
export async function setBasis(
  { projection, screen }: { projection: Projection; screen: Screen },
  points: Points,
  random: Random,
): Promise<void> {
  const { dimensions } = points;
  const drawn = sample(points.count, Math.min(points.count, sampleSize), random).sort();
  const vectors = new Float32Array(drawn.length * dimensions);
  gather(points, drawn, vectors);
  const moments = await screen.project(transposed(vectors, dimensions), drawn.length, vectors);
  let axes = Float32Array.from({ length: axisCount * dimensions }, () => random() - 0.5);
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < stepsByRound; step += 1) axes = await screen.project(axes, dimensions, moments);
    orthonormalize(axes, dimensions);
  }
  projection.basis.set(transposed(axes, dimensions));
}

/**
 * Rows of `projectionWidth` values: the vector's projection, the length of its rest, and `last`, which is 1 for a
 * centroid: the product of a point's row and a centroid's is then at least their own product plus the point's `last`.
 */
export async function projected(
  vectors: Float32Array,
  dimensions: number,
  screen: Screen,
  basis: Float32Array,
  last: number,
): Promise<{ rows: Float32Array; squaredLengths: Float64Array }> {
  const projections = await screen.project(vectors, dimensions, basis);
  const count = vectors.length / dimensions;
  const rows = new Float32Array(count * projectionWidth);
  const squaredLengths = new Float64Array(count);
  for (let row = 0; row < count; row += 1) {
    let whole = 0;
    for (let place = row * dimensions; place < (row + 1) * dimensions; place += 1) {
      whole += (vectors[place] as number) ** 2;
    }
    squaredLengths[row] = whole;
    let seen = 0;
    for (let axis = 0; axis < axisCount; axis += 1) {
      const value = projections[row * axisCount + axis] as number;
      rows[row * projectionWidth + axis] = value;
      seen += value ** 2;
    }
    // What rounding can take from a small rest is added to it.
    rows[row * projectionWidth + axisCount] = Math.sqrt(Math.max(0, whole - seen) + 1e-5 * whole);
    rows[row * projectionWidth + axisCount + 1] = last;
  }
  return { rows, squaredLengths };
}

/** Rows that hold centroids, filled up to whole steps of the screen. */
export function projectedRows(clusterCount: number): number {
  return Math.ceil(clusterCount / screenStep) * screenStep;
}

/** A centroid that stands for none: its bias rules it out. */
export const noCentroid = -1e30;

/** Axes of the basis: the rest's length and the point's own bound take the other two of a row. */
export const axisCount = projectionWidth - 2;

// ---------------------------------------------------------------------------------------------------------------------

const sampleSize = 8192;
/** Any orthonormal basis is right; after so many products it holds nearly as much as the best of its size. */
const rounds = 12;
const stepsByRound = 3;

function transposed(rows: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const count = rows.length / length;
  const columns = new Float32Array(rows.length);
  for (let row = 0; row < count; row += 1) {
    for (let place = 0; place < length; place += 1) columns[place * count + row] = rows[row * length + place] as number;
  }
  return columns;
}

/** Gram–Schmidt, twice over, so that rounding leaves nothing; an axis of which nothing is left becomes 0. */
function orthonormalize(axes: Float32Array, dimensions: number): void {
  for (let start = 0; start < axes.length; start += dimensions) {
    const first = Math.sqrt(dot(axes, start, start, dimensions));
    for (let round = 0; round < 2; round += 1) {
      for (let other = 0; other < start; other += dimensions) {
        const share = dot(axes, start, other, dimensions);
        for (let place = 0; place < dimensions; place += 1) {
          axes[start + place] = (axes[start + place] as number) - share * (axes[other + place] as number);
        }
      }
    }
    const length = Math.sqrt(dot(axes, start, start, dimensions));
    const scale = length > 1e-9 * first ? 1 / length : 0;
    for (let place = start; place < start + dimensions; place += 1) axes[place] = (axes[place] as number) * scale;
  }
}

function dot(axes: Float32Array, a: number, b: number, dimensions: number): number {
  let sum = 0;
  for (let place = 0; place < dimensions; place += 1) {
    sum += (axes[a + place] as number) * (axes[b + place] as number);
  }
  return sum;
}
