import { z } from 'zod';
import { defineRule, isOneOf } from './rule.js';

/** Keeps rows in these languages, as ingest found them in the prompt (`en`, `zh`, also `code` and `mixed`). */
export const language = defineRule({
  key: 'language',
  summary: 'the language of the row is one of these',
  options: z.strictObject({
    keep: z.array(z.string().min(1)).min(1),
    /** What becomes of rows of no known language. */
    missing: z.enum(['drop', 'keep']).default('drop'),
  }),
  bind: ({ keep, missing }) => ({
    type: 'VARCHAR',
    value: { from: 'rows', sql: "nullif(lower(language), '')" },
    test: {
      by: 'condition',
      sql: (column) =>
        isOneOf(
          column,
          keep.map((each) => each.toLowerCase()),
          missing,
        ),
    },
    describe: (value) => (value === null ? 'language unknown' : `language ${String(value)}`),
    requirement: () => `${keep.join(', ')}${missing === 'keep' ? ' or unknown' : ''}`,
    flip: (value, passes) =>
      passes
        ? null
        : typeof value === 'string'
          ? { option: 'keep', to: [...keep, value] }
          : { option: 'missing', to: 'keep' },
  }),
});
