import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { embedTexts } from '../../compute/embedder.js';
import { Problem } from '../../problem.js';
import { type KernelRidge, likeliestByExamples } from '../kernel-ridge.js';
import type { LabelSet } from '../label-set.js';

/**
 * The labeler that needs no endpoint: a label's direction is the mean of its prototypes' vectors; where a calibration
 * ships beside the labels, closeness to the prototypes and the examples that it was fitted on takes their place.
 */
export interface EmbeddedLabeler {
  /** What the lock and the reports call it. */
  description: 'prototypes' | 'prototypes, calibrated';
  /** The place of the likeliest label of each vector; where two are equal, the earlier label. */
  classify(vectors: Float32Array): number[];
}

/** Label directions and offsets: label after label, in the order of the label set. */
export interface Directions {
  dimensions: number;
  weights: Float32Array;
  bias: Float32Array;
}

const calibrationFile = z.object({
  labels: z.string(),
  model: z.string(),
  dimensions: z.int(),
  sharpness: z.number(),
  /** Signed bytes, base64. */
  examples: z.string(),
  scale: z.number(),
  /** Float32, little-endian, base64. */
  weights: z.string(),
  bias: z.array(z.number()),
});

export async function openEmbeddedLabeler(
  set: LabelSet,
  model: string,
  compute: 'native' | 'portable',
): Promise<EmbeddedLabeler> {
  if (set.calibrationFile !== null) {
    const ridge = readCalibration(set.calibrationFile, set, model);
    if (ridge !== null) {
      return { description: 'prototypes, calibrated', classify: (vectors) => likeliestByExamples(ridge, vectors) };
    }
  }
  const directions = await prototypeDirections(set, model, compute);
  return { description: 'prototypes', classify: (vectors) => likeliest(directions, vectors) };
}

/** The mean of each label's prototypes, of length 1: what a label set without calibration is judged by. */
export async function prototypeDirections(
  set: LabelSet,
  model: string,
  compute: 'native' | 'portable',
): Promise<Directions> {
  const texts = set.labels.map(prototypesOf);
  const vectors = await embedTexts(texts.flat(), { compute, model });
  const dimensions = vectors.length / texts.flat().length;
  const weights = new Float32Array(set.labels.length * dimensions);
  let row = 0;
  texts.forEach((each, label) => {
    const sum = new Float64Array(dimensions);
    for (const _ of each) {
      for (let at = 0; at < dimensions; at += 1) sum[at] = (sum[at] ?? 0) + (vectors[row * dimensions + at] ?? 0);
      row += 1;
    }
    const length = Math.hypot(...sum);
    weights.set(
      sum.map((value) => value / length),
      label * dimensions,
    );
  });
  return { dimensions, weights, bias: new Float32Array(set.labels.length) };
}

export function prototypesOf(label: LabelSet['labels'][number]): string[] {
  if (label.prototypes.length > 0) return label.prototypes;
  return [label.description === '' ? label.name : `${label.name}: ${label.description}`];
}

/** The likeliest label's place for each vector. Sums in a fixed order, in double precision. */
export function likeliest(directions: Directions, vectors: Float32Array): number[] {
  const { dimensions, weights, bias } = directions;
  const labels = bias.length;
  const result: number[] = [];
  for (let start = 0; start < vectors.length; start += dimensions) {
    let best = 0;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let label = 0; label < labels; label += 1) {
      let score = bias[label] ?? 0;
      const offset = label * dimensions;
      for (let at = 0; at < dimensions; at += 1) score += (weights[offset + at] ?? 0) * (vectors[start + at] ?? 0);
      if (score > bestScore) {
        best = label;
        bestScore = score;
      }
    }
    result.push(best);
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Null where it was fitted for another model: the prototypes then stand alone. */
function readCalibration(path: string, set: LabelSet, model: string): KernelRidge | null {
  const parsed = calibrationFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Problem('the calibration of the labels cannot be read', { where: path });
  const { labels, dimensions, sharpness, scale, bias } = parsed.data;
  if (labels !== set.fingerprint) {
    throw new Problem(`the calibration of ${set.name} was fitted for other labels`, {
      where: path,
      try: 'npm run bench -- domain --fit, or delete the calibration: the prototypes are then used alone',
    });
  }
  if (parsed.data.model !== model) return null;
  const examples = new Int8Array(Buffer.from(parsed.data.examples, 'base64'));
  const bytes = Buffer.from(parsed.data.weights, 'base64');
  const weights = new Float32Array(bytes.length / 4);
  for (let at = 0; at < weights.length; at += 1) weights[at] = bytes.readFloatLE(at * 4);
  if (bias.length !== set.labels.length || examples.length * bias.length !== weights.length * dimensions) {
    throw new Problem('the calibration of the labels has the wrong size', { where: path });
  }
  return { dimensions, sharpness, examples, scale, weights, bias };
}
