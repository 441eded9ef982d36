import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/decontam/random.js';
import {
  doubtFrom,
  fallingScores,
  tailLength,
  tailThreshold,
  thresholdFor,
} from '../../src/decontam/reworded/calibrate.js';
import { fuse } from '../../src/decontam/reworded/candidates.js';
import { ItemWords } from '../../src/decontam/reworded/features.js';
import { negates } from '../../src/decontam/reworded/negation.js';
import { reword } from '../../src/decontam/reworded/reword.js';
import { sharedRare } from '../../src/decontam/reworded/seen.js';
import { termsOf } from '../../src/decontam/reworded/terms.js';

describe('terms', () => {
  it('takes beginnings of words and the values of numbers', () => {
    expect(termsOf('Hospitalised patients, hospitalization')).toEqual(['hospit', 'patien', 'hospit']);
    expect(termsOf('1,200 mg or 1200.0 mg, twelve, 37.50')).toEqual(['1200', 'mg', 'or', '1200', 'mg', '12', '37.5']);
  });

  it('takes pairs of characters where words are not spaced', () => {
    expect(termsOf('肺炎链球菌')).toEqual(['肺炎', '炎链', '链球', '球菌']);
  });
});

describe('the fused ranking', () => {
  it('is reciprocal rank fusion, equals by the lowest item', () => {
    const ranking = fc.uniqueArray(fc.nat(12), { maxLength: 8 });
    fc.assert(
      fc.property(ranking, ranking, (first, second) => {
        const place = (list: number[], item: number) => (list.includes(item) ? 1 / (61 + list.indexOf(item)) : 0);
        const expected = [...new Set([...first, ...second])]
          .map((item) => ({ item, fused: place(first, item) + place(second, item) }))
          .sort((a, b) => b.fused - a.fused || a.item - b.item)
          .slice(0, 5)
          .map((each) => each.item);
        const scored = (items: number[]) => ({ items, scores: items.map((_, rank) => 1 - rank / 100) });
        expect(fuse(scored(first), scored(second), 5).map((each) => each.item)).toEqual(expected);
      }),
    );
  });
});

describe('the threshold', () => {
  it('is reached by about the stated share of texts whose tail falls exponentially', () => {
    const random = new Random(7);
    const draw = () => -Math.log(1 - random.below(1_000_000) / 1_000_000);
    for (const rate of [0.002, 0.005, 0.02, 0.2]) {
      const threshold = tailThreshold(Array.from({ length: 4_000 }, draw), 4_000, rate);
      const share = Array.from({ length: 40_000 }, draw).filter((score) => score >= threshold).length / 40_000;
      expect(share).toBeGreaterThan(rate * 0.7);
      expect(share).toBeLessThan(rate * 1.4);
    }
  });

  it('is not moved by a few texts that score far above the rest', () => {
    const scores = Array.from({ length: 2_000 }, (_, place) => -Math.log((place + 1) / 2_000));
    const moved = scores.map((score, place) => (place < 8 ? score + 50 : score));
    expect(Math.abs(tailThreshold(moved, 2_000, 0.005) - tailThreshold(scores, 2_000, 0.005))).toBeLessThan(0.2);
  });

  it('looks at no more scores than tailLength says', () => {
    const scores = Array.from({ length: 3_000 }, (_, place) => 10 - place / 100);
    expect(tailThreshold(scores.slice(0, tailLength(3_000, 0.005)), 3_000, 0.005)).toBe(
      tailThreshold(scores, 3_000, 0.005),
    );
  });

  it('moves with the second-best scores of the run, never below an even chance, and stays where prompts are few', async () => {
    const seconds = (shift: number) =>
      Array.from({ length: 1_500 }, (_, place) => shift - Math.log((place + 1) / 1_500));
    const own = { first: 3, second: tailThreshold(seconds(0), 1_500, 0.005) };
    const run = (shift: number, prompts = 1_500) => ({ prompts, seconds: seconds(shift), firsts: fallingScores([]) });
    expect(await thresholdFor(own, run(2), 0.005)).toBeCloseTo(5, 6);
    expect(await thresholdFor(own, run(-2), 0.005)).toBeCloseTo(1, 6);
    expect(await thresholdFor(own, run(-9), 0.005)).toBe(0);
    expect(await thresholdFor(own, run(2, 299), 0.005)).toBe(3);
  });

  it('falls to what the bulk of the prompts says, with and without leaks among them', async () => {
    // A tail that falls somewhat faster than e^-score, as measured ones do: one in two hundred reaches 3.8.
    const reached = (share: number) => (-Math.log(share)) ** 0.8;
    const others = Array.from({ length: 4_000 }, (_, place) => reached((place + 0.5) / 4_000));
    for (const leaks of [0, 20, 200]) {
      const firsts = fallingScores([...others, ...Array.from({ length: leaks }, () => 15)]);
      const run = { prompts: 4_000 + leaks, seconds: [], firsts };
      const threshold = await thresholdFor({ first: 14, second: 0 }, run, 0.005);
      expect(Math.abs(threshold - reached(0.005))).toBeLessThan(0.15);
    }
    const run = { prompts: 4_000, seconds: [], firsts: fallingScores(others) };
    expect(await thresholdFor({ first: 3, second: 0 }, run, 0.005)).toBe(3);
  });
});

