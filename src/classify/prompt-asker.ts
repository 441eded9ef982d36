import { type Asker, askerSettings, type NamedModel, type Took, withAsker } from '../llm/asker.js';
import type { StageContext } from '../pipeline/stage.js';
import { type PromptPlaces, readTexts } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import type { ClassifyOptions } from './options.js';
import { makeQuestion } from './question.js';

/** Asks one model for the labels of prompts. */
export interface PromptAsker {
  /** The vote on a prompt; null where it was invalid, undefined where it was never asked for. */
  known(key: string): string | null | undefined;
  /** Asks about the prompts at these places; afterwards they are known. Throws BudgetReached where a cap comes before. */
  ask(prompts: PromptPlaces, places: readonly number[]): Promise<void>;
  took(): Took;
}

export async function withPromptAsker<T>(
  labeler: NamedModel,
  set: LabelSet,
  options: ClassifyOptions,
  context: StageContext,
  use: (asker: PromptAsker) => Promise<T>,
): Promise<T> {
  const { votes } = options;
  const files = {
    ledger: votes === undefined ? context.run.state('classify', 'votes.jsonl') : context.resolve(votes),
    spent: context.run.state('classify', 'spent.jsonl'),
  };
  const settings = askerSettings(labeler, options, files, context);
  return withAsker(settings, makeQuestion(set, options.prompt_characters), (asker) =>
    use({
      known: asker.known,
      ask: (prompts, places) => askAbout(asker, prompts, places, context),
      took: asker.took,
    }),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

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
