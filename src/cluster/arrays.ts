import { axisCount, projectedRows, projectionWidth } from './projection.js';

/** Points of one reading or one product in a thread: work is cut at multiples of it, whatever the number of threads. */
export const blockPoints = 4096;

/** What the search over all centroids rules most of them out with: see `projection.ts`. */
export interface Projection {
  /** `dimensions` × axes: the axes are columns. */
  basis: Float32Array;
  /** By centroid, with rows that stand for none at the end: its projection, and its bias. */
  rows: Float32Array;
  bias: Float32Array;
}

/** Everything that the threads of one clustering share. All arrays lie in shared memory and live as long as it. */
export interface Arrays {
  dimensions: number;
  pointCount: number;
  clusterCount: number;
  /** Points of a batch. */
  batchSize: number;
  spherical: boolean;

  centroids: Float32Array;
  /** Minus half the squared length of each centroid. */
  bias: Float32Array;
  /** By cluster: the sum of its points' vectors and their number. */
  sums: Float64Array;
  counts: Int32Array;

  /** By point: its cluster, and its squared distance to that cluster's centroid where an exact pass has measured it. */
  assigned: Int32Array;
  squared: Float64Array;

  /** Super-clusters, and the points of each: `members[memberStarts[s]]` to `members[memberStarts[s + 1]]`. */
  supers: Float32Array;
  superBias: Float32Array;
  members: Int32Array;

  /** The batch in hand: its points' numbers, their vectors, and the clusters just found for them. */
  batchPoints: Int32Array;
  batch: Float32Array;
  found: Int32Array;

  /** Slots of the batch ordered by the group of their clusters, and the candidates of each group. */
  order: Int32Array;
  orderStarts: Int32Array;
  candidates: Int32Array;
  candidateStarts: Int32Array;

  /** null: the search over all centroids makes the whole product. */
  projection: Projection | null;
}

export interface ArraySizes {
  dimensions: number;
  pointCount: number;
  clusterCount: number;
  superCount: number;
  groupCount: number;
  candidateCount: number;
  batchSize: number;
  spherical: boolean;
  projected: boolean;
}

export function makeArrays(sizes: ArraySizes): Arrays {
  const { dimensions, pointCount, clusterCount, superCount, groupCount, candidateCount, batchSize } = sizes;
  return {
    dimensions,
    pointCount,
    clusterCount,
    batchSize,
    spherical: sizes.spherical,
    centroids: floats(clusterCount * dimensions),
    bias: floats(clusterCount),
    sums: doubles(clusterCount * dimensions),
    counts: integers(clusterCount),
    assigned: integers(pointCount),
    squared: doubles(pointCount),
    supers: floats(superCount * dimensions),
    superBias: floats(superCount),
    members: integers(pointCount),
    batchPoints: integers(batchSize),
    batch: floats(batchSize * dimensions),
    found: integers(batchSize),
    order: integers(batchSize),
    orderStarts: integers(groupCount + 1),
    candidates: integers(groupCount * candidateCount + clusterCount),
    candidateStarts: integers(groupCount + 1),
    projection: sizes.projected
      ? {
          basis: floats(dimensions * axisCount),
          rows: floats(projectedRows(clusterCount) * projectionWidth),
          bias: floats(projectedRows(clusterCount)),
        }
      : null,
  };
}

/** Bytes that `makeArrays` takes. */
export function arrayBytes(sizes: ArraySizes): number {
  const { dimensions, pointCount, clusterCount, superCount, groupCount, candidateCount, batchSize } = sizes;
  const byCluster = clusterCount * (dimensions * 12 + 12);
  const byPoint = pointCount * 16;
  const byBatch = batchSize * (dimensions * 4 + 12);
  const byProjection = sizes.projected ? clusterCount * (projectionWidth + 1) * 4 + dimensions * axisCount * 4 : 0;
  const bySuper = (dimensions + 1) * 4;
  const byGroup = (candidateCount + 2) * 4;
  return byCluster + byPoint + byBatch + byProjection + superCount * bySuper + groupCount * byGroup;
}

// ---------------------------------------------------------------------------------------------------------------------

function floats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

function doubles(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(length * 8));
}

function integers(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * 4));
}
