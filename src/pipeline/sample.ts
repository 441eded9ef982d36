import { Problem } from '../problem.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import { nearestName } from '../text/nearest-name.js';
import { type AskedRun, askRun, fatesQuery, judgements, placeKey, readRows, seededOrder, withTables } from './fates.js';

/** Which rows to read; all of these must hold of a row. */
export interface SampleQuestion {
  kept?: boolean;
  /** A reason, or `any`. */
  dropped?: string;
  /** A benchmark with which the row shares a hit, or `any`. */
  hits?: string;
  cluster?: number;
  source?: string;
  count: number;
  /** Default: the pipeline's. */
  seed?: number;
}

export interface SampledRow {
  id: string;
  source: string;
  /** null: kept. */
  reason: string | null;
  prompt: string;
  reasoning: string | null;
  answer: string | null;
}

export interface Sample {
  /** How many rows fit the question. */
  matching: number;
  seed: number;
  rows: SampledRow[];
}

/** Some rows of a fate, chosen by seed: the same rows every time. */
export async function sampleRun(folder: string, question: SampleQuestion): Promise<Sample> {
  const asked = askRun(folder);
  const seed = question.seed ?? asked.pipeline.seed;
  return withTables(async (tables) => {
    const condition = await conditionOf(tables, asked, question);
    await tables.run(`CREATE TEMP TABLE fitting AS SELECT * FROM (${fatesQuery(asked)}) WHERE ${condition}`);
    const { matching } = await tables.row<{ matching: number }>('SELECT count(*) AS matching FROM fitting');
    const chosen = await tables.rows<{ id: string; source: string; file: string; row: number; reason: string | null }>(
      `SELECT id, source, file, row, reason FROM fitting ORDER BY ${seededOrder(seed)} LIMIT ${question.count}`,
    );
    const columns = ['prompt', 'reasoning', 'answer'];
    const texts = await readRows<{ prompt: string; reasoning: string | null; answer: string | null }>(
      tables,
      asked.run,
      chosen,
      columns,
    );
    const rows = chosen.map((place) => {
      const { id, source, reason } = place;
      const text = texts.get(placeKey(place));
      return {
        id,
        source,
        reason,
        prompt: text?.prompt ?? '',
        reasoning: text?.reasoning ?? null,
        answer: text?.answer ?? null,
      };
    });
    return { matching, seed, rows };
  });
}

// ---------------------------------------------------------------------------------------------------------------------

async function conditionOf(tables: Tables, asked: AskedRun, question: SampleQuestion): Promise<string> {
  const conditions = ['true'];
  if (question.kept === true) conditions.push('reason IS NULL');
  if (question.dropped === 'any') conditions.push('reason IS NOT NULL');
  else if (question.dropped !== undefined) {
    const reasons = (await judgements(tables, asked)).map((each) => each.reason);
    refuseUnknown('reason', question.dropped, reasons);
    conditions.push(`reason = ${literal(question.dropped)}`);
  }
  if (question.source !== undefined) {
    const sources = await tables.rows<{ source: string }>(
      `SELECT DISTINCT source FROM (${fatesQuery(asked)}) ORDER BY source`,
    );
    const names = sources.map((each) => each.source);
    refuseUnknown('source', question.source, names);
    conditions.push(`source = ${literal(question.source)}`);
  }
  if (question.hits !== undefined) conditions.push(await hitCondition(tables, asked, question.hits));
  if (question.cluster !== undefined) conditions.push(await clusterCondition(tables, asked, question.cluster));
  return conditions.join(' AND ');
}

async function hitCondition(tables: Tables, asked: AskedRun, benchmark: string): Promise<string> {
  if (!asked.has('decontam')) {
    throw new Problem('this run was not decontaminated', {
      where: asked.run.path,
      try: 'a pipeline with the key decontam:',
    });
  }
  const files = asked.run.files('hits');
  if (files.length === 0) return 'false';
  if (benchmark === 'any') return `prompt_key IN (SELECT prompt_key FROM ${parquet(files)})`;
  const found = await tables.rows<{ benchmark: string }>(
    `SELECT DISTINCT benchmark FROM ${parquet(files)} ORDER BY benchmark`,
  );
  refuseUnknown(
    'benchmark with hits',
    benchmark,
    found.map((each) => each.benchmark),
  );
  return `prompt_key IN (SELECT prompt_key FROM ${parquet(files)} WHERE benchmark = ${literal(benchmark)})`;
}

async function clusterCondition(tables: Tables, asked: AskedRun, cluster: number): Promise<string> {
  const files = asked.run.files('clusters', 'assignments.parquet');
  if (!asked.has('cluster') || files.length === 0) {
    throw new Problem('this run has no clusters', { where: asked.run.path, try: 'a pipeline with the key cluster:' });
  }
  const { count } = await tables.row<{ count: number }>(
    `SELECT coalesce(max(cluster_id), -1) + 1 AS count FROM ${parquet(files)}`,
  );
  if (cluster >= count) {
    throw new Problem(`this run has no cluster ${cluster}`, { found: `clusters 0 to ${count - 1}` });
  }
  return `prompt_key IN (SELECT prompt_key FROM ${parquet(files)} WHERE cluster_id = ${cluster})`;
}

function refuseUnknown(kind: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const near = nearestName(name, known);
  throw new Problem(`this run has no ${kind} "${name}"`, {
    ...(near === null ? {} : { found: `did you mean ${near}?` }),
    try: known.length === 0 ? 'there is none at all' : known.join(', '),
  });
}
