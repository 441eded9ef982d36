import { z } from 'zod';
import { calling, endpointUrl, secret } from '../llm/options.js';

const positive = z.int().min(1);

export const labelSpec = z.strictObject({
  name: z.string().trim().min(1).max(80),
  description: z.string().default(''),
  /** Texts as prompts of this label might be: what the embedded labeler compares with. Default: name and description. */
  prototypes: z.array(z.string().min(1)).default([]),
});

const audit = z.strictObject({
  rows: positive,
  /** The labels whose rows are kept: what precision and recall are about. Usually those of `filter.domain.keep`. */
  keep: z.array(z.string().min(1)).min(1).default(['Medical', 'Biology']),
  /** The judge: another model than the labeler's, else the audit is called self-consistency. */
  model: z.string().min(1).optional(),
  endpoint: endpointUrl.optional(),
  key: secret.optional(),
  /** A person's verdicts instead of a model's: JSON Lines `{"prompt_key": …, "label": …}`. */
  judgements: z.string().min(1).optional(),
});

/** How clusters are labelled. The only home of the stage's defaults. */
export const classifyOptions = z
  .strictObject({
    labeler: z.enum(['llm', 'embedded']).default('embedded'),
    /** Base URL of an OpenAI-compatible server, with `/v1`. */
    endpoint: endpointUrl.optional(),
    /** Default: `OPENAI_API_KEY` where it is set, else none. */
    key: secret.optional(),
    model: z.string().min(1).optional(),
    /** Exemplars that vote, the nearest to the centre first. */
    nearest: positive.max(1000).default(10),
    /** A file of data/labels by name, a path, or the labels themselves. */
    labels: z
      .union([z.string().min(1), z.array(z.union([z.string().trim().min(1), labelSpec])).min(2)])
      .default('medical-domains'),
    /** A ledger shared by several runs. Default: one in the run folder. */
    votes: z.string().min(1).optional(),
    overrides: z.string().min(1).optional(),
    uncertain: z
      .strictObject({
        /** A cluster is uncertain where less than this share of its votes agree. */
        below: z.number().min(0).max(1).default(0.5),
        // biome-ignore lint/suspicious/noThenProperty: the key that a pipeline file has
        then: z.enum(['keep', 'drop', 'more']).default('keep'),
        /** With `then: more`: exemplars that may vote in the end. */
        up_to: positive.max(10_000).default(30),
      })
      // biome-ignore lint/suspicious/noThenProperty: the key that a pipeline file has
      .default({ below: 0.5, then: 'keep', up_to: 30 }),
    audit: audit.optional(),
    /** Longer prompts are cut in the middle, and marked, before they are asked about. */
    prompt_characters: positive.min(200).default(6000),
    ...calling,
  })
  .superRefine((value, context) => {
    const need = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (value.labeler === 'llm') {
      if (value.endpoint === undefined)
        need(['endpoint'], 'the labeler llm needs the URL of an OpenAI-compatible server');
      if (value.model === undefined) need(['model'], 'the labeler llm needs the name of a model');
    }
    if (value.budget.money !== undefined && value.price === undefined) {
      need(['price'], 'budget.money needs price: {input, output}, per million tokens');
    }
    if (value.audit?.model !== undefined && value.audit.endpoint === undefined && value.endpoint === undefined) {
      need(['audit', 'endpoint'], 'a judge needs the URL of its server');
    }
    if (value.audit?.model !== undefined && value.audit.judgements !== undefined) {
      need(['audit', 'judgements'], 'the judge is a model or a person, not both');
    }
  });

export type ClassifyOptions = z.infer<typeof classifyOptions>;
export type LabelSpec = z.infer<typeof labelSpec>;
