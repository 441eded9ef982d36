import type { z } from 'zod';
import { type Cell, literal } from '../store/tables.js';

/** Where a rule's value comes from. The threshold is applied beside it, so that another threshold needs no new value. */
export type RuleValue =
  /** An SQL expression over the narrow columns of `rows`. */
  | { from: 'rows'; sql: string }
  /** The label of the row's cluster: null for a row whose group was not embedded. */
  | { from: 'label' }
  /** What a person wrote: SQL over all columns of `rows`, checked before it runs. */
  | { from: 'expression'; expression: string }
  /** A measure of the text itself, for which the rows' text is read once. Equal names, equal measures. */
  | {
      from: 'text';
      name: string;
      columns: readonly TextColumn[];
      measure(texts: readonly (string | null)[]): number | boolean;
    };

export type TextColumn = 'prompt' | 'reasoning' | 'answer';

/** A limit as written, or the percentile of the run's own values that becomes one. */
export type Limit = number | { percentile: number };

/** How a value is judged: a number against a limit, or by an SQL condition that is never null. */
export type RuleTest =
  | { by: 'limit'; passes: '>' | '<' | '<='; limit: Limit; option: string }
  | { by: 'condition'; sql(column: string): string };

/** A rule with its options: what one column of `verdicts/filter` says. */
export interface BoundRule {
  /** The YAML key, and the name of the column of verdicts. */
  key: string;
  /** What is wrong with a row that fails. */
  reason: string;
  type: 'INTEGER' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN';
  value: RuleValue;
  test: RuleTest;
  /** The value in words: `48 "Wait" in the trace`. */
  describe(value: Cell): string;
  /** What passes, in words: `at most 47`. `limit` is the number in force where the test has one. */
  requirement(limit: number | null): string;
  /** The smallest change of one option ('' for the rule itself) that turns the verdict on a row of this value; else null. */
  flip(value: Cell, passes: boolean): { option: string; to: Cell } | null;
}

export interface Rule<Options> {
  key: string;
  /** One sentence for docs and help. */
  summary: string;
  options: z.ZodType<Options, unknown>;
  /** null: the options switch the rule off. */
  bind(options: unknown): BoundRule | null;
}

type BoundParts = Omit<BoundRule, 'key' | 'reason' | 'flip'> & Partial<Pick<BoundRule, 'flip'>>;

/** One rule: a file that calls this, and a line in registry.ts. */
export function defineRule<Options>(rule: {
  key: string;
  /** Only where it is not the key. */
  reason?: string;
  summary: string;
  options: z.ZodType<Options, unknown>;
  bind(options: Options): BoundParts | null;
}): Rule<Options> {
  return {
    key: rule.key,
    summary: rule.summary,
    options: rule.options,
    bind(options) {
      const parts = rule.bind(rule.options.parse(options));
      if (parts === null) return null;
      const { test } = parts;
      const flip = parts.flip ?? (test.by === 'limit' ? flipLimit(test, parts.type) : () => null);
      return { key: rule.key, reason: rule.reason ?? rule.key, ...parts, flip };
    },
  };
}

/** The column of `verdicts/filter` with a rule's value; a BOOLEAN rule has none, as its verdict is its value. */
export function valueColumn(rule: BoundRule): string | null {
  return rule.type === 'BOOLEAN' ? null : `${rule.key}_value`;
}

/** A condition that holds where a VARCHAR column is one of the values; null holds only with `missing: keep`. */
export function isOneOf(column: string, values: readonly string[], missing: 'keep' | 'drop'): string {
  return `coalesce(${column} IN (${values.map(literal).join(', ')}), ${missing === 'keep'})`;
}

/** An integer column of `rows` in which null counts as 0, or the sum of two. */
export function countOf(...columns: string[]): string {
  return columns.map((column) => `coalesce(${column}, 0)`).join(' + ');
}

function flipLimit(test: RuleTest & { by: 'limit' }, type: BoundRule['type']): BoundRule['flip'] {
  return (value, passes) => {
    if (typeof value !== 'number') return null;
    const at = (to: number) => (to < 0 ? null : { option: test.option, to });
    if (test.passes === '<=') return passes ? (type === 'INTEGER' ? at(value - 1) : null) : at(value);
    if (type !== 'INTEGER') return null;
    if (passes) return at(value);
    return at(test.passes === '>' ? value - 1 : value + 1);
  };
}
