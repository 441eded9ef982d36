import { Problem } from '../problem.js';
import { type ArraySizes, arrayBytes, blockPoints } from './arrays.js';
import { type Algorithm, fullPasses } from './kmeans.js';
import { neighbourSizes } from './neighbours.js';
import { isProjected } from './projection.js';
import { superCountOf } from './seeds.js';

export interface ClusterCost {
  /** Of matrix products, in 10⁹ multiplications and additions. */
  gflop: number;
  memoryBytes: number;
}

export interface ClusterSize {
  points: number;
  clusters: number;
  dimensions: number;
  algorithm: Algorithm;
  passes: number;
  workers: number;
}

/** What clustering will take at most: all passes and the exact one. */
export function clusterCost(size: ClusterSize): ClusterCost {
  const { points, clusters, dimensions, passes } = size;
  const near = size.algorithm === 'lloyd' ? null : neighbourSizes(clusters);
  const byPass = points * (near === null ? clusters : near.candidateCount);
  const groups = near === null ? 0 : clusters * near.groupCount * 2;
  const begin = size.algorithm === 'lloyd' ? 0 : points * (superCountOf(clusters) * 8);
  // Measured: the product of projections and what follows take half of the time of the whole product.
  const all = points * clusters * (isProjectedSize(size) ? 0.5 : 1);
  const full = near === null ? 0 : fullPasses.filter((place) => place < passes).length * all;
  const products = begin + passes * (byPass + groups) + full + all;
  return { gflop: (2 * dimensions * products) / 1e9, memoryBytes: memoryOf(size) };
}

/** Sizes of the shared arrays. A batch holds enough points for every group of clusters to make a full product. */
export function arraySizes(size: ClusterSize, spherical: boolean): ArraySizes {
  const near = size.algorithm === 'lloyd' ? null : neighbourSizes(size.clusters);
  return {
    dimensions: size.dimensions,
    pointCount: size.points,
    clusterCount: size.clusters,
    superCount: superCountOf(size.clusters),
    groupCount: near?.groupCount ?? 0,
    candidateCount: near?.candidateCount ?? 0,
    batchSize: Math.min(size.points, Math.max(16_384, 4 * size.clusters)),
    spherical,
    projected: isProjectedSize(size),
  };
}

/** Refuses what would be killed for its memory, and says how much it would need. */
export function refuseBeyond(cost: ClusterCost, availableBytes: number, clusters: number): void {
  if (cost.memoryBytes <= availableBytes) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new Problem(`clustering into ${clusters} clusters needs more memory than there is`, {
    where: 'cluster.k',
    found: `needs ${megabytes(cost.memoryBytes)}, available are ${megabytes(availableBytes)}`,
    try: 'a smaller k, or a machine with more memory',
  });
}

// ---------------------------------------------------------------------------------------------------------------------

/** lloyd is the textbook's method for comparison: it makes the whole product. */
function isProjectedSize({ algorithm, dimensions, clusters }: ClusterSize): boolean {
  return algorithm !== 'lloyd' && isProjected(dimensions, clusters);
}

function memoryOf(size: ClusterSize): number {
  // Per thread: blocks of vectors, a tile of scores, the members of a super-cluster, the runtime itself.
  const byThread = 4 * blockPoints * size.dimensions * 4 + 150e6;
  // Keys of all points, their order, and the tables on their way to the disk.
  const byPoint = size.points * (32 + 16);
  return arrayBytes(arraySizes(size, false)) + size.workers * byThread + byPoint + 600e6;
}
