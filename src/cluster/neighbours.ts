import { biasOf, type Nearest } from '../compute/nearest.js';
import type { Arrays } from './arrays.js';
import { localKMeans } from './local-kmeans.js';
import { type Random, sample } from './random.js';

/** Clusters in a group. */
const groupSize = 32;

export interface NeighbourSizes {
  groupCount: number;
  candidateCount: number;
}

/** How many groups the clusters are put into and how many candidates each has; null where that would be nearly all. */
export function neighbourSizes(clusterCount: number): NeighbourSizes | null {
  const candidateCount = 384;
  if (clusterCount < 3 * candidateCount) return null;
  return { groupCount: Math.ceil(clusterCount / groupSize), candidateCount };
}

/**
 * Puts the clusters into groups of neighbours and gives each group its candidates: its own clusters and those nearest to
 * its middle, sorted by id. Returns the group of each cluster.
 */
export async function findNeighbours(
  nearest: Nearest,
  arrays: Arrays,
  sizes: NeighbourSizes,
  random: Random,
): Promise<Int32Array> {
  const { dimensions, clusterCount, candidates, candidateStarts } = arrays;
  const centroids = new Float32Array(arrays.centroids);
  const drawn = sample(clusterCount, Math.min(clusterCount, sizes.groupCount * 16), random).sort();
  const some = new Float32Array(drawn.length * dimensions);
  drawn.forEach((cluster, place) => {
    some.set(centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions), place * dimensions);
  });
  const middles = (await localKMeans(nearest, some, dimensions, sizes.groupCount, 3, random)).centroids;
  const { at: groups } = await nearest.find(centroids, middles, biasOf(middles, dimensions));
  const near = await nearest.findMany(middles, centroids, new Float32Array(arrays.bias), sizes.candidateCount);
  const own: number[][] = Array.from({ length: sizes.groupCount }, () => []);
  groups.forEach((group, cluster) => {
    own[group]?.push(cluster);
  });
  let end = 0;
  own.forEach((clusters, group) => {
    const ids = new Set(clusters);
    const start = group * sizes.candidateCount;
    for (const id of near.subarray(start, start + sizes.candidateCount)) {
      if (ids.size >= sizes.candidateCount) break;
      ids.add(id);
    }
    candidateStarts[group] = end;
    candidates.set(Int32Array.from(ids).sort(), end);
    end += ids.size;
  });
  candidateStarts[sizes.groupCount] = end;
  return groups;
}

/** Orders the first `slotCount` slots of the batch by the group of their points' clusters. */
export function orderByGroup(arrays: Arrays, groups: Int32Array, slotCount: number, groupCount: number): void {
  const { assigned, batchPoints, order, orderStarts } = arrays;
  const ends = new Int32Array(groupCount + 1);
  const groupOf = (slot: number) => groups[assigned[batchPoints[slot] as number] as number] as number;
  for (let slot = 0; slot < slotCount; slot += 1) ends[groupOf(slot) + 1] = (ends[groupOf(slot) + 1] as number) + 1;
  for (let group = 0; group < groupCount; group += 1) {
    ends[group + 1] = (ends[group + 1] as number) + (ends[group] as number);
  }
  orderStarts.set(ends);
  for (let slot = 0; slot < slotCount; slot += 1) {
    const group = groupOf(slot);
    order[ends[group] as number] = slot;
    ends[group] = (ends[group] as number) + 1;
  }
}
