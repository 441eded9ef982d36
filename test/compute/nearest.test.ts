import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { biasOf, type Nearest, openNearest } from '../../src/compute/nearest.js';

const dimensions = 6;
let native: Nearest;
let portable: Nearest;

beforeAll(async () => {
  native = await openNearest(dimensions, 'native');
  portable = await openNearest(dimensions, 'portable');
});

afterAll(async () => {
  await native.close();
  await portable.close();
});

/** Small whole numbers, whose products and sums float32 holds exactly: so results can be demanded, ties included. */
const vectors = (most: number) =>
  fc
    .array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: dimensions, maxLength: dimensions }), {
      minLength: 1,
      maxLength: most,
    })
    .map((rows) => Float32Array.from(rows.flat()));

describe('the nearest centroid', () => {
  it('is the one of least distance, of equals the first, natively and on WebAssembly', async () => {
    await fc.assert(
      fc.asyncProperty(vectors(20), vectors(30), async (points, centroids) => {
        const expected = bySearch(points, centroids);
        for (const nearest of [native, portable]) {
          const { at } = await nearest.find(points, centroids, biasOf(centroids, dimensions));
          expect([...at]).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is found across the edges of tiles', async () => {
    const points = drawn(1_300);
    const centroids = drawn(2_500);
    centroids.copyWithin(2_000 * dimensions, 0, 300 * dimensions);
    const { at } = await native.find(points, centroids, biasOf(centroids, dimensions));
    expect([...at]).toEqual(bySearch(points, centroids));
  });

  it('is the same bits whatever the point is found with', async () => {
    const points = Float32Array.from({ length: 700 * dimensions }, (_, place) => Math.sin(place * place));
    const centroids = Float32Array.from({ length: 1_500 * dimensions }, (_, place) => Math.cos(place * 7));
    const bias = biasOf(centroids, dimensions);
    const together = await native.find(points, centroids, bias);
    for (const point of [0, 13, 511, 512, 699]) {
      const own = points.slice(point * dimensions, (point + 1) * dimensions);
      const alone = await native.find(own, centroids, bias);
      expect([alone.at[0], alone.score[0]]).toEqual([together.at[point], together.score[point]]);
      const best = together.at[point] ?? 0;
      const nearestAlone = centroids.slice(best * dimensions, (best + 1) * dimensions);
      const one = await native.find(own, nearestAlone, bias.slice(best, best + 1));
      expect(one.score[0]).toBe(together.score[point]);
    }
  });

  it('is found in memory that threads share', async () => {
    const share = (content: Float32Array) => {
      const shared = new Float32Array(new SharedArrayBuffer(content.byteLength));
      shared.set(content);
      return shared;
    };
    const points = drawn(40);
    const centroids = drawn(50);
    const { at } = await native.find(share(points), share(centroids), share(biasOf(centroids, dimensions)));
    expect([...at]).toEqual(bySearch(points, centroids));
  });
});

it('the several nearest come in the order of their distances, of equals the first', async () => {
  const points = drawn(9);
  const centroids = drawn(60);
  const found = await native.findMany(points, centroids, biasOf(centroids, dimensions), 7);
  for (let point = 0; point < 9; point += 1) {
    const distances = distancesOf(points, point, centroids);
    const order = distances.map((_, place) => place).sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b);
    expect([...found.slice(point * 7, point * 7 + 7)]).toEqual(order.slice(0, 7));
  }
});

let state = 1;
function drawn(count: number): Float32Array {
  return Float32Array.from({ length: count * dimensions }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % 9) - 4;
  });
}

function bySearch(points: Float32Array, centroids: Float32Array): number[] {
  return Array.from({ length: points.length / dimensions }, (_, point) => {
    const distances = distancesOf(points, point, centroids);
    return distances.indexOf(Math.min(...distances));
  });
}

function distancesOf(points: Float32Array, point: number, centroids: Float32Array): number[] {
  return Array.from({ length: centroids.length / dimensions }, (_, centroid) => {
    let sum = 0;
    for (let place = 0; place < dimensions; place += 1) {
      sum += ((points[point * dimensions + place] ?? 0) - (centroids[centroid * dimensions + place] ?? 0)) ** 2;
    }
    return sum;
  });
}
