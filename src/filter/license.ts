import { z } from 'zod';
import { defineRule, isOneOf } from './rule.js';

/** Keeps rows under these licences, compared without case and outer spaces (`Apache-2.0` is `apache-2.0`). */
export const license = defineRule({
  key: 'license',
  summary: 'the licence of the row is one of these',
  options: z.strictObject({
    allow: z.array(z.string().min(1)).min(1),
    /** What becomes of rows whose source states no licence. */
    missing: z.enum(['drop', 'keep']).default('drop'),
  }),
  bind: ({ allow, missing }) => ({
    type: 'VARCHAR',
    value: { from: 'rows', sql: "nullif(lower(trim(license)), '')" },
    test: {
      by: 'condition',
      sql: (column) =>
        isOneOf(
          column,
          allow.map((each) => each.trim().toLowerCase()),
          missing,
        ),
    },
    describe: (value) => (value === null ? 'no licence stated' : `licence ${String(value)}`),
    requirement: () => `${allow.join(', ')}${missing === 'keep' ? ' or none stated' : ''}`,
    flip: (value, passes) =>
      passes
        ? null
        : typeof value === 'string'
          ? { option: 'allow', to: [...allow, value] }
          : { option: 'missing', to: 'keep' },
  }),
});
