import { type Nearest, rowBias } from '../compute/nearest.js';
import { addVector, center, squaredDistance, subtractVector } from './arithmetic.js';
import type { Arrays } from './arrays.js';
import { localKMeans } from './local-kmeans.js';
import { nearestOfAll, projectCentroids, type Screened } from './nearest-of-all.js';
import { gather, type Points } from './points.js';
import { setBasis } from './projection.js';
import { sample, seededRandom } from './random.js';

/** What a thread works with. */
export interface Desk {
  points: Points;
  nearest: Nearest;
  arrays: Arrays;
  /** null: the search over all centroids makes the whole product. */
  screened: Screened | null;
}

/**
 * One piece of work of one thread. Pieces of one kind that run at the same time write to different places, and how the
 * work is cut into pieces changes no result: each sum is made by one piece, in the order of the points.
 */
export type Operation =
  /** Are all values numbers? `squared` takes a hash of each point. */
  | { kind: 'check'; start: number; end: number }
  /** Finds the super-clusters of a sample. */
  | { kind: 'supers'; sampleSize: number; iterations: number; seed: number }
  /** `assigned` takes the nearest super-cluster of points `start` to `end`. */
  | { kind: 'divide'; start: number; end: number }
  /** Clusters the members of one super-cluster into clusters `first` to `first + count`. */
  | {
      kind: 'seed';
      start: number;
      end: number;
      first: number;
      count: number;
      iterations: number;
      limit: number;
      seed: number;
    }
  /** Reads slots `start` to `end` of the batch. */
  | { kind: 'load'; start: number; end: number }
  /** Chooses the axes of the projection. */
  | { kind: 'axes'; seed: number }
  /** The projection takes centroids `start` to `end` as they are now. */
  | { kind: 'project'; start: number; end: number }
  /** `found` takes the nearest of all centroids for slots `start` to `end`. */
  | { kind: 'all'; start: number; end: number }
  /** `found` takes the nearest candidate for the slots of groups `start` to `end`. */
  | { kind: 'near'; start: number; end: number }
  /** Moves the batch's points between the sums of every `parts`-th cluster, from `part` on. */
  | { kind: 'move'; part: number; parts: number; center: boolean }
  /** Moves centroids `start` to `end` to the means of their points. */
  | { kind: 'center'; start: number; end: number }
  /** `squared` takes the squared distance of points `start` to `end` to the centroids of their clusters. */
  | { kind: 'measure'; start: number; end: number }
  /** The exact pass over points `start` to `end`: nearest of all centroids and the squared distance to it. */
  | { kind: 'exact'; start: number; end: number }
  /** As `exact`, but only the centroids in `clusters` have changed, each to something nearer for some points. */
  | { kind: 'join'; start: number; end: number; clusters: number[] };

/** Numbers that a piece hands back: points moved, points that are no numbers, inertia. */
export interface OperationResult {
  moved: number;
  inertia: number;
  /** The first point that holds what is no number, or -1. */
  broken: number;
}

