import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, precisionAndRecall, type Stratum } from '../../src/classify/estimates.js';

describe('the sample of an audit', () => {
  it('gives half to what was kept and never more than there is', () => {
    const strata = fc.array(fc.record({ kept: fc.boolean(), rows: fc.integer({ min: 0, max: 500 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(strata, fc.integer({ min: 1, max: 800 }), (each, sample) => {
        const sizes = allocate(each, sample);
        const total = each.reduce((sum, { rows }) => sum + rows, 0);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(Math.min(sample, total));
        sizes.forEach((size, place) => {
          expect(size).toBeLessThanOrEqual(each[place]?.rows ?? -1);
        });
      }),
    );
    expect(
      allocate(
        [
          { kept: true, rows: 999 },
          { kept: false, rows: 100 },
          { kept: false, rows: 99_999 },
        ],
        400,
      ),
    ).toEqual([200, 100, 100]);
  });
});

describe('precision and recall', () => {
  const times = (yes: number, no: number) => [...Array<boolean>(yes).fill(true), ...Array<boolean>(no).fill(false)];
  const strata: Stratum[] = [
    { name: 'kept', kept: true, rows: 1000, judged: times(90, 10) },
    { name: 'kept, divided', kept: true, rows: 100, judged: times(50, 50) },
    { name: 'dropped', kept: false, rows: 9000, judged: times(2, 98) },
  ];

  it('weight the strata back to the whole run', () => {
    const { precision, recall } = precisionAndRecall(strata, 1);
    // By hand: 900 + 50 of 1,100 kept are right; 180 more lie among the dropped.
    expect(precision?.estimate).toBeCloseTo(950 / 1100, 4);
    expect(recall?.estimate).toBeCloseTo(950 / 1130, 4);
  });

  it('have an interval around them that is the same for the same seed', () => {
    const first = precisionAndRecall(strata, 7);
    expect(precisionAndRecall(strata, 7)).toEqual(first);
    // The binomial standard error of 0.9 of 100, weighted 10 : 1, is 0.028; 1.96 of it on each side.
    expect(first.precision?.low).toBeGreaterThan(0.864 - 0.08);
    expect(first.precision?.low).toBeLessThan(0.864 - 0.035);
    expect(first.precision?.high).toBeGreaterThan(0.864 + 0.035);
    expect(first.precision?.high).toBeLessThan(0.864 + 0.08);
  });

  it('are unknown where nothing was judged', () => {
    expect(precisionAndRecall([{ name: 'kept', kept: true, rows: 5, judged: [] }], 1)).toEqual({
      precision: null,
      recall: null,
    });
  });
});
