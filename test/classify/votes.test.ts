import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, standing } from '../../src/classify/votes.js';

const vote = fc.constantFrom('a', 'b', 'c', null);

/** Plurality by counting in the open: the reference that `decide` must agree with once all have voted. */
function plurality(votes: readonly (string | null)[]): { label: string | null; top: number; valid: number } {
  const valid = votes.filter((each) => each !== null);
  const count = (label: string) => valid.filter((each) => each === label).length;
  const top = Math.max(0, ...valid.map(count));
  return { label: valid.find((each) => count(each) === top) ?? null, top, valid: valid.length };
}

describe('decide', () => {
  it('gives a tie to the tied label of the nearest exemplar', () => {
    expect(decide(['a', 'b', 'b', 'a'], 0, 0.5).label).toBe('a');
    expect(decide(['c', 'b', 'a', 'b', 'a'], 0, 0.5).label).toBe('b');
  });

  it('lets invalid votes not count', () => {
    expect(decide([null, 'b', null], 0, 0.5)).toEqual({
      label: 'b',
      agreement: 1,
      agreementHigh: 1,
      votes: 1,
      uncertain: false,
      settled: true,
    });
    expect(decide([null, null], 0, 0.5)).toMatchObject({ label: null, votes: 0, uncertain: true });
  });

  it('counts exactly half as not below a half', () => {
    expect(decide(['a', 'b'], 0, 0.5).uncertain).toBe(false);
    expect(decide(['a', 'b', 'c'], 0, 0.5).uncertain).toBe(true);
  });

  it('stops five equal votes of ten, as the other five could at most tie', () => {
    expect(decide(['a', 'a', 'a', 'a', 'a'], 5, 0.5)).toEqual({
      label: 'a',
      agreement: 0.5,
      agreementHigh: 1,
      votes: 5,
      uncertain: false,
      settled: true,
    });
  });
});

describe('early stop', () => {
  it('changes neither the label nor uncertain, and its bounds hold the full agreement', () => {
    const rules = fc.record({
      nearest: fc.integer({ min: 1, max: 12 }),
      below: fc.constantFrom(0, 0.3, 0.5, 0.6, 0.9, 1),
      upTo: fc.constantFrom(1, 20),
    });
    fc.assert(
      fc.property(fc.array(vote, { minLength: 1, maxLength: 24 }), rules, (all, rule) => {
        const asked: (string | null)[] = [];
        let now = standing(asked, all.length, rule);
        while (now.further > 0) {
          asked.push(...all.slice(asked.length, asked.length + now.further));
          now = standing(asked, all.length, rule);
        }
        // Every exemplar of each step asked, none left out.
        let target = Math.min(rule.nearest, all.length);
        const most = Math.min(all.length, Math.max(rule.nearest, rule.upTo));
        let full = plurality(all.slice(0, target));
        const uncertain = () => full.label === null || full.top / full.valid < rule.below;
        while (uncertain() && target < most) {
          target = Math.min(target + rule.nearest, most);
          full = plurality(all.slice(0, target));
        }
        expect(now.decision.label).toBe(full.label);
        expect(now.decision.uncertain).toBe(uncertain());
        const agreement = full.valid === 0 ? 0 : full.top / full.valid;
        expect(now.decision.agreement).toBeLessThanOrEqual(agreement);
        expect(now.decision.agreementHigh).toBeGreaterThanOrEqual(agreement);
        expect(asked.length).toBeLessThanOrEqual(target);
      }),
      { numRuns: 3000 },
    );
  });
});
