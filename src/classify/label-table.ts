import type { StageContext, StageReport } from '../pipeline/stage.js';
import { BOOLEAN, DOUBLE, INTEGER, VARCHAR } from '../store/duckdb.js';
import { clusterSizes, type Exemplars } from './exemplars.js';
import { type LabelSet, nameOf } from './label-set.js';
import type { ClassifyOptions } from './options.js';
import { overrideFor, readOverrides } from './overrides.js';
import { readVotes } from './vote-table.js';
import { ruleOf, standing } from './votes.js';

/** Makes `labels.parquet` from the votes and a person's verdicts, and counts what a person must know of it. */
export async function writeLabels(
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

// ---------------------------------------------------------------------------------------------------------------------

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
