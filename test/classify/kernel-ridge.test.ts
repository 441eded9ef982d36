import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitKernelRidge, type KernelRidge, likeliestByExamples } from '../../src/classify/kernel-ridge.js';

const dimensions = 6;

function unit(values: readonly number[]): number[] {
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}

const direction = fc
  .array(fc.integer({ min: -9, max: 9 }), { minLength: dimensions, maxLength: dimensions })
  .filter((values) => values.some((value) => value !== 0))
  .map(unit);

const examplesOfThree = fc
  .array(direction, { minLength: 6, maxLength: 14 })
  .map((vectors) => ({ vectors: Float32Array.from(vectors.flat()), labels: vectors.map((_, at) => at % 3) }));

/** The examples' bytes as the numbers they stand for, row by row. */
function rowsOf({ examples, scale }: KernelRidge): number[][] {
  return Array.from({ length: examples.length / dimensions }, (_, row) =>
    Array.from(examples.subarray(row * dimensions, (row + 1) * dimensions), (byte) => byte * scale),
  );
}

function kernel(model: KernelRidge, a: readonly number[], b: readonly number[]): number {
  return Math.exp(2 * model.sharpness * (a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) - 1));
}

/** Solves by elimination with row exchange: an independent way to the same weights. */
function eliminate(system: number[][], targets: number[][]): number[][] {
  const rows = system.map((row, at) => [...row, ...(targets[at] ?? [])]);
  const size = rows.length;
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < size; pivot += 1) {
    let best = pivot;
    for (let row = pivot; row < size; row += 1) if (Math.abs(at(row, pivot)) > Math.abs(at(best, pivot))) best = row;
    const [upper = [], lower = []] = [rows[best], rows[pivot]];
    rows[pivot] = upper;
    if (best !== pivot) rows[best] = lower;
    rows.forEach((row, place) => {
      if (place === pivot) return;
      const factor = (row[pivot] ?? 0) / at(pivot, pivot);
      rows[place] = row.map((value, column) => value - factor * at(pivot, column));
    });
  }
  return rows.map((row, place) => row.slice(size).map((value) => value / at(place, place)));
}

function naive(model: KernelRidge, rows: number[][], labels: readonly number[], importance: number[]): number[][] {
  const system = rows.map((a, i) => rows.map((b, j) => kernel(model, a, b) + (i === j ? 1 / (importance[i] ?? 1) : 0)));
  return eliminate(
    system,
    labels.map((label) => [0, 1, 2].map((each) => (each === label ? 2 / 3 : -1 / 3))),
  );
}

function importanceOf(labels: readonly number[]): number[] {
  return labels.map((label) => labels.length / 3 / labels.filter((each) => each === label).length);
}

describe('kernel ridge regression of labels', () => {
  it('finds the weights that elimination finds, up to the one slope that scales them', () => {
    fc.assert(
      fc.property(examplesOfThree, (given) => {
        const model = fitKernelRidge(3, dimensions, given);
        const expected = naive(model, rowsOf(model), given.labels, importanceOf(given.labels)).flat();
        const of = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
        const slope = of(model.weights) / of(expected);
        const sign = Math.sign(expected.reduce((sum, value, at) => sum + value * (model.weights[at] ?? 0), 0));
        expected.forEach((value, at) => {
          expect(model.weights[at]).toBeCloseTo(sign * slope * value, 4);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('chooses what the written formula scores highest, the earlier label where two are equal', () => {
    fc.assert(
      fc.property(examplesOfThree, direction, (given, asked) => {
        const model = fitKernelRidge(3, dimensions, given);
        const vector = Float32Array.from(asked);
        const scores = model.bias.map((bias, label) =>
          rowsOf(model).reduce(
            (sum, row, example) =>
              sum + (model.weights[example * 3 + label] ?? 0) * kernel(model, row, Array.from(vector)),
            bias,
          ),
        );
        const [chosen = -1] = likeliestByExamples(model, vector);
        expect(scores[chosen]).toBeCloseTo(Math.max(...scores), 9);
      }),
      { numRuns: 60 },
    );
    const flat = fitKernelRidge(2, 1, { vectors: Float32Array.of(1, 1), labels: [0, 1] });
    expect(likeliestByExamples({ ...flat, weights: new Float32Array(4), bias: [0, 0] }, Float32Array.of(1))).toEqual([
      0,
    ]);
  });

  it('keeps a vector that is like no example from the label that has most examples', () => {
    const near = (axis: number, aside: number) =>
      unit(Array.from({ length: dimensions }, (_, at) => (at === axis ? 5 : at === aside ? 1 : 0)));
    // Label 0: many examples, all alike. Label 1: few, all different.
    const tight = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5].map((aside) => near(0, aside));
    const loose = [near(1, 2), near(2, 3), near(3, 4)];
    const model = fitKernelRidge(2, dimensions, {
      vectors: Float32Array.from([...tight, ...loose].flat()),
      labels: [...tight.map(() => 0), ...loose.map(() => 1)],
    });
    const far = unit([-1, -1, -1, -1, -1, -1]);
    expect(likeliestByExamples(model, Float32Array.from([...near(0, 3), ...near(2, 1), ...far]))).toEqual([0, 1, 1]);
  });

  it('gives the same numbers again', () => {
    const given = {
      vectors: Float32Array.from([0, 1, 2, 3].flatMap((at) => unit([at, 1, 2 - at, 1, 0, at]))),
      labels: [0, 1, 0, 1],
    };
    expect(fitKernelRidge(2, dimensions, given)).toEqual(fitKernelRidge(2, dimensions, given));
  });
});
