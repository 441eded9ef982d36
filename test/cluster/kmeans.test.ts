import fc from 'fast-check';
import { kmeans as reference } from 'ml-kmeans';
import { describe, expect, it } from 'vitest';
import { type Arrays, makeArrays } from '../../src/cluster/arrays.js';
import { arraySizes } from '../../src/cluster/cost.js';
import { type Algorithm, type Course, countDistinct, type KMeansPlan, kMeans } from '../../src/cluster/kmeans.js';
import { MemoryPoints } from '../../src/cluster/points.js';
import { sample, seededRandom } from '../../src/cluster/random.js';
import { openAlone } from '../../src/cluster/team.js';
import { openNearest } from '../../src/compute/nearest.js';
import { Problem } from '../../src/problem.js';

const dimensions = 4;
const algorithms: Algorithm[] = ['mini-batch', 'two-level', 'lloyd'];

describe('lloyd', () => {
  it('ends where ml-kmeans ends from the same start', async () => {
    const points = clouds(300, 7);
    for (const [k, seed] of [
      [5, 1],
      [8, 2],
      [12, 3],
    ] as const) {
      const { arrays, course } = await cluster(points, k, 'lloyd', { seed, passes: 100, settled: 0 });
      const start = [...sample(points.length, k, seededRandom(seed, 'start')).sort()].map(
        (point) => points[point] ?? [],
      );
      const expected = reference(points, k, { initialization: start, maxIterations: 100, tolerance: 0 });
      if (course.emptyFilled > 0) continue;
      expect([...arrays.assigned]).toEqual(expected.clusters);
      expected.centroids.forEach((centroid, cluster) => {
        for (const [place, value] of centroid.entries()) {
          expect(arrays.centroids[cluster * dimensions + place]).toBeCloseTo(value, 4);
        }
      });
    }
  });
});

