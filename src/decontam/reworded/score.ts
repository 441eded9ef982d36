import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder } from '../../product.js';
import { featureNames } from './features.js';

/** A logistic regression over standardised features, as `scripts/fit-reworded.ts` writes it. */
const model = z.looseObject({
  features: z.array(z.string()),
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
  weight: z.array(z.number()),
  bias: z.number(),
});

export type Model = z.output<typeof model>;

export const modelPath = join(dataFolder, 'reworded', 'model.json');

/** The model that ships. */
export function shippedModel(): Model {
  const read = model.parse(JSON.parse(readFileSync(modelPath, 'utf8')));
  if (read.features.join() !== featureNames.join()) throw new Error(`${modelPath} was fitted on other features`);
  return read;
}

/** How probable it is, in percent, that the text is another wording of the candidate, where every second one is. */
export function scoreOf({ mean, deviation, weight, bias }: Model, values: readonly number[]): number {
  let sum = bias;
  values.forEach((value, index) => {
    sum += ((weight[index] as number) * (value - (mean[index] as number))) / (deviation[index] as number);
  });
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
