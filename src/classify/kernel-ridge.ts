/** Vectors with the place of the label that each has, one after another. */
export interface LabelledVectors {
  vectors: Float32Array;
  labels: readonly number[];
}

/**
 * What examples say of a vector: each speaks for or against each label, the louder the closer it lies. A label's score is
 * `bias + sum over examples of weight * exp(2 * sharpness * (cosine - 1))`.
 */
export interface KernelRidge {
  dimensions: number;
  sharpness: number;
  /** Vectors of examples, one after another; a component is `scale` times its byte. */
  examples: Int8Array;
  scale: number;
  /** Example after example, a weight for each label. */
  weights: Float32Array;
  bias: readonly number[];
}

/** How fast an example's voice fades with distance; how little is believed of a single example. */
const sharpness = 1;
const restraint = 1;
const steps = 3_000;

/**
 * Ridge regression of label indicators on closeness to the examples (an RBF kernel), each label weighing the same however
 * many examples it has. Its outputs become scores by what it says of examples that it has not seen: leave-one-out outputs in
 * closed form, then multinomial logistic regression with one slope and an offset for each label. So a vector that is like
 * no example goes to a label that is hard to tell by its examples, not to the one that has most of them.
 */
export function fitKernelRidge(labelCount: number, dimensions: number, given: LabelledVectors): KernelRidge {
  const { labels } = given;
  const { examples, scale } = toBytes(given.vectors);
  const importance = weightsOf(labels, labelCount);
  const model = { dimensions, sharpness, examples, scale };
  const system = new Float64Array(labels.length * labels.length);
  eachCloseness(
    model,
    Float32Array.from(examples, (byte) => byte * scale),
    (row, near) => {
      near[row] = (near[row] ?? 0) + restraint / (importance[row] ?? 1);
      system.set(near, row * labels.length);
    },
  );
  const { solution, inverseDiagonal } = solve(system, indicators(labels, labelCount), labelCount);
  const unseen = indicators(labels, labelCount).map(
    (target, at) => target - (solution[at] ?? 0) / (inverseDiagonal[Math.floor(at / labelCount)] ?? 1),
  );
  const { slope, offsets } = scaling(unseen, labels, importance, labelCount);
  return {
    ...model,
    weights: Float32Array.from(solution, (value) => slope * value),
    bias: Array.from(offsets, (value) => Number(value.toFixed(6))),
  };
}

