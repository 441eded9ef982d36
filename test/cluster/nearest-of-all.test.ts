import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { squaredDistance } from '../../src/cluster/arithmetic.js';
import { type Arrays, makeArrays } from '../../src/cluster/arrays.js';
import { arraySizes } from '../../src/cluster/cost.js';
import { kMeans } from '../../src/cluster/kmeans.js';
import { nearestOfAll, projectCentroids } from '../../src/cluster/nearest-of-all.js';
import { MemoryPoints } from '../../src/cluster/points.js';
import { axisCount, isProjected, projectionWidth, setBasis } from '../../src/cluster/projection.js';
import { type Random, seededRandom } from '../../src/cluster/random.js';
import { openAlone } from '../../src/cluster/team.js';
import { biasOf, openNearest } from '../../src/compute/nearest.js';
import { openScreen, type Screen } from '../../src/compute/screen.js';

const none = new Float32Array(0);
const dimensions = 2 * projectionWidth;
let screens: Screen[];
/** Any orthonormal axes rule out nothing that is near; those of clouds are made once, the others' would take long. */
let axes: Float32Array;

beforeAll(async () => {
  const native = await openScreen('native');
  screens = [native, await openScreen('portable')];
  const random = seededRandom(0, 'axes');
  const projection = { basis: new Float32Array(dimensions * axisCount), rows: none, bias: none };
  const points = new MemoryPoints(vectorsOf('clouds', 600, 1, random), dimensions);
  await setBasis({ projection, screen: native }, points, random);
  axes = projection.basis;
});

afterAll(async () => {
  for (const screen of screens) await screen.close();
});

type Shape = 'noise' | 'clouds' | 'few directions' | 'copies' | 'whole numbers' | 'unlike lengths';
const shapes: Shape[] = ['noise', 'clouds', 'few directions', 'copies', 'whole numbers', 'unlike lengths'];

