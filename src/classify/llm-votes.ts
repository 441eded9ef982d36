import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { Endpoint, type EndpointSettings } from './endpoint.js';
import { type Exemplars, readTexts } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import { LlmLabeler } from './labelers/llm.js';
import { Ledger } from './ledger.js';
import type { ClassifyOptions } from './options.js';
import { makeQuestion } from './question.js';
import { type ClusterVotes, inParallel, nextRound } from './rounds.js';
import { BudgetReached, Spending, type Spent } from './spending.js';
import type { Vote } from './vote-table.js';
import type { VoteRule } from './votes.js';

/** What asking took: shown and never locked, as it depends on the server's moods and on what was known before. */
export interface Asking {
  spent: Spent;
  retries: number;
  tornLines: number;
  invalidVotes: number;
}

/** Fills `votes` until every cluster is settled. Throws a Problem where the budget ends before, with everything kept. */
export async function askVotes(
  set: LabelSet,
  exemplars: Exemplars,
  rule: VoteRule,
  options: ClassifyOptions,
  context: StageContext,
): Promise<{ votes: ClusterVotes; asking: Asking }> {
  const { model = '' } = options;
  const question = makeQuestion(set, options.prompt_characters);
  const ledger = await Ledger.open(ledgerPath(options, context), model, question.fingerprint);
  const spending = new Spending(context.run.state('classify', 'spent.jsonl'), options.budget, options.price);
  const votes: ClusterVotes = [];
  let endpoint: Endpoint | null = null;
  let labeler: LlmLabeler | null = null;
  const tables = await context.openTables();
  try {
    for (;;) {
      const plan = nextRound(exemplars, votes, (key) => ledger.get(key), rule);
      if (plan.places.length === 0) break;
      if (labeler === null) {
        endpoint = new Endpoint(settingsOf(options, context), spending);
        await endpoint.connect();
        labeler = new LlmLabeler(endpoint, question, ledger);
      }
      const asked = labeler;
      let done = 0;
      const texts = readTexts(tables, context.run, exemplars, plan.places);
      await inParallel(texts, options.concurrency, async ({ place, text }) => {
        context.signal.throwIfAborted();
        await asked.vote(exemplars.keys[place] ?? '', text);
        done += 1;
        context.progress({ done, total: plan.places.length, unit: 'votes' });
      });
    }
    const invalidVotes = votes.flat().filter((vote) => vote === null).length;
    return {
      votes,
      asking: { spent: spending.spent, retries: endpoint?.retries ?? 0, tornLines: ledger.tornLines, invalidVotes },
    };
  } catch (error) {
    if (error instanceof BudgetReached) throw outOfBudget(error, exemplars, votes, ledger, rule, spending.spent);
    throw error;
  } finally {
    tables.close();
    ledger.close();
    spending.close();
  }
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

/** Where votes are kept: the ledger that the pipeline names, or the run's own. */
export function ledgerPath(options: ClassifyOptions, context: StageContext): string {
  return options.votes === undefined ? context.run.state('classify', 'votes.jsonl') : context.resolve(options.votes);
}

export function settingsOf(options: ClassifyOptions, context: StageContext): EndpointSettings {
  const written = options.endpoint ?? '';
  return {
    option: 'classify.endpoint',
    written: withoutCredentials(written),
    url: context.expand(written),
    key: options.key === undefined ? process.env.OPENAI_API_KEY : context.expand(options.key),
    model: options.model ?? '',
    timeoutSeconds: options.timeout_seconds,
    attempts: options.attempts,
    signal: context.signal,
  };
}

// -- private

/** `https://user:password@host/v1` without what stands before the `@`. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//***@');
}

function outOfBudget(
  reached: BudgetReached,
  exemplars: Exemplars,
  votes: ClusterVotes,
  ledger: Ledger,
  rule: VoteRule,
  spent: Spent,
): Problem {
  const left = nextRound(exemplars, votes, (key) => ledger.get(key), rule);
  const money = spent.money === null ? '' : `, ${spent.money.toFixed(4)} of money`;
  return new Problem('the budget for labelling clusters is used up', {
    where: `classify.${reached.message}`,
    found: `${spent.calls} calls, ${spent.inputTokens + spent.outputTokens} tokens${money}; ${left.clusters} of ${exemplars.clusters.length} clusters are not settled and need at least ${left.places.length} more votes`,
    try: 'a higher budget: every vote is kept, and the same command goes on from there',
  });
}