export async function operate(operation: Operation, desk: Desk): Promise<OperationResult> {
  const result = { moved: 0, inertia: 0, broken: -1 };
  switch (operation.kind) {
    case 'check':
      return { ...result, broken: check(operation.start, operation.end, desk) };
    case 'supers':
      await findSupers(operation, desk);
      return result;
    case 'divide':
      await divide(operation.start, operation.end, desk);
      return result;
    case 'seed':
      await seedMembers(operation, desk);
      return result;
    case 'load':
      load(operation.start, operation.end, desk);
      return result;
    case 'axes':
      if (desk.screened !== null) {
        await setBasis(desk.screened, desk.points, seededRandom(operation.seed, 'axes'));
      }
      return result;
    case 'project':
      if (desk.screened !== null) {
        await projectCentroids(operation.start, operation.end, desk.arrays, desk.screened);
      }
      return result;
    case 'all':
      await findAll(operation.start, operation.end, desk);
      return result;
    case 'near':
      await findNear(operation.start, operation.end, desk);
      return result;
    case 'move':
      move(operation.part, operation.parts, operation.center, desk.arrays);
      return result;
    case 'center':
      for (let cluster = operation.start; cluster < operation.end; cluster += 1) center(cluster, desk.arrays);
      return result;
    case 'measure':
      measure(operation.start, operation.end, desk);
      return result;
    case 'exact':
      return { ...result, ...(await exact(operation.start, operation.end, desk)) };
    case 'join':
      return { ...result, ...(await join(operation, desk)) };
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function readRange(start: number, end: number, { points }: Desk): Float32Array {
  const vectors = new Float32Array((end - start) * points.dimensions);
  points.read(start, end, vectors);
  return vectors;
}

function check(start: number, end: number, desk: Desk): number {
  const { dimensions, squared } = desk.arrays;
  const vectors = readRange(start, end, desk);
  const bits = new Int32Array(vectors.buffer);
  for (let point = start; point < end; point += 1) {
    let low = 0x9e3779b9 | 0;
    let high = 0x85ebca6b | 0;
    const first = (point - start) * dimensions;
    for (let place = first; place < first + dimensions; place += 1) {
      if (!Number.isFinite(vectors[place])) return point;
      // -0 is 0.
      const each = vectors[place] === 0 ? 0 : (bits[place] as number);
      low = Math.imul(low ^ each, 0x01000193);
      high = Math.imul((high ^ each) + (low >>> 15), 0x5bd1e995);
      low ^= high >>> 13;
    }
    squared[point] = (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff);
  }
  return -1;
}

async function findSupers(
  operation: { sampleSize: number; iterations: number; seed: number },
  { points, nearest, arrays }: Desk,
): Promise<void> {
  const { dimensions } = arrays;
  const random = seededRandom(operation.seed, 'super-clusters');
  const drawn = sample(points.count, operation.sampleSize, random).sort();
  const vectors = new Float32Array(drawn.length * dimensions);
  gather(points, drawn, vectors);
  const count = arrays.supers.length / dimensions;
  const { centroids } = await localKMeans(nearest, vectors, dimensions, count, operation.iterations, random);
  arrays.supers.set(centroids);
  for (let each = 0; each < count; each += 1)
    arrays.superBias[each] = rowBias(centroids, each * dimensions, dimensions);
}

async function divide(start: number, end: number, desk: Desk): Promise<void> {
  const { supers, superBias, assigned } = desk.arrays;
  const { at } = await desk.nearest.find(readRange(start, end, desk), supers, superBias);
  assigned.set(at, start);
}

async function seedMembers(
  operation: {
    start: number;
    end: number;
    first: number;
    count: number;
    iterations: number;
    limit: number;
    seed: number;
  },
  { points, nearest, arrays }: Desk,
): Promise<void> {
  const { dimensions, assigned, counts, sums, centroids } = arrays;
  const { first, count } = operation;
  const members = arrays.members.slice(operation.start, operation.end);
  const random = seededRandom(operation.seed, `seeds ${first}`);
  const drawn = sample(members.length, Math.min(members.length, operation.limit), random).sort();
  const vectors = new Float32Array(drawn.length * dimensions);
  gather(
    points,
    drawn.map((place) => members[place] as number),
    vectors,
  );
  const seeds = (await localKMeans(nearest, vectors, dimensions, count, operation.iterations, random)).centroids;
  const bias = new Float32Array(count);
  for (let each = 0; each < count; each += 1) bias[each] = rowBias(seeds, each * dimensions, dimensions);

  const step = Math.max(1, operation.limit);
  for (let start = 0; start < members.length; start += step) {
    const part = members.subarray(start, start + step);
    const own = new Float32Array(part.length * dimensions);
    gather(points, part, own);
    const { at } = await nearest.find(own, seeds, bias);
    part.forEach((point, place) => {
      const cluster = first + (at[place] as number);
      assigned[point] = cluster;
      counts[cluster] = (counts[cluster] as number) + 1;
      addVector(sums, cluster * dimensions, own, place * dimensions, dimensions);
    });
  }
  centroids.set(seeds, first * dimensions);
  arrays.bias.set(bias, first);
  for (let cluster = first; cluster < first + count; cluster += 1) center(cluster, arrays);
}

function load(start: number, end: number, { points, arrays }: Desk): void {
  const { batch, batchPoints, dimensions } = arrays;
  gather(points, batchPoints.subarray(start, end), batch.subarray(start * dimensions, end * dimensions));
}

async function findAll(start: number, end: number, desk: Desk): Promise<void> {
  const { batch, batchPoints, assigned, dimensions, found } = desk.arrays;
  const from = batchPoints.slice(start, end).map((point) => assigned[point] as number);
  found.set((await amongAll(batch.slice(start * dimensions, end * dimensions), from, desk)).at, start);
}

/** The nearest of all centroids; `squared`, the distances to it, where the search has measured them. `from`: their clusters now. */
async function amongAll(
  vectors: Float32Array,
  from: Int32Array,
  { nearest, arrays, screened }: Desk,
): Promise<{ at: Int32Array; squared: Float64Array | null }> {
  if (screened !== null) return nearestOfAll(vectors, from, arrays, screened);
  const { at } = await nearest.find(vectors, arrays.centroids, arrays.bias);
  return { at, squared: null };
}

async function findNear(start: number, end: number, { nearest, arrays }: Desk): Promise<void> {
  const { batch, dimensions, centroids, bias, found, order, orderStarts, candidates, candidateStarts } = arrays;
  for (let group = start; group < end; group += 1) {
    const slots = order.subarray(orderStarts[group], orderStarts[group + 1]);
    if (slots.length === 0) continue;
    const ids = candidates.subarray(candidateStarts[group], candidateStarts[group + 1]);
    const vectors = new Float32Array(slots.length * dimensions);
    slots.forEach((slot, place) => {
      vectors.set(batch.subarray(slot * dimensions, (slot + 1) * dimensions), place * dimensions);
    });
    const own = new Float32Array(ids.length * dimensions);
    const ownBias = new Float32Array(ids.length);
    ids.forEach((id, place) => {
      own.set(centroids.subarray(id * dimensions, (id + 1) * dimensions), place * dimensions);
      ownBias[place] = bias[id] as number;
    });
    const { at } = await nearest.find(vectors, own, ownBias);
    slots.forEach((slot, place) => {
      found[slot] = ids[at[place] as number] as number;
    });
  }
}

function move(part: number, parts: number, withCenter: boolean, arrays: Arrays): void {
  const { batch, batchPoints, batchSize, dimensions, assigned, found, sums, counts } = arrays;
  const touched = new Set<number>();
  for (let slot = 0; slot < batchSize; slot += 1) {
    const point = batchPoints[slot] as number;
    if (point < 0) break;
    const before = assigned[point] as number;
    const now = found[slot] as number;
    if (before === now) continue;
    if (before >= 0 && before % parts === part) {
      counts[before] = (counts[before] as number) - 1;
      subtractVector(sums, before * dimensions, batch, slot * dimensions, dimensions);
      touched.add(before);
    }
    if (now % parts === part) {
      counts[now] = (counts[now] as number) + 1;
      addVector(sums, now * dimensions, batch, slot * dimensions, dimensions);
      touched.add(now);
    }
  }
  if (withCenter) for (const cluster of touched) center(cluster, arrays);
}

function measure(start: number, end: number, desk: Desk): void {
  const { centroids, assigned, squared, dimensions } = desk.arrays;
  const vectors = readRange(start, end, desk);
  for (let point = start; point < end; point += 1) {
    const centroid = (assigned[point] as number) * dimensions;
    squared[point] = squaredDistance(vectors, (point - start) * dimensions, centroids, centroid, dimensions);
  }
}

async function exact(start: number, end: number, desk: Desk): Promise<{ moved: number; inertia: number }> {
  const { centroids, assigned, squared, dimensions } = desk.arrays;
  const vectors = readRange(start, end, desk);
  const found = await amongAll(vectors, assigned.slice(start, end), desk);
  let moved = 0;
  let inertia = 0;
  found.at.forEach((cluster, place) => {
    if (assigned[start + place] !== cluster) moved += 1;
    assigned[start + place] = cluster;
    const distance =
      found.squared?.[place] ??
      squaredDistance(vectors, place * dimensions, centroids, cluster * dimensions, dimensions);
    squared[start + place] = distance;
    inertia += distance;
  });
  return { moved, inertia };
}

async function join(
  { start, end, clusters }: { start: number; end: number; clusters: number[] },
  desk: Desk,
): Promise<{ moved: number; inertia: number }> {
  const { centroids, assigned, squared, dimensions } = desk.arrays;
  const vectors = readRange(start, end, desk);
  const own = new Float32Array(clusters.length * dimensions);
  clusters.forEach((cluster, place) => {
    own.set(centroids.subarray(cluster * dimensions, (cluster + 1) * dimensions), place * dimensions);
  });
  const bias = Float32Array.from(clusters, (_, place) => rowBias(own, place * dimensions, dimensions));
  const { at } = await desk.nearest.find(vectors, own, bias);
  let moved = 0;
  let inertia = 0;
  at.forEach((place, each) => {
    const point = start + each;
    const cluster = clusters[place] as number;
    const before = assigned[point] as number;
    const distance = squaredDistance(vectors, each * dimensions, own, place * dimensions, dimensions);
    const nearer = distance < (squared[point] as number) || (distance === squared[point] && cluster < before);
    if (nearer) {
      moved += 1;
      assigned[point] = cluster;
      squared[point] = distance;
    }
    inertia += squared[point] as number;
  });
  return { moved, inertia };
}