describe('the nearest of all, measured for what projections leave', () => {
  it('is the one that a search over all finds, of equals the lowest, natively and on WebAssembly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(1e6),
        fc.constantFrom(1e-3, 1, 1e3),
        async (shape, pointCount, clusterCount, seed, scale) => {
          const random = seededRandom(seed, shape);
          const points = vectorsOf(shape, pointCount, scale, random);
          const centroids = vectorsOf(shape, clusterCount, scale, random);
          // Some points are centroids, some centroids are copies of others.
          for (let copy = 0; copy < Math.min(pointCount, clusterCount) / 4; copy += 1) {
            const start = Math.floor(random() * clusterCount) * dimensions;
            points.set(centroids.subarray(start, start + dimensions), copy * dimensions);
            centroids.copyWithin(Math.floor(random() * clusterCount) * dimensions, start, start + dimensions);
          }
          const from = Int32Array.from({ length: pointCount }, () => Math.floor(random() * clusterCount));
          const expected = bySearch(points, centroids);
          for (const screen of screens) {
            expect(await found(points, centroids, from, screen)).toEqual(expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is found across the edges of tiles', async () => {
    const random = seededRandom(1, 'tiles');
    const points = vectorsOf('clouds', 1_100, 1, random);
    const centroids = vectorsOf('clouds', 2_101, 1, random);
    const [native] = screens;
    if (native === undefined) throw new Error('no screen');
    expect(await found(points, centroids, new Int32Array(1_100), native)).toEqual(bySearch(points, centroids));
  });

  it('measures few of many', async () => {
    const random = seededRandom(2, 'few');
    const points = vectorsOf('clouds', 400, 1, random);
    const centroids = points.slice(0, 200 * dimensions);
    const [screen] = screens;
    if (screen === undefined) throw new Error('no screen');
    let possible = 0;
    const counting: Screen = {
      ...screen,
      async possible(...given) {
        const mask = await screen.possible(...given);
        for (const each of mask) possible += each;
        return mask;
      },
    };
    const from = Int32Array.from(bySearch(points, centroids).at);
    await found(points, centroids, from, counting);
    expect(possible).toBeLessThan(0.2 * 400 * 200);
  });
});

it('clusters are the same with a projection and without', async () => {
  const points = new MemoryPoints(vectorsOf('clouds', 900, 1, seededRandom(4, 'points')), dimensions);
  const size = { points: 900, clusters: 60, dimensions, algorithm: 'mini-batch' as const, passes: 6, workers: 1 };
  const results = [];
  for (const projected of [true, false]) {
    const arrays = makeArrays({ ...arraySizes(size, false), projected });
    const team = await openAlone(points, 'native', arrays);
    const nearest = await openNearest(dimensions, 'native');
    const plan = { algorithm: size.algorithm, passes: 6, settled: 0, seed: 1 };
    const { inertia: _, ...course } = await kMeans(arrays, points, team, nearest, plan);
    results.push({ course, assigned: [...arrays.assigned], centroids: [...arrays.centroids] });
    await team.close();
    await nearest.close();
  }
  expect(results[0]).toEqual(results[1]);
});

it('a projection is made where there are dimensions and clusters enough for it', () => {
  expect(isProjected(384, 50_000)).toBe(true);
  expect(isProjected(384, 1_000)).toBe(false);
  expect(isProjected(projectionWidth, 50_000)).toBe(false);
});

async function found(points: Float32Array, centroids: Float32Array, from: Int32Array, screen: Screen) {
  const arrays = arraysWith(centroids, points.length / dimensions);
  if (arrays.projection === null) throw new Error('no projection');
  arrays.projection.basis.set(axes);
  const screened = { projection: arrays.projection, screen };
  await projectCentroids(0, arrays.clusterCount, arrays, screened);
  const { at, squared } = await nearestOfAll(points, from, arrays, screened);
  return { at: [...at], squared: [...squared] };
}

function arraysWith(centroids: Float32Array, points: number): Arrays {
  const clusters = centroids.length / dimensions;
  const size = { points, clusters, dimensions, algorithm: 'two-level' as const, passes: 1, workers: 1 };
  const arrays = makeArrays({ ...arraySizes(size, false), projected: true });
  arrays.centroids.set(centroids);
  arrays.bias.set(biasOf(centroids, dimensions));
  return arrays;
}

function vectorsOf(shape: Shape, count: number, scale: number, random: Random): Float32Array {
  const axes = Array.from({ length: 5 }, () => Float32Array.from({ length: dimensions }, () => random() - 0.5));
  return Float32Array.from({ length: count * dimensions }, (_, place) => {
    const vector = Math.floor(place / dimensions);
    const dimension = place % dimensions;
    const along = (axes[vector % 5]?.[dimension] ?? 0) * (1 + (vector % 3));
    switch (shape) {
      case 'noise':
        return scale * (random() - 0.5);
      case 'clouds':
        return scale * (along + (random() - 0.5) / (1 + dimension / 8));
      case 'few directions':
        return scale * along;
      case 'copies':
        return scale * (dimension === vector % 3 ? 1 : 0);
      case 'whole numbers':
        return scale * Math.floor(random() * 3);
      case 'unlike lengths':
        return scale * (random() - 0.5) * 10 ** ((vector % 5) - 2);
    }
  });
}

function bySearch(points: Float32Array, centroids: Float32Array): { at: number[]; squared: number[] } {
  const at: number[] = [];
  const squared: number[] = [];
  for (let point = 0; point < points.length; point += dimensions) {
    let least = Number.POSITIVE_INFINITY;
    let best = -1;
    for (let centroid = 0; centroid < centroids.length; centroid += dimensions) {
      const distance = squaredDistance(points, point, centroids, centroid, dimensions);
      if (distance < least) {
        least = distance;
        best = centroid / dimensions;
      }
    }
    at.push(best);
    squared.push(least);
  }
  return { at, squared };
}
