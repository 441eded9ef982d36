import { readLabelSet } from './label-set.js';
import type { ClassifyOptions } from './options.js';
import { makeQuestion } from './question.js';
import { decide, leastFurther, ruleOf, standing } from './votes.js';

export interface ClassifyCost {
  calls: { least: number; expected: number; most: number };
  /** Of the expected calls. */
  tokens: { input: number; output: number };
  /** In the currency of `price`; null without one, or where no endpoint is asked. */
  money: number | null;
}

/** What prompts of the sources take on average, and how often exemplars of a cluster agree (measured: docs/classify.md). */
const promptTokens = 150;
const usualAgreement = 0.9;
const bytesPerToken = 4.2;

/** What labelling that many clusters takes, for a plan. Nothing where the labeler asks no endpoint. */
export function classifyCost(
  clusters: number,
  options: ClassifyOptions,
  resolve: (path: string) => string,
): ClassifyCost {
  if (options.labeler !== 'llm') {
    return { calls: { least: 0, expected: 0, most: 0 }, tokens: { input: 0, output: 0 }, money: null };
  }
  const rule = ruleOf(options);
  const question = makeQuestion(readLabelSet(options.labels, resolve), options.prompt_characters);
  const audited = options.audit?.judgements === undefined ? (options.audit?.rows ?? 0) : 0;
  const expected = Math.round(clusters * expectedVotes(options)) + audited;
  const fixed = question.messages('').reduce((sum, { content }) => sum + Buffer.byteLength(content), 0) / bytesPerToken;
  const tokens = { input: Math.round(expected * (fixed + promptTokens)), output: expected * 12 };
  return {
    calls: {
      least: clusters * leastFurther([], rule.nearest, rule.below) + audited,
      expected,
      // Each question may be asked once more, where an answer names no label.
      most: (clusters * Math.max(rule.nearest, rule.upTo) + audited) * 2,
    },
    tokens,
    money:
      options.price === undefined
        ? null
        : (tokens.input * options.price.input + tokens.output * options.price.output) / 1e6,
  };
}

// ---------------------------------------------------------------------------------------------------------------------

/** The mean number of votes until a cluster settles, over all ways in which its exemplars may agree or not. */
function expectedVotes(options: ClassifyOptions): number {
  const rule = { ...ruleOf(options), upTo: options.nearest };
  // Beyond that the ways are too many to walk through, and the share hardly changes any more.
  if (rule.nearest > 12) return expectedVotes({ ...options, nearest: 12 }) * (rule.nearest / 12);
  const walk = (votes: (string | null)[], likelihood: number): number => {
    const { further } = standing(votes, rule.nearest, rule);
    if (further === 0 || likelihood < 1e-6) return likelihood * votes.length;
    const dissent = `other ${votes.length}`;
    return (
      walk([...votes, 'own'], likelihood * usualAgreement) +
      walk([...votes, dissent], likelihood * (1 - usualAgreement))
    );
  };
  return decide([], rule.nearest, rule.below).settled ? 0 : walk([], 1);
}
