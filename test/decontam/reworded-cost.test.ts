import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { embeddingFlop } from '../../src/compute/graph.js';
import { decontamOptions } from '../../src/decontam/options.js';
import { rewordedCost } from '../../src/decontam/reworded/cost.js';
import { makeRun } from './run-folder.js';

test('a plan counts prompts that are not embedded anyway, and the product of all prompts with all items', async () => {
  const context = await makeRun([{ id: 'a', prompt: 'x' }], [1]);
  writeFileSync(
    context.resolve('bench.json'),
    JSON.stringify([{ question: 'Who?' }, { question: 'Why, and since when?' }]),
  );
  const cost = (prompts: number, embedded: number, preset = 'reworded') =>
    rewordedCost(
      { prompts, embedded, tokens: 100, workers: 2 },
      decontamOptions.parse({ benchmarks: ['bench.json'], presets: [preset] }),
      context,
    );
  const [none, half, twice] = [await cost(1_000, 1_000), await cost(1_000, 400), await cost(2_000, 2_000)];
  expect((half?.embedGflop ?? 0) - (none?.embedGflop ?? 0)).toBeCloseTo((600 * embeddingFlop(100)) / 1e9, 6);
  expect(none?.searchGflop).toBeCloseTo((1_000 * 2 * 384 * 2) / 1e9, 9);
  expect(twice?.searchGflop).toBeCloseTo(2 * (none?.searchGflop ?? 0), 9);
  expect(twice?.embedGflop).toBe(none?.embedGflop);
  expect(none?.memoryBytes).toBe(twice?.memoryBytes);
  expect(await cost(1_000, 0, 'strict')).toBeNull();
});
