import type { Took } from '../llm/asker.js';
import { BudgetReached } from '../llm/spending.js';
import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import type { Exemplars } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import type { ClassifyOptions } from './options.js';
import { type PromptAsker, withPromptAsker } from './prompt-asker.js';
import { type ClusterVotes, nextRound } from './rounds.js';
import type { Vote } from './vote-table.js';
import type { VoteRule } from './votes.js';

/** Asks until every cluster is settled. Throws a Problem where the budget ends before, with everything kept. */
export async function askVotes(
  set: LabelSet,
  exemplars: Exemplars,
  rule: VoteRule,
  options: ClassifyOptions,
  context: StageContext,
): Promise<{ votes: ClusterVotes; took: Took }> {
  const { endpoint = '', key, model = '' } = options;
  return withPromptAsker(
    { option: 'classify.endpoint', endpoint, key, model },
    set,
    options,
    context,
    async (asker) => {
      const votes: ClusterVotes = [];
      for (;;) {
        const plan = nextRound(exemplars, votes, asker.known, rule);
        if (plan.places.length === 0) return { votes, took: asker.took() };
        try {
          await asker.ask(exemplars, plan.places);
        } catch (error) {
          if (!(error instanceof BudgetReached)) throw error;
          const left = nextRound(exemplars, votes, asker.known, rule);
          throw outOfBudget(
            error,
            asker,
            `${left.clusters} of ${exemplars.clusters.length} clusters are not settled and need at least ${left.places.length} more votes`,
          );
        }
      }
    },
  );
}

/** What a person reads when a cap of the budget comes before the end. */
export function outOfBudget(reached: BudgetReached, asker: PromptAsker, left: string): Problem {
  const { calls, inputTokens, outputTokens, money } = asker.took().spent;
  const paid = money === null ? '' : `, ${money.toFixed(4)} in money`;
  return new Problem('the budget for labelling clusters is used up', {
    where: `classify.${reached.message}`,
    found: `${calls} calls, ${inputTokens + outputTokens} tokens${paid}; ${left}`,
    try: 'a higher budget: every vote is kept, and the same command goes on from there',
  });
}

/** The run's votes as lines, cluster after cluster. */
export function* voteLines(exemplars: Exemplars, votes: ClusterVotes, by: string): Generator<Vote> {
  for (let cluster = 0; cluster < exemplars.clusters.length; cluster += 1) {
    const start = exemplars.starts[cluster] ?? 0;
    for (const [index, label] of (votes[cluster] ?? []).entries()) {
      yield {
        cluster_id: exemplars.clusters[cluster] ?? -1,
        rank: index + 1,
        prompt_key: exemplars.keys[start + index] ?? '',
        label,
        by,
      };
    }
  }
}
