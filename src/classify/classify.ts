import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { BOOLEAN, DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { ensureModel, modelNamed } from '../compute/weights.js';
import { defineStage, type StageContext, type StageInput, type StageReport } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';
import { embeddedVotes } from './embedded-votes.js';
import { clusterSizes, type Exemplars, readExemplars } from './exemplars.js';
import { hashOfLabels, type LabelSet, readLabelSet } from './label-set.js';
import { openEmbeddedLabeler } from './labelers/embedded.js';
import { type ClassifyOptions, classifyOptions } from './options.js';
import { overrideFor, readOverrides } from './overrides.js';
import { readVotes, type Vote, writeVotes } from './vote-table.js';
import { standing, type VoteRule } from './votes.js';

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
  finishOptions: ['overrides'],
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
    const figures = await voteEmbedded(set, exemplars, options, context);
    return { files: ['labels/votes.jsonl'], ...figures };
  },

  async finish(reports, options, context) {
    const set = readLabelSet(options.labels, context.resolve);
    const exemplars = await exemplarsOf(options, context);
    const report = await writeLabels(set, exemplars, options, context);
    const { files: _files, warnings, notes, ...figures } = reports[0] ?? { files: [] };
    return {
      ...report,
      figures: { ...figures, ...report.figures },
      notes: (notes ?? {}) as { [name: string]: Json },
      warnings: [...((warnings ?? []) as string[]), ...report.warnings],
    };
  },
});

// -- private

function nameOf(set: LabelSet): string {
  return set.file === null ? set.name : basename(set.file);
}

function ruleOf(options: ClassifyOptions): VoteRule {
  const { below, then, up_to: upTo } = options.uncertain;
  return { nearest: options.nearest, below, upTo: then === 'more' ? Math.max(upTo, options.nearest) : options.nearest };
}

async function exemplarsOf(options: ClassifyOptions, context: StageContext): Promise<Exemplars> {
  const tables = await context.openTables({ threads: context.workers });
  try {
    return await readExemplars(tables, context.run, ruleOf(options).upTo);
  } finally {
    tables.close();
  }
}

/** The embedded labeler's votes cost nothing, so that every exemplar votes and agreement is exact. */
async function voteEmbedded(
  set: LabelSet,
  exemplars: Exemplars,
  options: ClassifyOptions,
  context: StageContext,
): Promise<{ [figure: string]: Json }> {
  const model = modelOf(context);
  await ensureModel(modelNamed(model));
  const labeler = await openEmbeddedLabeler(set, model, context.compute);
  const hear = (done: number) => context.progress({ done, total: exemplars.keys.length, unit: 'votes' });
  const places = embeddedVotes(context.run, exemplars, labeler, hear, context.signal);
  await writeVotes(context.run, embeddedLines(set, exemplars, places, ruleOf(options)));
  return { labeler: 'embedded', model, method: labeler.description, invalid_votes: 0 };
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

async function writeLabels(
  set: LabelSet,
  exemplars: Exemplars,
  options: ClassifyOptions,
  context: StageContext,
): Promise<StageReport> {
  const rule = ruleOf(options);
  const overrides = options.overrides === undefined ? [] : readOverrides(context.resolve(options.overrides), set);
  const placeOf = new Map(exemplars.clusters.map((cluster, place) => [cluster, place]));
  const tables = await context.openTables();
  try {
    const sizes = await clusterSizes(tables, context.run);
    const writer = await tables.writer({
      cluster_id: INTEGER,
      label: VARCHAR,
      agreement: DOUBLE,
      agreement_high: DOUBLE,
      votes: INTEGER,
      decided_by: VARCHAR,
      uncertain: BOOLEAN,
    });
    const counts = new Counts(set);
    for await (const lines of readVotes(context.run)) {
      const cluster = lines[0]?.cluster_id ?? -1;
      const place = placeOf.get(cluster);
      if (place === undefined) throw new Error(`votes on cluster ${cluster}, which has no exemplars`);
      const start = exemplars.starts[place] ?? 0;
      const end = exemplars.starts[place + 1] ?? start;
      const { decision, further } = standing(
        lines.map((line) => line.label),
        end - start,
        rule,
      );
      if (further > 0) throw new Error(`cluster ${cluster} is not settled`);
      const person = overrideFor(overrides, exemplars.keys.slice(start, Math.min(end, start + rule.nearest)));
      const verdict = {
        cluster_id: cluster,
        label: person?.label ?? decision.label,
        agreement: decision.agreement,
        agreement_high: decision.agreementHigh,
        votes: decision.votes,
        decided_by: person === null ? options.labeler : 'person',
        uncertain: person === null && decision.uncertain,
      };
      await writer.append(verdict);
      counts.add(verdict, sizes.get(cluster) ?? 0);
    }
    const written = await writer.writeTo(context.run.file('labels', 'labels.parquet'));
    if (written !== exemplars.clusters.length) throw new Error('a cluster has no votes');
    return counts.report(nameOf(set), options);
  } finally {
    tables.close();
  }
}

/** What the closing report says of the labels. */
class Counts {
  private readonly labels: Map<string, { clusters: number; prompts: number }>;
  private readonly agreement = { unanimous: 0, 'at least 0.8': 0, 'at least 0.5': 0, 'below 0.5': 0 };
  private uncertain = 0;
  private uncertainPrompts = 0;
  private byPerson = 0;
  private votes = 0;
  private clusters = 0;

  constructor(set: LabelSet) {
    this.labels = new Map(set.labels.map(({ name }) => [name, { clusters: 0, prompts: 0 }]));
  }

  add(
    verdict: { label: string | null; agreement: number; votes: number; decided_by: string; uncertain: boolean },
    prompts: number,
  ): void {
    const label = verdict.label ?? '';
    const count = this.labels.get(label) ?? { clusters: 0, prompts: 0 };
    this.labels.set(label, { clusters: count.clusters + 1, prompts: count.prompts + prompts });
    const { agreement } = verdict;
    if (agreement >= 1) this.agreement.unanimous += 1;
    else if (agreement >= 0.8) this.agreement['at least 0.8'] += 1;
    else if (agreement >= 0.5) this.agreement['at least 0.5'] += 1;
    else this.agreement['below 0.5'] += 1;
    if (verdict.uncertain) {
      this.uncertain += 1;
      this.uncertainPrompts += prompts;
    }
    if (verdict.decided_by === 'person') this.byPerson += 1;
    this.votes += verdict.votes;
    this.clusters += 1;
  }

  report(labelSet: string, options: ClassifyOptions): StageReport {
    const labels = Object.fromEntries([...this.labels].filter(([, { clusters }]) => clusters > 0));
    const { below, then } = options.uncertain;
    return {
      unit: 'clusters',
      in: this.clusters,
      kept: this.clusters,
      dropped: {},
      quarantined: 0,
      figures: {
        label_set: labelSet,
        labels,
        votes: this.votes,
        agreement: this.agreement,
        uncertain: { below, then, clusters: this.uncertain, prompts: this.uncertainPrompts },
        by_person: this.byPerson,
      },
      notes: {},
      warnings: [],
    };
  }
}
