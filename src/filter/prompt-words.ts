import { z } from 'zod';
import { countOf, defineRule } from './rule.js';

/** Keeps rows whose prompt has more than so many words. */
export const promptWords = defineRule({
  key: 'prompt_words',
  summary: 'the prompt has more words than this',
  options: z.strictObject({
    more_than: z.int().min(0).default(3),
    // Read literally the card's rule deletes unspaced scripts: 93 % of real Chinese prompts have at most 3 "words".
    words: z.enum(['segmented', 'literal']).default('segmented'),
  }),
  bind: ({ more_than, words }) => ({
    type: 'INTEGER',
    value: { from: 'rows', sql: countOf(words === 'segmented' ? 'prompt_words_segmented' : 'prompt_words') },
    test: { by: 'limit', passes: '>', limit: more_than, option: 'more_than' },
    describe: (value) => `${String(value)} ${value === 1 ? 'word' : 'words'} in the prompt (${words})`,
    requirement: (limit) => `more than ${limit}`,
  }),
});
