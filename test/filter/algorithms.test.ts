import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasBoxedAnswer } from '../../src/filter/boxed.js';
import { addHistograms, binOf, histogramOf } from '../../src/filter/histogram.js';
import { nearestRank } from '../../src/filter/percentile.js';
import { repeatedShare } from '../../src/filter/repeated-ngrams.js';

describe('repeatedShare', () => {
  /** By the definition: a word counts when some run of `length` words that holds it occurred earlier in the text. */
  function naive(words: string[], length: number): number {
    const covered = words.map((_, at) => {
      for (let start = Math.max(0, at - length + 1); start <= at && start + length <= words.length; start += 1) {
        const run = words.slice(start, start + length).join(' ');
        for (let before = 0; before < start; before += 1) {
          if (words.slice(before, before + length).join(' ') === run) return true;
        }
      }
      return false;
    });
    return words.length === 0 ? 0 : covered.filter(Boolean).length / words.length;
  }

  it('is what the definition says, on texts of few different words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }),
        fc.integer({ min: 2, max: 5 }),
        (words, length) => {
          expect(repeatedShare(words.join(' '), length)).toBeCloseTo(naive(words, length), 12);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is 0 for text that never repeats itself, and near 1 for a loop', () => {
    expect(repeatedShare('', 10)).toBe(0);
    expect(repeatedShare(Array.from({ length: 1000 }, (_, index) => `w${index}`).join(' '), 10)).toBe(0);
    expect(repeatedShare('so the answer is x but wait let me check that again '.repeat(100), 10)).toBeCloseTo(0.99, 2);
  });

  it('sees loops in scripts without spaces', () => {
    expect(repeatedShare('让我再检查一遍这个答案是否正确。'.repeat(50), 10)).toBeGreaterThan(0.97);
    expect(repeatedShare('患者男性四十五岁胸痛两小时应该首先考虑什么诊断', 10)).toBe(0);
  });
});

describe('nearestRank', () => {
  it('is the smallest value that at least that share of all values do not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 10_000 }),
        (values, hundredths) => {
          const counts = new Map<number, number>();
          for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
          const reaching = (limit: number) => values.filter((value) => value <= limit).length * 10_000;
          const found = nearestRank(counts, hundredths / 100);
          const expected = [...values]
            .sort((a, b) => a - b)
            .find((limit) => reaching(limit) >= hundredths * values.length);
          expect(found).toBe(expected);
        },
      ),
    );
  });

  it('does not stumble over floating point: 7 % of 100 values is the 7th', () => {
    const counts = new Map(Array.from({ length: 100 }, (_, index) => [index + 1, 1] as const));
    expect(nearestRank(counts, 7)).toBe(7);
    expect(nearestRank(counts, 100)).toBe(100);
    expect(nearestRank(counts, 97.5)).toBe(98);
    expect(nearestRank(new Map(), 97)).toBe(null);
  });
});

describe('histograms', () => {
  it('a value lies in its bin, bins do not overlap, and parts add up', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000_000), { maxLength: 50 }), fc.nat(50), (values, at) => {
        for (const value of values) {
          const [lower, upper] = binOf(value, 'INTEGER');
          expect(lower <= value && value < upper).toBe(true);
          expect(binOf(lower, 'INTEGER')).toEqual([lower, upper]);
          expect(binOf(upper - 1, 'INTEGER')).toEqual([lower, upper]);
        }
        const ones = (some: number[]) =>
          histogramOf(
            some.map((value) => [value, 1]),
            'INTEGER',
          );
        const whole = ones(values);
        expect(addHistograms([ones(values.slice(0, at)), ones(values.slice(at))])).toEqual(whole);
        expect(whole.reduce((sum, [, , count]) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it('shares have hundred bins, the last of which holds 1', () => {
    expect([0, 0.07, 0.29, 0.999, 1].map((share) => binOf(share, 'DOUBLE')[0])).toEqual([0, 0.07, 0.29, 0.99, 0.99]);
  });
});

describe('hasBoxedAnswer', () => {
  it.each([
    ['the answer is \\boxed{4}', true],
    ['\\boxed{\\frac{1}{2}} and more', true],
    ['\\boxed {x}', true],
    ['\\boxed{}', false],
    ['\\boxed{ }', false],
    ['\\boxed{4', false],
    ['\\boxed{\\}', false],
    ['\\boxed{} then \\boxed{B}', true],
    ['boxed{4}', false],
    ['\\fbox{4}', false],
    ['', false],
  ])('%s', (text, expected) => {
    expect(hasBoxedAnswer(text)).toBe(expected);
  });
});
