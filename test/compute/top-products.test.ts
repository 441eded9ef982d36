import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTopProducts } from '../../src/compute/top-products.js';

const dimensions = 8;

describe.each(['native', 'portable'] as const)('the largest products, %s', (compute) => {
  it('are those of a loop over the table, equals by the lowest row', async () => {
    await fc.assert(
      fc.asyncProperty(vectors(1, 40), vectors(1, 9), fc.integer({ min: 1, max: 12 }), async (table, points, count) => {
        const products = await openTopProducts(Float32Array.from(table.flat()), dimensions, count, compute);
        const found = await products.find(Float32Array.from(points.flat()));
        await products.close();
        expect(products.count).toBe(Math.min(count, table.length));
        points.forEach((point, place) => {
          const expected = table
            .map((row, index) => ({ index, score: row.reduce((sum, each, at) => sum + each * (point[at] ?? 0), 0) }))
            .sort((a, b) => b.score - a.score || a.index - b.index)
            .slice(0, products.count);
          const range: [number, number] = [place * products.count, (place + 1) * products.count];
          expect([...found.at.subarray(...range)]).toEqual(expected.map((each) => each.index));
          expect([...found.score.subarray(...range)]).toEqual(expected.map((each) => each.score));
        });
      }),
      { numRuns: 40 },
    );
  });

  it('are the same bits for a point alone as among others', async () => {
    const numbers = (length: number, phase: number) =>
      Float32Array.from({ length }, (_, index) => Math.sin(index * 1.7 + phase));
    const products = await openTopProducts(numbers(700 * dimensions, 1), dimensions, 5, compute);
    const points = numbers(601 * dimensions, 2);
    const all = await products.find(points);
    for (const place of [0, 511, 512, 600]) {
      const alone = await products.find(points.slice(place * dimensions, (place + 1) * dimensions));
      expect([...alone.at]).toEqual([...all.at.subarray(place * 5, place * 5 + 5)]);
      expect([...alone.score]).toEqual([...all.score.subarray(place * 5, place * 5 + 5)]);
    }
    await products.close();
  });
});

/** Vectors of small whole numbers: their products are exact, so that equals are equal. */
function vectors(minLength: number, maxLength: number): fc.Arbitrary<number[][]> {
  const vector = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: dimensions, maxLength: dimensions });
  return fc.array(vector, { minLength, maxLength });
}
