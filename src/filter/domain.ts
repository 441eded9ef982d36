import { z } from 'zod';
import { literal } from '../store/tables.js';
import { defineRule } from './rule.js';

/** What a label becomes where the cluster is uncertain and `classify.uncertain.then` is `drop`: no label that is kept. */
export const uncertainSuffix = ' (uncertain)';

/** The label of a cluster none of whose votes was valid. */
export const noLabel = '(no label)';

/** Keeps rows whose cluster was labelled with one of these domains; rows of groups that were not embedded keep theirs. */
export const domain = defineRule({
  key: 'domain',
  summary: 'the label of the cluster that the prompt lies in is one of these',
  options: z.strictObject({ keep: z.array(z.string().min(1)).min(1) }),
  bind: ({ keep }) => ({
    type: 'VARCHAR',
    value: { from: 'label' },
    test: {
      by: 'condition',
      sql: (column) => `coalesce(${column} IN (${keep.map(literal).join(', ')}), true)`,
    },
    describe: (value) => (value === null ? 'group was not embedded' : `label ${String(value)}`),
    requirement: () => keep.join(', '),
    flip: (value, passes) => {
      if (typeof value !== 'string' || value === '' || value === noLabel || value.endsWith(uncertainSuffix))
        return null;
      if (!passes) return { option: 'keep', to: [...keep, value] };
      return keep.length === 1 ? null : { option: 'keep', to: keep.filter((label) => label !== value) };
    },
  }),
});