describe.each(algorithms)('%s', (algorithm) => {
  it('gives every point its nearest centroid, and the inertia that follows', async () => {
    const points = clouds(400, 20);
    const { arrays, course } = await cluster(points, 24, algorithm);
    let inertia = 0;
    points.forEach((point, place) => {
      const distances = Array.from({ length: 24 }, (_, each) => squared(point, centroidOf(arrays, each)));
      const least = Math.min(...distances);
      expect(distances[arrays.assigned[place] ?? -1]).toBeCloseTo(least, 5);
      expect(arrays.squared[place]).toBeCloseTo(least, 5);
      inertia += least;
    });
    expect(course.inertia).toBeCloseTo(inertia, 3);
  });

  it('leaves no cluster empty and loses no point', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.nat(39),
        fc.nat(5),
        async (pairs, wanted, seed) => {
          const points = pairs.map(([a, b]) => [a, b, 0, 1]);
          const distinct = new Set(pairs.map(String)).size;
          const k = 1 + (wanted % distinct);
          const { arrays } = await cluster(points, k, algorithm, { seed });
          expect(arrays.counts.reduce((sum, size) => sum + size, 0)).toBe(points.length);
          expect(Math.min(...arrays.counts)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('puts equal points together', async () => {
    const points = Array.from({ length: 60 }, (_, place) => [place % 6, 0, (place % 6) ** 2, 1]);
    const { arrays, course } = await cluster(points, 6, algorithm);
    points.forEach((_, place) => {
      expect(arrays.assigned[place]).toBe(arrays.assigned[place % 6]);
    });
    expect(course.inertia).toBe(0);
  });

  it('with k = 1 ends at the mean', async () => {
    const points = clouds(50, 3);
    const { arrays } = await cluster(points, 1, algorithm);
    const mean = Array.from({ length: dimensions }, (_, place) =>
      points.reduce((sum, point) => sum + (point[place] ?? 0) / points.length, 0),
    );
    mean.forEach((value, place) => {
      expect(arrays.centroids[place]).toBeCloseTo(value, 5);
    });
  });

  it('with as many clusters as points gives each point its own', async () => {
    const points = clouds(37, 37);
    const { arrays, course } = await cluster(points, 37, algorithm);
    expect(new Set(arrays.assigned).size).toBe(37);
    expect(course.inertia).toBe(0);
  });

  it('gives the same bits for the same seed', async () => {
    const points = clouds(500, 9);
    const first = await cluster(points, 30, algorithm, { seed: 7 });
    const second = await cluster(points, 30, algorithm, { seed: 7 });
    expect(second.arrays.centroids).toEqual(first.arrays.centroids);
    expect(second.arrays.assigned).toEqual(first.arrays.assigned);
    expect(second.course).toEqual(first.course);
  });

  it('makes centroids of length 1 where it is spherical', async () => {
    const points = clouds(200, 8).map((point) => scaled(point, 1 / Math.hypot(...point)));
    const { arrays } = await cluster(points, 10, algorithm, { spherical: true });
    for (let each = 0; each < 10; each += 1) expect(Math.hypot(...centroidOf(arrays, each))).toBeCloseTo(1, 5);
  });
});

it('neighbours and one full pass end near what all centroids give', async () => {
  // So many clusters that the passes between try only some of them.
  const points = clouds(6_000, 300);
  const near = await cluster(points, 1_200, 'mini-batch', { passes: 8 });
  const all = await cluster(points, 1_200, 'lloyd', { passes: 8 });
  expect(near.course.inertia).toBeLessThan(all.course.inertia * 1.02);
}, 120_000);

describe('points', () => {
  it('that are equal count once, 0 and -0 alike', async () => {
    expect(
      await distinctOf([
        [1, 2, 3, 4],
        [0, 0, 0, 0],
        [1, 2, 3, 4],
        [0, -0, 0, 0],
        [4, 3, 2, 1],
      ]),
    ).toBe(3);
  });

  it('that hold what is no number are a Problem that names the first', async () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const points = [
        [1, 2, 3, 4],
        [1, broken, 3, 4],
        [Number.NaN, 0, 0, 0],
      ];
      const problem = await distinctOf(points).catch((error: unknown) => error);
      expect(problem).toBeInstanceOf(Problem);
      expect((problem as Problem).parts.where).toBe('point 1');
    }
  });
});

interface Settings extends Partial<KMeansPlan> {
  spherical?: boolean;
}

async function cluster(
  points: number[][],
  k: number,
  algorithm: Algorithm,
  settings: Settings = {},
): Promise<{ arrays: Arrays; course: Course }> {
  const passes = settings.passes ?? 6;
  const size = { points: points.length, clusters: k, dimensions, algorithm, passes, workers: 1 };
  const arrays = makeArrays(arraySizes(size, settings.spherical ?? false));
  const memory = new MemoryPoints(Float32Array.from(points.flat()), dimensions);
  const team = await openAlone(memory, 'native', arrays);
  const nearest = await openNearest(dimensions, 'native');
  try {
    const plan = { algorithm, passes, settled: settings.settled ?? 0, seed: settings.seed ?? 1 };
    return { arrays, course: await kMeans(arrays, memory, team, nearest, plan) };
  } finally {
    await team.close();
    await nearest.close();
  }
}

async function distinctOf(points: number[][]): Promise<number> {
  const size = { points: points.length, clusters: 1, dimensions, algorithm: 'lloyd' as const, passes: 1, workers: 1 };
  const arrays = makeArrays(arraySizes(size, false));
  const memory = new MemoryPoints(Float32Array.from(points.flat()), dimensions);
  const team = await openAlone(memory, 'native', arrays);
  try {
    return await countDistinct(arrays, memory, team, (point) => `point ${point}`);
  } finally {
    await team.close();
  }
}

/** Points around so many middles, all distinct. */
function clouds(count: number, middles: number): number[][] {
  const random = seededRandom(count, `clouds ${middles}`);
  return Array.from({ length: count }, (_, point) =>
    Array.from({ length: dimensions }, (_, place) => Math.sin((point % middles) * (place + 3)) * 4 + random()),
  ).map((point) => point.map(Math.fround));
}

function centroidOf({ centroids }: Arrays, cluster: number): number[] {
  return [...centroids.slice(cluster * dimensions, (cluster + 1) * dimensions)];
}

function squared(a: number[], b: number[]): number {
  return a.reduce((sum, value, place) => sum + (value - (b[place] ?? 0)) ** 2, 0);
}

function scaled(point: number[], factor: number): number[] {
  return point.map((value) => value * factor);
}
