import type { StageContext } from '../pipeline/stage.js';
import { Endpoint, type EndpointSettings } from './endpoint.js';
import { type PromptPlaces, readTexts } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import { LlmLabeler } from './labelers/llm.js';
import { Ledger } from './ledger.js';
import type { ClassifyOptions } from './options.js';
import { makeQuestion } from './question.js';
import { inParallel } from './rounds.js';
import { Spending, type Spent } from './spending.js';

/** A model behind an endpoint, as the pipeline names them. */
export interface Respondent {
  /** Where it stands in the pipeline: `classify` or `classify.audit`. */
  option: string;
  endpoint: string;
  key: string | undefined;
  model: string;
}

/** Asks one model about prompts. What was ever answered, in this run or in one that shares the ledger, is not asked again. */
export interface Asker {
  /** The vote on a prompt; null where it was invalid, undefined where it was never asked for. */
  known(key: string): string | null | undefined;
  votesKnown(): number;
  /** Asks about the prompts at these places; afterwards they are known. Throws BudgetReached where a cap comes before. */
  ask(prompts: PromptPlaces, places: readonly number[]): Promise<void>;
  /** What asking took: shown and never locked, as it depends on the server's moods and on what was known before. */
  took(): { spent: Spent; retries: number; tornLines: number };
}

/** Opens ledger and budget for the time of `use`. The endpoint is contacted when there is something to ask, not before. */
export async function withAsker<T>(
  who: Respondent,
  set: LabelSet,
  options: ClassifyOptions,
  context: StageContext,
  use: (asker: Asker) => Promise<T>,
): Promise<T> {
  const question = makeQuestion(set, options.prompt_characters);
  const ledger = await Ledger.open(ledgerPath(options, context), who.model, question.fingerprint);
  const spending = new Spending(context.run.state('classify', 'spent.jsonl'), options.budget, options.price);
  let endpoint: Endpoint | null = null;
  let labeler: LlmLabeler | null = null;

  async function ask(prompts: PromptPlaces, places: readonly number[]): Promise<void> {
    if (labeler === null) {
      endpoint = new Endpoint(settingsOf(who, options, context), spending);
      await endpoint.connect();
      labeler = new LlmLabeler(endpoint, question, ledger);
    }
    const asked = labeler;
    let done = 0;
    const tables = await context.openTables();
    try {
      await inParallel(
        readTexts(tables, context.run, prompts, places),
        options.concurrency,
        async ({ place, text }) => {
          context.signal.throwIfAborted();
          await asked.vote(prompts.keys[place] ?? '', text);
          done += 1;
          context.progress({ done, total: places.length, unit: 'votes' });
        },
      );
    } finally {
      tables.close();
    }
  }

  try {
    return await use({
      known: (key) => ledger.get(key),
      votesKnown: () => ledger.size,
      ask,
      took: () => ({ spent: spending.spent, retries: endpoint?.retries ?? 0, tornLines: ledger.tornLines }),
    });
  } finally {
    ledger.close();
    spending.close();
  }
}

// -- private

/** Where votes are kept: the ledger that the pipeline names, or the run's own. */
function ledgerPath(options: ClassifyOptions, context: StageContext): string {
  return options.votes === undefined ? context.run.state('classify', 'votes.jsonl') : context.resolve(options.votes);
}

function settingsOf(who: Respondent, options: ClassifyOptions, context: StageContext): EndpointSettings {
  return {
    option: who.option,
    written: who.endpoint,
    url: context.expand(who.endpoint),
    key: who.key === undefined ? process.env.OPENAI_API_KEY : context.expand(who.key),
    model: who.model,
    timeoutSeconds: options.timeout_seconds,
    attempts: options.attempts,
    connections: options.concurrency,
    signal: context.signal,
  };
}