describe('the band of doubt', () => {
  const falling = (count: number) => Array.from({ length: count }, (_, place) => -Math.log((place + 0.5) / count));

  it('holds no larger a share of the prompts than it is told, nor what is less alike than the items are', async () => {
    const run = { prompts: 2_000, seconds: [], firsts: fallingScores(falling(2_000)) };
    const dense = await doubtFrom(
      0.2,
      9,
      falling(500).map((score) => score - 3),
      500,
      run,
    );
    expect(await run.firsts.reaching(dense)).toBe(400);
    const sparse = await doubtFrom(
      0.2,
      9,
      falling(500).map((score) => score + 3),
      500,
      run,
    );
    expect(await run.firsts.reaching(sparse)).toBeLessThan(100);
    expect(await doubtFrom(0.2, 1, falling(500), 500, { ...run, prompts: 100 })).toBe(1);
    expect(await doubtFrom(1, 9, falling(500), 500, run)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('what a question denies', () => {
  it('is looked for in the question, not in what is told before it', () => {
    expect(negates('Which of the following is NOT a feature of globalization?')).toBe(true);
    expect(negates('All of these are part of the vaccine except:')).toBe(true);
    expect(negates("Point out the option that doesn't apply. Explain.")).toBe(true);
    expect(negates('He does not smoke and denies fever. What is the most likely diagnosis?')).toBe(false);
  });
});

describe('the words of items', () => {
  const cosines = { most: 0.2, question: 0.2, options: 0.1 };
  const items = [
    {
      question:
        'A 21-year-old man has fever and a swollen right knee after gonorrhea, and pain on urination for three weeks since travelling to Spain. Which drug was given?',
      options: [],
    },
    {
      question:
        'A 21-year-old man has fever and a swollen right knee after gonorrhea, and pain on urination for three weeks since travelling to Spain. Which organism is it?',
      options: [],
    },
    { question: 'What is the capital of Burkina Faso?', options: ['Ouagadougou', 'Bamako'] },
    { question: 'Which planet has the most moons?', options: ['Saturn', 'Jupiter'] },
    ...Array.from({ length: 40 }, (_, place) => ({
      question: `What is the name of river ${place + 300}?`,
      options: [],
    })),
  ];

  it('knows a vignette that asks two things as one, and never compares an item with itself', () => {
    const words = new ItemWords(items);
    expect([...words.twins].slice(0, 4)).toEqual([0, 0, 2, 3]);
    const found = words.measure(
      items[0]?.question ?? '',
      { items: [1, 0, 2], scores: [0.9, 0.8, 0.1] },
      () => cosines,
      0,
    );
    expect(found.map((each) => each.item)).not.toContain(0);
    expect(found.map((each) => each.item)).not.toContain(1);
  });

  it('measures the same whatever was measured before', () => {
    const words = new ItemWords(items);
    const ask = (text: string) => words.measure(text, { items: [2, 3, 0], scores: [0.5, 0.4, 0.3] }, () => cosines);
    const first = ask('Name the capital city of Burkina Faso: Ouagadougou or Bamako?');
    ask('A man of 21 with a swollen knee');
    expect(ask('Name the capital city of Burkina Faso: Ouagadougou or Bamako?')).toEqual(first);
    expect(first[0]?.item).toBe(2);
  });
});

describe('a rewording by rule', () => {
  const question =
    'A 40-year-old woman presents with fatigue for the past 6 weeks. She denies fever. She takes lisinopril 20 mg. Which of the following is the most likely diagnosis?';

  it('is the same for the same seed, and keeps the numbers of what it keeps', () => {
    const made = reword(question, 'notes', new Random(3));
    expect(made).toBe(reword(question, 'notes', new Random(3)));
    expect(made).toContain('40-');
    expect(made).not.toBe(question);
  });

  it('leaves alone what is no vignette', () => {
    expect(reword('Drug causing gingival hyperplasia?', 'notes', new Random(3))).toBeNull();
  });
});

it('words that two wordings share are shown where they are rare or numbers', () => {
  expect(
    sharedRare('The patient was given phenytoin 300 mg in the night', 'Give phenytoin (300 mg) to the patient'),
  ).toEqual(['300', 'mg', 'phenytoin']);
});
