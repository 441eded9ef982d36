import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder } from '../../product.js';
import { featureNames } from './features.js';

/**
 * A logistic regression over standardised features, each as it is, times the length of the item's question, and once more
 * where that is a vignette rather than a sentence: what tells a short question from its look-alikes is another thing than
 * what tells a vignette. As `scripts/fit-reworded.ts` writes it.
 */
const model = z.looseObject({
  features: z.array(z.string()),
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
  /** Of the logarithm of the question's nats. */
  length: z.object({ mean: z.number(), deviation: z.number() }),
  /** Of the features, of the features times length, of those of vignettes, of length, and of being a vignette. */
  weight: z.array(z.number()),
  bias: z.number(),
});

export type Model = z.output<typeof model>;
/** What is known of a model before it is fitted. */
export type Standards = Pick<Model, 'features' | 'mean' | 'deviation' | 'length'>;

export const modelPath = join(dataFolder, 'reworded', 'model.json');

/** The model that ships. */
export function shippedModel(): Model {
  const read = model.parse(JSON.parse(readFileSync(modelPath, 'utf8')));
  if (read.features.join() !== featureNames.join()) throw new Error(`${modelPath} was fitted on other features`);
  return read;
}

/** What the regression weighs: standardised features within four deviations, the same times length, and those of vignettes. */
export function inputsOf({ mean, deviation, length }: Standards, values: readonly number[]): number[] {
  const plain = values.map((value, index) => {
    const standard = (value - (mean[index] as number)) / (deviation[index] as number);
    return Math.max(-mostDeviations, Math.min(mostDeviations, standard));
  });
  const own = lengthOf(values);
  const long = (own - length.mean) / length.deviation;
  const vignette = 1 / (1 + Math.exp((vignetteLength - own) / vignetteWidth));
  return [...plain, ...plain.map((value) => value * long), ...plain.map((value) => value * vignette), long, vignette];
}

/** The logarithm of the question's nats, without extremes. */
export function lengthOf(values: readonly number[]): number {
  return Math.max(2, Math.min(6, Math.log((values[itemNats] as number) + 5)));
}

/** How probable it is, in percent, that the text is another wording of the candidate, where every second one is. */
export function scoreOf(fitted: Model, values: readonly number[]): number {
  const sum = inputsOf(fitted, values).reduce(
    (total, value, index) => total + value * (fitted.weight[index] as number),
    fitted.bias,
  );
  return 100 / (1 + Math.exp(-sum));
}

/** The inverse: nats for and against. */
export function nats(score: number): number {
  return Math.log(score / (100 - score));
}

/** The score of so many nats. */
export function scoreAt(value: number): number {
  return 100 / (1 + Math.exp(-value));
}

// ---------------------------------------------------------------------------------------------------------------------

const mostDeviations = 4;
/** From this length on (some 130 nats) a question counts as a vignette, over a width of so much. */
const vignetteLength = 4.9;
const vignetteWidth = 0.15;
const itemNats = featureNames.indexOf('item_nats');
