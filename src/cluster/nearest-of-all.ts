import type { Screen } from '../compute/screen.js';
import { unshared } from '../compute/session.js';
import { squaredDistance } from './arithmetic.js';
import type { Arrays, Projection } from './arrays.js';
import { noCentroid, projected, projectionWidth } from './projection.js';

const tileRows = 512;
const tileColumns = 1024;

/** What rules centroids out in a thread. */
export interface Screened {
  projection: Projection;
  screen: Screen;
}

/**
 * The nearest of all centroids for each vector, of equals the lowest, and the squared distance to it, in doubles. `from`:
 * a cluster of each, whose centroid's distance is the bound to begin with; it must not be below 0.
 */
export async function nearestOfAll(
  vectors: Float32Array,
  from: Int32Array,
  { centroids, dimensions }: Arrays,
  { projection, screen }: Screened,
): Promise<{ at: Int32Array; squared: Float64Array }> {
  const count = from.length;
  const at = from.slice();
  const squared = new Float64Array(count);
  for (let each = 0; each < count; each += 1) {
    const own = (at[each] as number) * dimensions;
    squared[each] = squaredDistance(vectors, each * dimensions, centroids, own, dimensions);
  }
  const { rows, squaredLengths } = await projected(vectors, dimensions, screen, unshared(projection.basis), 0);
  const rowCount = projection.bias.length;
  const longest = longestOf(projection);

  for (let column = 0; column < rowCount; column += tileColumns) {
    const columns = Math.min(tileColumns, rowCount - column);
    const tile = unshared(projection.rows.subarray(column * projectionWidth, (column + columns) * projectionWidth));
    const bias = unshared(projection.bias.subarray(column, column + columns));
    for (let row = 0; row < count; row += tileRows) {
      const end = Math.min(count, row + tileRows);
      for (let each = row; each < end; each += 1) {
        // A nearer centroid has a product plus bias above this; what rounding can do to either is taken off.
        const length = squaredLengths[each] as number;
        const reached = (length - (squared[each] as number)) / 2;
        const slack = 1e-4 * (Math.sqrt(length) * longest + longest * longest);
        rows[(each + 1) * projectionWidth - 1] = slack - reached;
      }
      const part = rows.subarray(row * projectionWidth, end * projectionWidth);
      const possible = await screen.possible(part, tile, bias, projectionWidth);
      measurePossible(possible, columns, { vectors, dimensions, first: row, centroids, column, at, squared });
    }
  }
  return { at, squared };
}

/** Sets the rows of centroids `start` to `end`. */
export async function projectCentroids(
  start: number,
  end: number,
  { centroids, bias, dimensions, clusterCount }: Arrays,
  { projection, screen }: Screened,
): Promise<void> {
  const own = centroids.slice(start * dimensions, end * dimensions);
  const { rows } = await projected(own, dimensions, screen, unshared(projection.basis), 1);
  projection.rows.set(rows, start * projectionWidth);
  projection.bias.set(bias.subarray(start, end), start);
  if (end === clusterCount) projection.bias.fill(noCentroid, clusterCount);
}

// ---------------------------------------------------------------------------------------------------------------------

interface Tile {
  vectors: Float32Array;
  dimensions: number;
  /** The tile's first vector and first centroid. */
  first: number;
  centroids: Float32Array;
  column: number;
  at: Int32Array;
  squared: Float64Array;
}

/** Measures what is possible; most of it is not, so it is read four at a time. */
function measurePossible(possible: Uint8Array, columns: number, tile: Tile): void {
  const words = new Int32Array(possible.buffer, possible.byteOffset, possible.byteLength / 4);
  const wordsByRow = columns / 4;
  for (let word = 0; word < words.length; word += 1) {
    if (words[word] === 0) continue;
    const row = Math.floor(word / wordsByRow);
    const first = (word - row * wordsByRow) * 4;
    for (let place = 0; place < 4; place += 1) {
      if (possible[word * 4 + place] !== 0) measure(tile, tile.first + row, tile.column + first + place);
    }
  }
}

/** Takes the centroid where it is nearer, or as near and lower; leaves the sum as soon as it cannot be. */
function measure({ vectors, dimensions, centroids, at, squared }: Tile, vector: number, centroid: number): void {
  const least = squared[vector] as number;
  const start = vector * dimensions;
  const other = centroid * dimensions;
  let sum = 0;
  for (let begin = 0; begin < dimensions; begin += 64) {
    const end = Math.min(dimensions, begin + 64);
    for (let place = begin; place < end; place += 1) {
      sum += ((vectors[start + place] as number) - (centroids[other + place] as number)) ** 2;
    }
    if (sum > least) return;
  }
  if (sum < least || centroid < (at[vector] as number)) {
    at[vector] = centroid;
    squared[vector] = sum;
  }
}

/** The length of the longest centroid. */
function longestOf({ bias }: Projection): number {
  let least = 0;
  for (const each of bias) if (each < least && each > noCentroid) least = each;
  return Math.sqrt(-2 * least);
}
