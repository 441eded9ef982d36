import type { Directions } from './labelers/embedded.js';

/** Vectors with the place of the label that each has, one after another. */
export interface LabelledVectors {
  vectors: Float32Array;
  labels: readonly number[];
}

/** How sharp the prototypes' cosines are before anything is learnt; how strongly what is learnt is held to them. */
const sharpness = 12;
const restraint = 0.0005;
const steps = 250;

/**
 * Directions fitted to labelled vectors: multinomial logistic regression that is drawn back to the prototypes' directions
 * instead of to zero, so that a label with few examples keeps what its prototypes say. Every label weighs the
 * same, however many examples it has. Plain accelerated descent with a fixed number of steps: the same numbers on every run.
 */
export function fitDirections(prototypes: Directions, examples: LabelledVectors): Directions {
  const { dimensions } = prototypes;
  const labelCount = prototypes.bias.length;
  const width = dimensions + 1;
  const start = new Float64Array(labelCount * width);
  for (let label = 0; label < labelCount; label += 1) {
    for (let at = 0; at < dimensions; at += 1) {
      start[label * width + at] = sharpness * (prototypes.weights[label * dimensions + at] ?? 0);
    }
  }
  const importance = weightsOf(examples.labels, labelCount);
  let now = Float64Array.from(start);
  let before = Float64Array.from(start);
  for (let step = 1; step <= steps; step += 1) {
    const momentum = (step - 1) / (step + 2);
    const ahead = now.map((value, at) => value + momentum * (value - (before[at] ?? 0)));
    const slope = gradient(ahead, start, examples, importance, dimensions, labelCount);
    before = now;
    // The mean cross-entropy of unit vectors (and a one for the offset) curves by at most 1, so a step of 1 is safe.
    now = ahead.map((value, at) => value - (slope[at] ?? 0));
  }
  const weights = new Float32Array(labelCount * dimensions);
  const bias = new Float32Array(labelCount);
  for (let label = 0; label < labelCount; label += 1) {
    weights.set(now.subarray(label * width, label * width + dimensions), label * dimensions);
    bias[label] = now[label * width + dimensions] ?? 0;
  }
  return { dimensions, weights, bias };
}

// -- private

function weightsOf(labels: readonly number[], labelCount: number): Float64Array {
  const counts = new Float64Array(labelCount);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const each = Float64Array.from(labels, (label) => 1 / (counts[label] ?? 1));
  const total = each.reduce((sum, value) => sum + value, 0);
  return each.map((value) => value / total);
}

function gradient(
  at: Float64Array,
  start: Float64Array,
  { vectors, labels }: LabelledVectors,
  importance: Float64Array,
  dimensions: number,
  labelCount: number,
): Float64Array {
  const width = dimensions + 1;
  const slope = at.map((value, place) => restraint * (value - (start[place] ?? 0)));
  const likelihood = new Float64Array(labelCount);
  for (let row = 0; row < labels.length; row += 1) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    softmax(at, vector, likelihood, width);
    for (let label = 0; label < labelCount; label += 1) {
      const error = (importance[row] ?? 0) * ((likelihood[label] ?? 0) - (labels[row] === label ? 1 : 0));
      if (Math.abs(error) < 1e-9) continue;
      const offset = label * width;
      for (let place = 0; place < dimensions; place += 1) {
        slope[offset + place] = (slope[offset + place] ?? 0) + error * (vector[place] ?? 0);
      }
      slope[offset + dimensions] = (slope[offset + dimensions] ?? 0) + error;
    }
  }
  return slope;
}

function softmax(at: Float64Array, vector: Float32Array, likelihood: Float64Array, width: number): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let label = 0; label < likelihood.length; label += 1) {
    const offset = label * width;
    let score = at[offset + width - 1] ?? 0;
    for (let place = 0; place < width - 1; place += 1) score += (at[offset + place] ?? 0) * (vector[place] ?? 0);
    likelihood[label] = score;
    highest = Math.max(highest, score);
  }
  let sum = 0;
  for (let label = 0; label < likelihood.length; label += 1) {
    const value = Math.exp((likelihood[label] ?? 0) - highest);
    likelihood[label] = value;
    sum += value;
  }
  for (let label = 0; label < likelihood.length; label += 1) likelihood[label] = (likelihood[label] ?? 0) / sum;
}