/** The likeliest label's place for each vector, the earlier of equals. Sums in a fixed order, in double precision. */
export function likeliestByExamples(model: KernelRidge, vectors: Float32Array): number[] {
  const { weights, bias } = model;
  const labels = bias.length;
  const result: number[] = [];
  const scores = new Float64Array(labels);
  eachCloseness(model, vectors, (_, near) => {
    scores.set(bias);
    for (let example = 0; example < near.length; example += 1) {
      const value = near[example] ?? 0;
      for (let label = 0; label < labels; label += 1) {
        scores[label] = (scores[label] ?? 0) + value * (weights[example * labels + label] ?? 0);
      }
    }
    let best = 0;
    for (let label = 1; label < labels; label += 1) if ((scores[label] ?? 0) > (scores[best] ?? 0)) best = label;
    result.push(best);
  });
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Calls `hear` with each vector's closeness to every example; the array is used again for a later vector. */
function eachCloseness(
  { dimensions, sharpness, examples, scale }: Pick<KernelRidge, 'dimensions' | 'sharpness' | 'examples' | 'scale'>,
  vectors: Float32Array,
  hear: (row: number, near: Float64Array) => void,
): void {
  const count = examples.length / dimensions;
  // Four vectors at once, so that an example's components are read once for all of them: three times as fast.
  const block = new Float32Array(4 * dimensions);
  const [first, second, third, fourth] = [0, 1, 2, 3].map((at) =>
    block.subarray(at * dimensions, (at + 1) * dimensions),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const near = [0, 1, 2, 3].map(() => new Float64Array(count)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const loud = (product: number) => Math.exp(2 * sharpness * (product * scale - 1));
  for (let start = 0; start < vectors.length; start += block.length) {
    const part = vectors.subarray(start, start + block.length);
    block.fill(0).set(part);
    for (let example = 0; example < count; example += 1) {
      const offset = example * dimensions;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let at = 0; at < dimensions; at += 1) {
        const value = examples[offset + at] ?? 0;
        a += value * (first[at] ?? 0);
        b += value * (second[at] ?? 0);
        c += value * (third[at] ?? 0);
        d += value * (fourth[at] ?? 0);
      }
      near[0][example] = loud(a);
      near[1][example] = loud(b);
      near[2][example] = loud(c);
      near[3][example] = loud(d);
    }
    near.slice(0, part.length / dimensions).forEach((each, place) => {
      hear(start / dimensions + place, each);
    });
  }
}

function toBytes(vectors: Float32Array): { examples: Int8Array; scale: number } {
  const scale = vectors.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  return { examples: Int8Array.from(vectors, (value) => Math.round(value / scale)), scale };
}

/** Of mean 1. */
function weightsOf(labels: readonly number[], labelCount: number): Float64Array {
  const counts = new Float64Array(labelCount);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const used = counts.filter((count) => count > 0).length;
  return Float64Array.from(labels, (label) => labels.length / used / (counts[label] ?? 1));
}

/** Row after row: 1 for the label that the row has, else 0, both less what a row of no known label has. */
function indicators(labels: readonly number[], labelCount: number): Float64Array {
  const result = new Float64Array(labels.length * labelCount).fill(-1 / labelCount);
  labels.forEach((label, row) => {
    result[row * labelCount + label] = 1 - 1 / labelCount;
  });
  return result;
}

/** Cholesky, in place: `system` is symmetric and positive definite, only its lower half is read. `targets` has `columns` columns. */
function solve(
  system: Float64Array,
  targets: Float64Array,
  columns: number,
): { solution: Float64Array; inverseDiagonal: Float64Array } {
  const size = targets.length / columns;
  const row = (matrix: Float64Array, at: number) => matrix.subarray(at * size, (at + 1) * size);
  for (let at = 0; at < size; at += 1) {
    const mine = row(system, at);
    for (let left = 0; left <= at; left += 1) {
      const other = row(system, left);
      let sum = mine[left] ?? 0;
      for (let k = 0; k < left; k += 1) sum -= (mine[k] ?? 0) * (other[k] ?? 0);
      mine[left] = left === at ? Math.sqrt(sum) : sum / (other[left] ?? 1);
    }
  }
  // Row `column` of `inverse` is that column of the factor's inverse, so that the innermost loops run along rows.
  const inverse = new Float64Array(size * size);
  const inverseDiagonal = new Float64Array(size);
  const half = new Float64Array(targets.length);
  for (let column = 0; column < size; column += 1) {
    const mine = row(inverse, column);
    for (let at = column; at < size; at += 1) {
      const factor = row(system, at);
      let sum = at === column ? 1 : 0;
      for (let k = column; k < at; k += 1) sum -= (factor[k] ?? 0) * (mine[k] ?? 0);
      const value = sum / (factor[at] ?? 1);
      mine[at] = value;
      inverseDiagonal[column] = (inverseDiagonal[column] ?? 0) + value * value;
      for (let to = 0; to < columns; to += 1) {
        half[at * columns + to] = (half[at * columns + to] ?? 0) + value * (targets[column * columns + to] ?? 0);
      }
    }
  }
  const solution = new Float64Array(targets.length);
  for (let column = 0; column < size; column += 1) {
    const mine = row(inverse, column);
    for (let at = column; at < size; at += 1) {
      for (let to = 0; to < columns; to += 1) {
        solution[column * columns + to] =
          (solution[column * columns + to] ?? 0) + (mine[at] ?? 0) * (half[at * columns + to] ?? 0);
      }
    }
  }
  return { solution, inverseDiagonal };
}

/** Slope and offsets under which the softmax of outputs fits the labels best: plain descent with a fixed number of steps. */
function scaling(
  outputs: Float64Array,
  labels: readonly number[],
  importance: Float64Array,
  labelCount: number,
): { slope: number; offsets: Float64Array } {
  let slope = 5;
  const offsets = new Float64Array(labelCount);
  const likelihood = new Float64Array(labelCount);
  for (let step = 0; step < steps; step += 1) {
    let slopeError = 0;
    const errors = new Float64Array(labelCount);
    for (let row = 0; row < labels.length; row += 1) {
      const own = outputs.subarray(row * labelCount, (row + 1) * labelCount);
      softmax(own, slope, offsets, likelihood);
      for (let label = 0; label < labelCount; label += 1) {
        const error =
          ((importance[row] ?? 0) / labels.length) * ((likelihood[label] ?? 0) - (labels[row] === label ? 1 : 0));
        slopeError += error * (own[label] ?? 0);
        errors[label] = (errors[label] ?? 0) + error;
      }
    }
    slope -= 20 * slopeError;
    errors.forEach((error, label) => {
      offsets[label] = (offsets[label] ?? 0) - 2 * error;
    });
  }
  return { slope, offsets };
}

function softmax(outputs: Float64Array, slope: number, offsets: Float64Array, likelihood: Float64Array): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let label = 0; label < outputs.length; label += 1) {
    const score = slope * (outputs[label] ?? 0) + (offsets[label] ?? 0);
    likelihood[label] = score;
    highest = Math.max(highest, score);
  }
  let sum = 0;
  for (let label = 0; label < outputs.length; label += 1) {
    const value = Math.exp((likelihood[label] ?? 0) - highest);
    likelihood[label] = value;
    sum += value;
  }
  for (let label = 0; label < outputs.length; label += 1) likelihood[label] = (likelihood[label] ?? 0) / sum;
}
