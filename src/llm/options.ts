import { z } from 'zod';

/** Options of whatever asks an endpoint: one home, so that every stage calls them the same. */

const positive = z.int().min(1);

/** The whole text is one reference to the environment, so that no secret ever stands in a pipeline file. */
export const secret = z
  .string()
  .regex(
    /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/,
    'must be a reference to the environment such as ${OPENAI_API_KEY}, never a key',
  );

/** Base URL of an OpenAI-compatible server, with `/v1`. What stands in a pipeline file goes into its lock. */
export const endpointUrl = z
  .string()
  .min(1)
  .refine((url) => !/\/\/[^/]*@/.test(url), 'must hold no user or password; use key');

/** Hard caps over the whole life of the run folder. */
export const budget = z.strictObject({
  calls: positive.optional(),
  tokens: positive.optional(),
  money: z.number().positive().optional(),
});

/** Per million tokens, in whatever currency `budget.money` is. */
export const price = z.strictObject({ input: z.number().min(0), output: z.number().min(0) });

/** How an endpoint is called. */
export const calling = {
  /** Calls in flight. */
  concurrency: positive.max(4096).default(32),
  budget: budget.default({}),
  price: price.optional(),
  /** Seconds until a call without a whole answer is given up and repeated. */
  timeout_seconds: z.number().positive().max(3600).default(120),
  /** Tries of one question against a server that fails, before the run stops. */
  attempts: positive.max(100).default(8),
};

const callingOptions = z.strictObject(calling);
export type CallingOptions = z.infer<typeof callingOptions>;
export type Budget = z.infer<typeof budget>;
export type Price = z.infer<typeof price>;
