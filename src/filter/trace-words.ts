import { z } from 'zod';
import { countOf, defineRule } from './rule.js';

/** Keeps rows whose trace (reasoning and answer together) has fewer than so many words. */
export const traceWords = defineRule({
  key: 'trace_words',
  summary: 'the trace has fewer words than this',
  options: z.strictObject({
    less_than: z.int().min(1).default(7143),
    of: z.enum(['trace', 'reasoning']).default('trace'),
    words: z.enum(['literal', 'segmented']).default('literal'),
  }),
  bind: ({ less_than, of, words }) => {
    const ending = words === 'segmented' ? '_words_segmented' : '_words';
    const columns = of === 'trace' ? [`reasoning${ending}`, `answer${ending}`] : [`reasoning${ending}`];
    return {
      type: 'INTEGER',
      value: { from: 'rows', sql: countOf(...columns) },
      test: { by: 'limit', passes: '<', limit: less_than, option: 'less_than' },
      describe: (value) => `${String(value)} ${value === 1 ? 'word' : 'words'} in the ${of} (${words})`,
      requirement: (limit) => `fewer than ${limit}`,
    };
  },
});
