import { z } from 'zod';
import { calling, endpointUrl, secret } from '../../llm/options.js';

/** A judge of its own: another server, model or budget than those of `classify`. */
const ownJudge = z
  .strictObject({
    /** Base URL of an OpenAI-compatible server, with `/v1`. */
    endpoint: endpointUrl,
    /** Default: `OPENAI_API_KEY` where it is set, else none. */
    key: secret.optional(),
    model: z.string().min(1),
    /** A ledger shared by several runs. Default: the run's own, which `classify` writes to as well. */
    votes: z.string().min(1).optional(),
    ...calling,
  })
  .refine(({ budget, price }) => budget.money === undefined || price !== undefined, {
    path: ['price'],
    message: 'budget.money needs price: {input, output}, per million tokens',
  });

/** `true`: the model that `classify` asks, through its endpoint, ledger and budget. */
export const judgeOption = z.union([z.boolean(), ownJudge]).default(false);

export type JudgeOption = z.infer<typeof judgeOption>;
