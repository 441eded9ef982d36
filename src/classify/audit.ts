import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Took } from '../llm/asker.js';
import { BudgetReached } from '../llm/spending.js';
import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import { parquet } from '../store/tables.js';
import { allocate, precisionAndRecall, type Stratum } from './estimates.js';
import type { PromptPlaces } from './exemplars.js';
import type { LabelSet } from './label-set.js';
import { outOfBudget } from './llm-votes.js';
import type { ClassifyOptions } from './options.js';
import { withPromptAsker } from './prompt-asker.js';

/** A row that is judged on its own. */
interface AuditedRow {
  id: string;
  key: string;
  stratum: number;
}

export interface Audit {
  figures: { [name: string]: Json };
  took: Took | null;
  warnings: string[];
}

/** Judges prompts by itself, one by one: what the embedded labeler says of single prompts. */
export type OwnLabels = (prompts: PromptPlaces) => Promise<string[]>;

const judgement = z.object({ prompt_key: z.string(), label: z.string() });

/**
 * How right the labels are: a seeded sample of rows, stratified by kept or dropped and by agreement, each judged on its
 * own by another model or a person. Where the labeler itself is the judge the result is called self-consistency.
 */
export async function auditLabels(
  set: LabelSet,
  options: ClassifyOptions,
  context: StageContext,
  ownLabels: OwnLabels,
): Promise<Audit> {
  const { audit } = options;
  if (audit === undefined) throw new Error('no audit was asked for');
  const keep = audit.keep.filter((label) => set.labels.some(({ name }) => name === label));
  if (keep.length === 0) {
    throw new Problem('classify.audit.keep names none of the labels', {
      where: `classify.audit.keep: [${audit.keep.join(', ')}]`,
      try: `labels in use: ${set.labels.map(({ name }) => name).join(', ')}`,
    });
  }
  const sample = await sampleRows(options, keep, context);
  const judged = await judge(set, options, context, sample.prompts, ownLabels);
  const strata: Stratum[] = sample.strata.map((stratum) => ({ ...stratum, judged: [] }));
  let unjudged = 0;
  sample.rows.forEach(({ stratum }, place) => {
    const label = judged.labels[place];
    if (typeof label === 'string') strata[stratum]?.judged.push(keep.includes(label));
    else unjudged += 1;
  });
  const { precision, recall } = precisionAndRecall(strata, context.seed);
  const figures = {
    judge: judged.judge,
    // The labeler's agreement with itself says nothing about being right.
    measure: judged.own ? 'self-consistency' : 'audit',
    keep,
    rows: sample.rows.length,
    unjudged,
    strata: strata.map(({ name, rows, judged: each }) => ({
      name,
      rows,
      judged: each.length,
      of_kept_domains: each.filter((yes) => yes).length,
    })),
    ...(judged.own
      ? { kept_confirmed: precision as Json, found: recall as Json }
      : { precision: precision as Json, recall: recall as Json }),
  };
  await writeFileAtomic(
    context.run.file('labels', 'audit.json'),
    context.run.temporary,
    `${JSON.stringify({ ...figures, judgements: judgementsOf(sample.rows, judged.labels) }, null, 1)}\n`,
  );
  const warnings =
    unjudged * 5 > sample.rows.length ? [`${unjudged} of ${sample.rows.length} audited rows have no judgement`] : [];
  return { figures, took: judged.took, warnings };
}

// ---------------------------------------------------------------------------------------------------------------------

interface Sample {
  strata: { name: string; kept: boolean; rows: number }[];
  rows: AuditedRow[];
  prompts: PromptPlaces;
}

