import { z } from 'zod';
import { countOf, defineRule } from './rule.js';

/** Keeps rows whose trace says "Wait" (counted like Python's `str.count`) no more often than a limit or a percentile. */
export const waitCount = defineRule({
  key: 'wait_count',
  summary: 'the trace says "Wait" at most this often',
  options: z
    .strictObject({
      at_most: z.int().min(0).optional(),
      /** Of all rows of the run that have such a text: the smallest count that so many per cent of them do not exceed. */
      percentile: z.number().gt(0).max(100).optional(),
      of: z.enum(['trace', 'reasoning']).default('trace'),
    })
    .refine((options) => (options.at_most === undefined) !== (options.percentile === undefined), {
      error: 'needs either at_most (the card: 47) or percentile, and not both',
    }),
  bind: ({ at_most, percentile, of }) => ({
    type: 'INTEGER',
    value: {
      from: 'rows',
      sql: of === 'trace' ? countOf('reasoning_waits', 'answer_waits') : countOf('reasoning_waits'),
    },
    test: { by: 'limit', passes: '<=', limit: at_most ?? { percentile: percentile ?? 100 }, option: 'at_most' },
    describe: (value) => `${String(value)} "Wait" in the ${of}`,
    requirement: (limit) =>
      percentile === undefined ? `at most ${limit}` : `at most ${limit} (percentile ${percentile} of this run)`,
  }),
});
