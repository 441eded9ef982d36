import { z } from 'zod';
import { defineRule } from './rule.js';

/** Keeps rows whose generation ended: both a reasoning and an answer, as ingest decided by the source's own shape. */
export const complete = defineRule({
  key: 'complete',
  reason: 'incomplete',
  summary: 'the generation ended: a reasoning that was closed and an answer after it',
  options: z.boolean(),
  bind: (wanted) =>
    wanted
      ? {
          type: 'BOOLEAN',
          value: { from: 'rows', sql: 'coalesce(complete, false)' },
          test: { by: 'condition', sql: (column) => column },
          describe: (value) => (value === true ? 'complete' : 'incomplete'),
          requirement: () => 'complete',
          flip: (_, passes) => (passes ? null : { option: '', to: false }),
        }
      : null,
});
