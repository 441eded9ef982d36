import { z } from 'zod';
import { boxed } from './boxed.js';
import { complete } from './complete.js';
import { domain } from './domain.js';
import { language } from './language.js';
import { license } from './license.js';
import { loops } from './loops.js';
import { promptWords } from './prompt-words.js';
import type { BoundRule, Rule } from './rule.js';
import { traceWords } from './trace-words.js';
import { waitCount } from './wait-count.js';
import { where } from './where.js';

/** Every rule by its YAML key. The card's five count first, in this order; the others as the pipeline lists them. */
export const rules = {
  domain,
  complete,
  prompt_words: promptWords,
  trace_words: traceWords,
  wait_count: waitCount,
  language,
  license,
  loops,
  boxed,
  where,
} satisfies Record<string, Rule<never> | Rule<unknown>>;

export type RuleKey = keyof typeof rules;

type OptionsOf<R> = R extends Rule<infer Options> ? Options : never;

export type FilterOptions = { [Key in RuleKey]?: OptionsOf<(typeof rules)[Key]> | undefined } & {
  order?: RuleKey[] | undefined;
};

const cardOrder: readonly string[] = ['domain', 'complete', 'prompt_words', 'trace_words', 'wait_count'];
const ruleKeys = Object.keys(rules) as RuleKey[];

const shape = Object.fromEntries(ruleKeys.map((key) => [key, rules[key].options.optional()])) as {
  [Key in RuleKey]: z.ZodOptional<(typeof rules)[Key]['options']>;
};

/** `filter:` of a pipeline. `order` is filled in from the order of the keys, as parsing would otherwise forget it. */
export const filterOptions: z.ZodType<FilterOptions, unknown> = z.preprocess(
  (spec) => {
    if (spec === null || typeof spec !== 'object' || Array.isArray(spec) || 'order' in spec) return spec;
    const order = Object.keys(spec).filter((key) => key in rules && !cardOrder.includes(key));
    return order.length === 0 ? spec : { ...spec, order };
  },
  z.strictObject({ ...shape, order: z.array(z.enum(ruleKeys as [RuleKey, ...RuleKey[]])).optional() }),
);

/** The rules that the options switch on, in the order in which reasons are tried. */
export function boundRules(options: FilterOptions): BoundRule[] {
  const listed = options.order ?? [];
  const keys = [...new Set([...cardOrder, ...listed, ...ruleKeys])] as RuleKey[];
  return keys.flatMap((key) => {
    const spec = options[key];
    const rule = spec === undefined ? null : rules[key].bind(spec);
    return rule === null ? [] : [rule];
  });
}