async function sampleRows(options: ClassifyOptions, keep: readonly string[], context: StageContext): Promise<Sample> {
  const { run, seed } = context;
  const tables = await context.openTables({ threads: context.workers });
  try {
    const dropUncertain = options.uncertain.then === 'drop' ? 'AND NOT l.uncertain' : '';
    const kept = `(coalesce(l.label IN (${keep.map((label) => `'${label.replaceAll("'", "''")}'`).join(', ')}), false) ${dropUncertain})`;
    await tables.run(
      `CREATE TABLE audited AS SELECT r.id, r.prompt_key, (CASE WHEN ${kept} THEN 0 ELSE 2 END + CASE WHEN l.agreement_high >= 0.8 THEN 0 ELSE 1 END)::INTEGER AS stratum
       FROM ${parquet(run.files('rows'))} r
       JOIN ${parquet([run.file('clusters', 'assignments.parquet')])} a ON a.prompt_key = r.prompt_key
       JOIN ${parquet([run.file('labels', 'labels.parquet')])} l ON l.cluster_id = a.cluster_id`,
    );
    const counted = await tables.rows<{ stratum: number; rows: number }>(
      'SELECT stratum, count(*)::INTEGER AS rows FROM audited GROUP BY 1',
    );
    const strata = ['kept, agreed', 'kept, divided', 'dropped, agreed', 'dropped, divided'].map((name, place) => ({
      name,
      kept: place < 2,
      rows: counted.find(({ stratum }) => stratum === place)?.rows ?? 0,
    }));
    const sizes = allocate(strata, options.audit?.rows ?? 0);
    const sample: Sample = { strata, rows: [], prompts: { keys: [], files: [], rows: [] } };
    for (const [stratum, size] of sizes.entries()) {
      if (size === 0) continue;
      const rows = await tables.rows<{ id: string; key: string; file: string; row: number }>(
        `SELECT s.id, s.prompt_key AS key, p.file, p.row
         FROM (SELECT id, prompt_key FROM audited WHERE stratum = ${stratum} ORDER BY md5('${seed} ' || id), id LIMIT ${size}) s
         JOIN ${parquet([run.file('prompts', 'prompts.parquet')])} p ON p.prompt_key = s.prompt_key ORDER BY s.id`,
      );
      for (const { id, key, file, row } of rows) {
        sample.rows.push({ id, key, stratum });
        sample.prompts.keys.push(key);
        sample.prompts.files.push(file);
        sample.prompts.rows.push(row);
      }
    }
    return sample;
  } finally {
    tables.close();
  }
}

interface Judged {
  judge: string;
  own: boolean;
  /** One per row; null: an invalid answer, undefined: not judged yet. */
  labels: (string | null | undefined)[];
  took: Took | null;
}

async function judge(
  set: LabelSet,
  options: ClassifyOptions,
  context: StageContext,
  prompts: PromptPlaces,
  ownLabels: OwnLabels,
): Promise<Judged> {
  const { audit } = options;
  if (audit?.judgements !== undefined) {
    const known = readJudgements(context.resolve(audit.judgements), set);
    return { judge: 'a person', own: false, labels: prompts.keys.map((key) => known.get(key)), took: null };
  }
  const model = audit?.model ?? (options.labeler === 'llm' ? options.model : undefined);
  if (model === undefined) return { judge: 'embedded', own: true, labels: await ownLabels(prompts), took: null };
  const own = options.labeler === 'llm' && model === options.model && audit?.endpoint === undefined;
  const who = {
    option: audit?.endpoint === undefined ? 'classify.endpoint' : 'classify.audit.endpoint',
    endpoint: audit?.endpoint ?? options.endpoint ?? '',
    key: audit?.key ?? options.key,
    model,
  };
  return withPromptAsker(who, set, options, context, async (asker) => {
    const places = new Map<string, number>();
    prompts.keys.forEach((key, place) => {
      if (asker.known(key) === undefined && !places.has(key)) places.set(key, place);
    });
    try {
      if (places.size > 0) await asker.ask(prompts, [...places.values()]);
    } catch (error) {
      if (!(error instanceof BudgetReached)) throw error;
      const left = prompts.keys.filter((key) => asker.known(key) === undefined).length;
      throw outOfBudget(error, asker, `${left} of ${prompts.keys.length} audited rows are not judged`);
    }
    return { judge: model, own, labels: prompts.keys.map((key) => asker.known(key)), took: asker.took() };
  });
}

function readJudgements(path: string, set: LabelSet): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const known = new Map<string, string>();
  const problems: string[] = [];
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() === '') return;
      const parsed = judgement.safeParse(jsonOf(line));
      if (!parsed.success) problems.push(`line ${index + 1}  not {"prompt_key": …, "label": …}`);
      else if (!set.labels.some(({ name }) => name === parsed.data.label)) {
        problems.push(`line ${index + 1}  no label "${parsed.data.label}"`);
      } else known.set(parsed.data.prompt_key, parsed.data.label);
    });
  if (problems.length === 0) return known;
  throw new Problem('the judgements for the audit cannot be read', { where: path, items: problems.slice(0, 20) });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Reported with its line by the caller.
    return null;
  }
}

function judgementsOf(rows: readonly AuditedRow[], labels: readonly (string | null | undefined)[]): Json {
  return rows.map(({ id, key, stratum }, place) => ({ id, prompt_key: key, stratum, label: labels[place] ?? null }));
}
