import { z } from 'zod';
import { repeatedShare } from './repeated-ngrams.js';
import { defineRule } from './rule.js';

/** Keeps rows whose trace does not go round in circles: the share of it that repeats what it said before is small. */
export const loops = defineRule({
  key: 'loops',
  summary: 'at most this share of the trace repeats earlier runs of words of the same trace',
  options: z.strictObject({
    at_most: z.number().min(0).max(1).default(0.5),
    /** Words in a row that must recur to count as repeated. */
    ngram: z.int().min(2).max(100).default(10),
    of: z.enum(['trace', 'reasoning']).default('trace'),
  }),
  bind: ({ at_most, ngram, of }) => ({
    type: 'DOUBLE',
    value: {
      from: 'text',
      name: `repeated ${ngram}-grams of ${of}`,
      columns: of === 'trace' ? ['reasoning', 'answer'] : ['reasoning'],
      measure: (texts) => repeatedShare(texts.filter((text) => text !== null).join('\n'), ngram),
    },
    test: { by: 'limit', passes: '<=', limit: at_most, option: 'at_most' },
    describe: (value) => `${percent(value)} of the ${of} repeats earlier ${ngram}-word runs of it`,
    requirement: (limit) => `at most ${percent(limit)}`,
  }),
});

function percent(share: unknown): string {
  return `${(Number(share) * 100).toFixed(1)} %`;
}
