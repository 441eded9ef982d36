import { z } from 'zod';
import type { StageContext } from '../pipeline/stage.js';
import { formatNumber } from '../text/number.js';
import type { StageFile } from './run-facts.js';

const number = (value: unknown) => (typeof value === 'number' ? formatNumber(value) : String(value));

const limit = z.looseObject({
  more_than: z.number().nullish(),
  less_than: z.number().nullish(),
  at_most: z.number().nullish(),
});

const limitOf = (rule: z.output<typeof limit>) => rule.more_than ?? rule.less_than ?? rule.at_most;

const ruleOptions = z.looseObject({
  keep: z.array(z.string()).optional(),
  allow: z.array(z.string()).optional(),
  more_than: z.number().optional(),
  less_than: z.number().optional(),
  at_most: z.number().optional(),
  percentile: z.number().optional(),
  of: z.string().optional(),
});

/** What a reason means, as a sentence about the rows that left. `filter` is the finished account of that stage. */
export function reasonSentence(
  reason: string,
  stage: 'filter' | 'decontam',
  options: StageContext['options'],
  filter: StageFile | null,
): string {
  if (stage === 'decontam') return methodSentence(reason);
  const key = reason === 'incomplete' ? 'complete' : reason;
  const rule = ruleOptionsOf(options, key) ?? {};
  switch (key) {
    case 'domain':
      return `the cluster of the prompt is not labelled ${(rule.keep ?? []).join(' or ')}`;
    case 'complete':
      return 'the generation never finished: no closed reasoning with an answer after it';
    case 'prompt_words':
      return `the prompt has ${number(rule.more_than)} words or fewer`;
    case 'trace_words':
      return `the ${rule.of ?? 'trace'} has ${number(rule.less_than)} words or more`;
    case 'wait_count': {
      const most = thresholdOf(options, filter, key);
      const how = rule.percentile === undefined ? '' : ` (percentile ${rule.percentile} of this run)`;
      return `the ${rule.of ?? 'trace'} says “Wait” more than ${most === null ? 'allowed' : number(most)} times${how}`;
    }
    default:
      return `fails the rule ${key}`;
  }
}

/** The options of a rule of the filter as far as sentences and pictures need them; null where it is not set. */
export function ruleOptionsOf(options: StageContext['options'], key: string): z.output<typeof ruleOptions> | null {
  const all = z.looseObject({}).safeParse(options.filter).data ?? {};
  return ruleOptions.safeParse(all[key]).data ?? null;
}

/** The number in force for a numeric rule: as written, or as the run's percentile came out. */
export function thresholdOf(options: StageContext['options'], filter: StageFile | null, rule: string): number | null {
  const written = ruleOptionsOf(options, rule);
  if (written === null) return null;
  const inForce = limit.safeParse(filter?.report.figures[rule]).data ?? {};
  return limitOf(written) ?? limitOf(inForce) ?? null;
}

/** How prompts were labelled, in words that never claim more than was done. */
export function labelerSentence(options: StageContext['options']): string | null {
  if (options.classify === undefined) return null;
  const parsed = z.looseObject({ labeler: z.string().optional(), model: z.string().nullish() }).parse(options.classify);
  return parsed.labeler === 'embedded'
    ? 'the embedded labeler (similarity of the sentence vectors to described prototypes of each domain; no language model read the prompts)'
    : `votes of a language model${typeof parsed.model === 'string' ? ` (${parsed.model})` : ''} on the prompts nearest each cluster’s centre`;
}

// ---------------------------------------------------------------------------------------------------------------------

function methodSentence(method: string): string {
  const ngram = /^ngram_(\d+)$/.exec(method);
  if (ngram !== null) return `the prompt shares a run of ${ngram[1]} words with a benchmark item`;
  const fuzzy = /^fuzzy_([\d.]+)$/.exec(method);
  if (fuzzy !== null) return `the prompt is at least ${fuzzy[1]} % the same text as a benchmark question`;
  if (method === 'strict')
    return 'the prompt holds a benchmark item in another form (options, case, typography, typos, cuts)';
  if (method === 'reworded') return 'the prompt is a benchmark item in other words';
  return `the decontamination method ${method} found a benchmark item`;
}
