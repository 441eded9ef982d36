import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { ensureModel, modelNamed } from '../compute/weights.js';
import type { Took } from '../llm/asker.js';
import { defineStage, type StageContext, type StageInput } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';
import { auditLabels, type OwnLabels } from './audit.js';
import { embeddedVotes } from './embedded-votes.js';
import { type Exemplars, readExemplars } from './exemplars.js';
import { hashOfLabels, type LabelSet, nameOf, readLabelSet } from './label-set.js';
import { writeLabels } from './label-table.js';
import { type EmbeddedLabeler, openEmbeddedLabeler } from './labelers/embedded.js';
import { type ClassifyOptions, classifyOptions } from './options.js';
import { readOverrides } from './overrides.js';
import { type Vote, writeVotes } from './vote-table.js';
import { ruleOf, standing, type VoteRule } from './votes.js';

const defaultModel = 'sentence-transformers/all-MiniLM-L6-v2';

/** Each cluster gets a label: the plurality of the votes on the prompts nearest to its centre, or a person's verdict. */
export const classify = defineStage<ClassifyOptions, Json>({
  name: 'classify',
  summary: 'clusters get a domain',
  version: 1,
  options: classifyOptions,
  reads: ['clusters', 'prompts', 'rows', 'vectors'],
  joins: [],
  writes: ['labels'],
  runs: 'here',
  finishOptions: ['overrides', 'audit'],
  optionsOf: ['embed'],

  async check(options, context) {
    const set = readLabelSet(options.labels, context.resolve);
    if (options.overrides !== undefined) readOverrides(context.resolve(options.overrides), set);
  },

  async inputs(options, context) {
    const set = readLabelSet(options.labels, context.resolve);
    const inputs: StageInput[] = [{ kind: 'labels', name: nameOf(set), sha256: hashOfLabels(set) }];
    if (options.overrides !== undefined) {
      const path = context.resolve(options.overrides);
      if (existsSync(path)) {
        inputs.push({ kind: 'overrides', name: basename(path), sha256: await context.hash(path) });
      }
    }
    if (options.labeler === 'embedded' && set.calibrationFile !== null) {
      inputs.push({
        kind: 'labels',
        name: basename(set.calibrationFile),
        sha256: await context.hash(set.calibrationFile),
      });
    }
    return inputs;
  },

  async tasks() {
    return [{ task: 'vote' }];
  },

  async work(_task, options, context) {
    const set = readLabelSet(options.labels, context.resolve);
    const exemplars = await exemplarsOf(options, context);
    const vote = options.labeler === 'llm' ? voteLlm : voteEmbedded;
    const figures = await vote(set, exemplars, options, context);
    return { files: ['labels/votes.jsonl'], ...figures };
  },

  async finish(reports, options, context) {
    const set = readLabelSet(options.labels, context.resolve);
    const exemplars = await exemplarsOf(options, context);
    const report = await writeLabels(set, exemplars, options, context);
    const audit =
      options.audit === undefined ? null : await auditLabels(set, options, context, ownLabels(set, context));
    const { files: _files, warnings, notes, ...figures } = reports[0] ?? { files: [] };
    return {
      ...report,
      figures: { ...figures, ...report.figures, ...(audit === null ? {} : { audit: audit.figures }) },
      notes: {
        ...((notes ?? {}) as { [name: string]: Json }),
        ...(audit?.took == null ? {} : { audit: asNotes(audit.took) }),
      },
      warnings: [...((warnings ?? []) as string[]), ...report.warnings, ...(audit?.warnings ?? [])],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

async function exemplarsOf(options: ClassifyOptions, context: StageContext): Promise<Exemplars> {
  const tables = await context.openTables({ threads: context.workers });
  try {
    return await readExemplars(tables, context.run, ruleOf(options).upTo);
  } finally {
    tables.close();
  }
}

async function voteLlm(
  set: LabelSet,
  exemplars: Exemplars,
  options: ClassifyOptions,
  context: StageContext,
): Promise<{ [figure: string]: Json }> {
  // The client of an endpoint is not loaded where none is asked.
  const { askVotes, voteLines } = await import('./llm-votes.js');
  const { votes, took } = await askVotes(set, exemplars, ruleOf(options), options, context);
  const model = options.model ?? '';
  await writeVotes(context.run, voteLines(exemplars, votes, model));
  const total = votes.reduce((sum, each) => sum + each.length, 0);
  const invalidVotes = votes.reduce((sum, each) => sum + each.filter((vote) => vote === null).length, 0);
  const warnings: string[] = [];
  if (invalidVotes * 20 > total) {
    warnings.push(`${invalidVotes} of ${total} answers of ${model} named none of the labels and did not vote`);
  }
  return {
    labeler: 'llm',
    model,
    invalid_votes: invalidVotes,
    warnings,
    notes: asNotes(took),
  };
}

function asNotes({ spent, retries, tornLines }: Took): { [name: string]: Json } {
  return {
    calls: spent.calls,
    input_tokens: spent.inputTokens,
    output_tokens: spent.outputTokens,
    money: spent.money,
    retries,
    torn_lines: tornLines,
  };
}

/** The embedded labeler's votes cost nothing, so that every exemplar votes and agreement is exact. */
async function voteEmbedded(
  set: LabelSet,
  exemplars: Exemplars,
  options: ClassifyOptions,
  context: StageContext,
): Promise<{ [figure: string]: Json }> {
  const { model, labeler } = await openLabeler(set, context);
  const hear = (done: number) => context.progress({ done, total: exemplars.keys.length, unit: 'votes' });
  const places = await embeddedVotes(context.run, exemplars.keys, labeler, hear, context.signal);
  await writeVotes(context.run, embeddedLines(set, exemplars, places, ruleOf(options)));
  return { labeler: 'embedded', model, method: labeler.description, invalid_votes: 0 };
}

async function openLabeler(set: LabelSet, context: StageContext): Promise<{ model: string; labeler: EmbeddedLabeler }> {
  const model = modelOf(context);
  await ensureModel(modelNamed(model));
  return { model, labeler: await openEmbeddedLabeler(set, model, context.compute) };
}

/** What the embedded labeler says of single prompts: for an audit in which it can only judge itself. */
function ownLabels(set: LabelSet, context: StageContext): OwnLabels {
  return async ({ keys }) => {
    const { labeler } = await openLabeler(set, context);
    const distinct = [...new Set(keys)];
    const places = await embeddedVotes(context.run, distinct, labeler, () => {}, context.signal);
    const labels = new Map(distinct.map((key, index) => [key, set.labels[places[index] ?? -1]?.name ?? '']));
    return keys.map((key) => labels.get(key) ?? '');
  };
}

function* embeddedLines(
  set: LabelSet,
  exemplars: Exemplars,
  places: readonly number[],
  rule: VoteRule,
): Generator<Vote> {
  for (let cluster = 0; cluster < exemplars.clusters.length; cluster += 1) {
    const start = exemplars.starts[cluster] ?? 0;
    const available = (exemplars.starts[cluster + 1] ?? start) - start;
    const votes: string[] = [];
    // As a model behind an endpoint would be asked with `then: more`, but all of a step at once.
    for (let more = Math.min(rule.nearest, available); more > 0; ) {
      for (let vote = 0; vote < more; vote += 1) {
        const place = start + votes.length;
        const label = set.labels[places[place] ?? -1]?.name;
        if (label === undefined) throw new Error('a vote for no label');
        yield {
          cluster_id: exemplars.clusters[cluster] ?? -1,
          rank: votes.length + 1,
          prompt_key: exemplars.keys[place] ?? '',
          label,
          by: 'embedded',
        };
        votes.push(label);
      }
      const { further } = standing(votes, available, rule);
      more = further === 0 ? 0 : Math.min(rule.nearest, available - votes.length);
    }
  }
}

function modelOf(context: StageContext): string {
  const embed = context.options.embed;
  const model = typeof embed === 'object' && embed !== null && !Array.isArray(embed) ? embed.model : undefined;
  return typeof model === 'string' ? model : defaultModel;
}
