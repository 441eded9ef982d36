import { type Asker, type Took, withAsker } from '../llm/asker.js';
import type { StageContext } from '../pipeline/stage.js';
import { type PromptPlaces, readTexts } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import type { ClassifyOptions } from './options.js';
import { makeQuestion } from './question.js';

/** A model behind an endpoint, as the pipeline names them. */
export interface Labeler {
  /** Where the endpoint stands in the pipeline: `classify.endpoint` or `classify.audit.endpoint`. */
  option: string;
  endpoint: string;
  key: string | undefined;
  model: string;
}

/** Asks one model for the labels of prompts. */
export interface PromptAsker {
  /** The vote on a prompt; null where it was invalid, undefined where it was never asked for. */
  known(key: string): string | null | undefined;
  /** Asks about the prompts at these places; afterwards they are known. Throws BudgetReached where a cap comes before. */
  ask(prompts: PromptPlaces, places: readonly number[]): Promise<void>;
  took(): Took;
}

export async function withPromptAsker<T>(
  labeler: Labeler,
  set: LabelSet,
  options: ClassifyOptions,
  context: StageContext,
  use: (asker: PromptAsker) => Promise<T>,
): Promise<T> {
  const { budget, price, concurrency, votes } = options;
  const settings = {
    endpoint: {
      option: labeler.option,
      written: labeler.endpoint,
      url: context.expand(labeler.endpoint),
      key: labeler.key === undefined ? process.env.OPENAI_API_KEY : context.expand(labeler.key),
      model: labeler.model,
      timeoutSeconds: options.timeout_seconds,
      attempts: options.attempts,
      signal: context.signal,
    },
    concurrency,
    ledger: votes === undefined ? context.run.state('classify', 'votes.jsonl') : context.resolve(votes),
    spent: context.run.state('classify', 'spent.jsonl'),
    budget,
    price,
  };
  return withAsker(settings, makeQuestion(set, options.prompt_characters), (asker) =>
    use({
      known: asker.known,
      ask: (prompts, places) => askAbout(asker, prompts, places, context),
      took: asker.took,
    }),
  );
}

// -- private

async function askAbout(
  asker: Asker<string>,
  prompts: PromptPlaces,
  places: readonly number[],
  context: StageContext,
): Promise<void> {
  const tables = await context.openTables();
  async function* subjects() {
    for await (const { place, text } of readTexts(tables, context.run, prompts, places)) {
      yield { key: prompts.keys[place] ?? '', subject: text };
    }
  }
  try {
    await asker.ask(subjects(), (done) => context.progress({ done, total: places.length, unit: 'votes' }));
  } finally {
    tables.close();
  }
}
