import { z } from 'zod';
import { defineRule } from './rule.js';

/** Keeps rows for which an SQL expression over the row's own columns is true; null is not true. */
export const where = defineRule({
  key: 'where',
  summary: 'this SQL expression over the columns of the row and metadata.<key> is true',
  options: z.string().trim().min(1),
  bind: (expression) => ({
    type: 'BOOLEAN',
    value: { from: 'expression', expression },
    test: { by: 'condition', sql: (column) => column },
    describe: (value) => (value === true ? 'true' : 'not true'),
    requirement: () => expression,
  }),
});
