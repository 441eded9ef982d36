import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayBytes } from '../../src/cluster/arrays.js';
import { arraySizes, clusterCost, refuseBeyond } from '../../src/cluster/cost.js';
import { exemplars } from '../../src/cluster/exemplars.js';
import { gather, MemoryPoints } from '../../src/cluster/points.js';
import { sample, seededRandom } from '../../src/cluster/random.js';
import { allot } from '../../src/cluster/seeds.js';
import { sizeFigures } from '../../src/cluster/sizes.js';
import type { Problem } from '../../src/problem.js';

describe('clusters allotted to super-clusters', () => {
  it('are all given out, at least one to each that has points, never more than it has', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 20 }), fc.nat(1_000), (list, wanted) => {
        const sizes = Int32Array.from(list);
        const points = list.reduce((sum, size) => sum + size, 0);
        const inhabited = list.filter((size) => size > 0).length;
        fc.pre(points > 0);
        const total = inhabited + (wanted % (points - inhabited + 1));
        const shares = allot(total, sizes);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
        shares.forEach((share, place) => {
          const size = sizes[place] ?? 0;
          expect(share).toBeGreaterThanOrEqual(size > 0 ? 1 : 0);
          expect(share).toBeLessThanOrEqual(size);
        });
      }),
    );
  });

  it('are in proportion to the points', () => {
    expect([...allot(10, Int32Array.of(100, 300, 600))]).toEqual([1, 3, 6]);
  });

  it('cannot be fewer than the super-clusters that have points', () => {
    expect(() => allot(1, Int32Array.of(5, 5))).toThrow();
  });
});

describe('exemplars', () => {
  it('are the nearest of each cluster, of equals the first by key', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ cluster: fc.nat(3), distance: fc.nat(4), key: fc.string() }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (points, count) => {
          const assigned = Int32Array.from(points, (point) => point.cluster);
          const squared = Float64Array.from(points, (point) => point.distance);
          const keys = points.map((point, place) => `${point.key}${place}`);
          const compare = (a: number, b: number) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1);
          const expected = [0, 1, 2, 3].flatMap((cluster) =>
            [...points.keys()]
              .filter((point) => assigned[point] === cluster)
              .sort((a, b) => (squared[a] ?? 0) - (squared[b] ?? 0) || compare(a, b))
              .slice(0, count)
              .map((point, place) => ({ cluster, rank: place + 1, point })),
          );
          expect([...exemplars(assigned, squared, 4, count, compare)]).toEqual(expected);
        },
      ),
    );
  });
});

describe('figures of sizes', () => {
  it('of equal clusters have a Gini of 0, of one that has all nearly 1', () => {
    expect(sizeFigures(Int32Array.of(4, 4, 4))).toEqual({ min: 4, median: 4, max: 4, gini: 0 });
    expect(sizeFigures(Int32Array.of(0, 0, 0, 12)).gini).toBe(0.75);
  });

  it('take the middle of two medians', () => {
    expect(sizeFigures(Int32Array.of(1, 9, 3, 5)).median).toBe(4);
  });
});

describe('the cost of clustering', () => {
  const size = {
    points: 1_000_000,
    clusters: 50_000,
    dimensions: 384,
    algorithm: 'mini-batch' as const,
    passes: 12,
    workers: 2,
  };

  it('stays below four exact passes and 6 GB for a million prompts in 50,000 clusters', () => {
    const cost = clusterCost(size);
    const exact = (2 * size.points * size.clusters * size.dimensions) / 1e9;
    expect(cost.gflop).toBeLessThan(4 * exact);
    expect(cost.gflop).toBeGreaterThan(exact);
    expect(cost.memoryBytes).toBeLessThan(6e9);
    expect(cost.memoryBytes).toBeGreaterThan(arrayBytes(arraySizes(size, false)));
  });

  it('that is beyond the memory there is is refused with both numbers', () => {
    const cost = { gflop: 1, memoryBytes: 3e9 };
    expect(() => refuseBeyond(cost, 3e9, 50_000)).not.toThrow();
    try {
      refuseBeyond(cost, 2e9, 50_000);
      expect.unreachable();
    } catch (error) {
      expect((error as Problem).parts.found).toBe('needs 3000 MB, available are 2000 MB');
    }
  });
});

it('a sample has no repeats and is the same for the same seed', () => {
  const first = sample(1_000, 300, seededRandom(5, 'x'));
  expect(new Set(first).size).toBe(300);
  expect(sample(1_000, 300, seededRandom(5, 'x'))).toEqual(first);
  expect(sample(1_000, 300, seededRandom(6, 'x'))).not.toEqual(first);
});

it('points are gathered in the order asked for', () => {
  const points = new MemoryPoints(
    Float32Array.from({ length: 20 }, (_, place) => place),
    2,
  );
  const into = new Float32Array(8);
  gather(points, Int32Array.of(3, 4, 0, 9), into);
  expect([...into]).toEqual([6, 7, 8, 9, 0, 1, 18, 19]);
});
