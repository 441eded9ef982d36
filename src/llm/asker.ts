import type { Endpoint, EndpointSettings } from './endpoint.js';
import { Ledger } from './ledger.js';
import type { Budget, CallingOptions, Price } from './options.js';
import { inParallel } from './parallel.js';
import type { Question } from './question.js';
import { Respondent } from './respondent.js';
import { Spending, type Spent } from './spending.js';

export interface AskerSettings {
  /** `model` as the pipeline names it: part of the key of an answer. */
  endpoint: EndpointSettings;
  concurrency: number;
  /** Where answers are kept: a file that several runs and several kinds of question may share. */
  ledger: string;
  /** Where it is written down what a run folder has spent. */
  spent: string;
  budget: Budget;
  price: Price | undefined;
}

/** Asks one model one kind of question. What was ever answered, in this run or in one that shares the ledger, is not asked again. */
export interface Asker<Subject> {
  /** The answer to a question; null where it was invalid, undefined where it was never asked. */
  known(key: string): string | null | undefined;
  answersKnown(): number;
  /** Asks about these subjects; afterwards they are known. Throws BudgetReached where a cap comes before. */
  ask(subjects: AsyncGenerator<{ key: string; subject: Subject }>, heard: (done: number) => void): Promise<void>;
  /** What asking took: shown and never locked, as it depends on the server's moods and on what was known before. */
  took(): Took;
}

export interface Took {
  spent: Spent;
  retries: number;
  tornLines: number;
}

/** A model behind an endpoint, as the pipeline names them. */
export interface NamedModel {
  /** Where the endpoint stands in the pipeline: `classify.endpoint`. */
  option: string;
  endpoint: string;
  key: string | undefined;
  model: string;
}

/** Settings from what a pipeline says. `expand` puts in the environment's values, which go no further than the client. */
export function askerSettings(
  named: NamedModel,
  calling: CallingOptions,
  files: { ledger: string; spent: string },
  context: { expand(text: string): string; signal: AbortSignal },
): AskerSettings {
  return {
    endpoint: {
      option: named.option,
      written: named.endpoint,
      url: context.expand(named.endpoint),
      key: named.key === undefined ? process.env.OPENAI_API_KEY : context.expand(named.key),
      model: named.model,
      timeoutSeconds: calling.timeout_seconds,
      attempts: calling.attempts,
      signal: context.signal,
    },
    concurrency: calling.concurrency,
    budget: calling.budget,
    price: calling.price,
    ...files,
  };
}

/** Opens ledger and budget for the time of `use`. The endpoint is contacted when there is something to ask, not before. */
export async function withAsker<Subject, T>(
  settings: AskerSettings,
  question: Question<Subject>,
  use: (asker: Asker<Subject>) => Promise<T>,
): Promise<T> {
  const ledger = await Ledger.open(settings.ledger, settings.endpoint.model, question.fingerprint);
  const spending = new Spending(settings.spent, settings.budget, settings.price);
  let endpoint: Endpoint | null = null;
  let respondent: Respondent<Subject> | null = null;

  async function open(): Promise<Respondent<Subject>> {
    // The SDK takes as long to load as most stages' code together, and most commands ask nobody.
    const { Endpoint } = await import('./endpoint.js');
    endpoint = new Endpoint({ ...settings.endpoint, connections: settings.concurrency }, spending);
    await endpoint.connect();
    return new Respondent(endpoint, question, ledger);
  }

  try {
    return await use({
      known: (key) => ledger.get(key),
      answersKnown: () => ledger.size,
      ask: async (subjects, heard) => {
        respondent ??= await open();
        const asked = respondent;
        let done = 0;
        await inParallel(subjects, settings.concurrency, async ({ key, subject }) => {
          settings.endpoint.signal.throwIfAborted();
          await asked.answer(key, subject);
          done += 1;
          heard(done);
        });
      },
      took: () => ({ spent: spending.spent, retries: endpoint?.retries ?? 0, tornLines: ledger.tornLines }),
    });
  } finally {
    ledger.close();
    spending.close();
  }
}
