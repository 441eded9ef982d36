import { literal, parquet, type Tables } from '../store/tables.js';
import { type ExemplarVote, readClusterVotes } from './cluster-votes.js';
import { type AskedRun, baseRelation, placeKey, readRows } from './fates.js';

export interface ClusterExplanation {
  id: number;
  label: string | null;
  agreement: number | null;
  agreementHigh: number | null;
  votes: number | null;
  decidedBy: string | null;
  uncertain: boolean | null;
  distance: number;
  prompts: number;
  /** The prompts nearest to the centre, and what each voted; null: it did not vote. */
  exemplars: { rank: number; prompt: string; vote: ExemplarVote | null }[];
}

/** The cluster of a prompt with its label; null where the prompt has none. */
export async function clusterOf(
  tables: Tables,
  asked: AskedRun,
  promptKey: string,
): Promise<ClusterExplanation | null> {
  const assignments = asked.run.files('clusters', 'assignments.parquet');
  if (!asked.has('cluster') || assignments.length === 0) return null;
  const [own] = await tables.rows<{ cluster_id: number; distance: number }>(
    `SELECT cluster_id, distance FROM ${parquet(assignments)} WHERE prompt_key = ${literal(promptKey)}`,
  );
  if (own === undefined) return null;
  const id = own.cluster_id;
  const { prompts } = await tables.row<{ prompts: number }>(
    `SELECT count(*) AS prompts FROM ${parquet(assignments)} WHERE cluster_id = ${id}`,
  );
  const labels = asked.run.files('labels', 'labels.parquet');
  const [label] =
    asked.has('classify') && labels.length > 0
      ? await tables.rows(`SELECT * FROM ${parquet(labels)} WHERE cluster_id = ${id}`)
      : [];
  return {
    id,
    label: (label?.label as string | undefined) ?? null,
    agreement: (label?.agreement as number | undefined) ?? null,
    agreementHigh: (label?.agreement_high as number | undefined) ?? null,
    votes: (label?.votes as number | undefined) ?? null,
    decidedBy: (label?.decided_by as string | undefined) ?? null,
    uncertain: (label?.uncertain as boolean | undefined) ?? null,
    distance: own.distance,
    prompts,
    exemplars: await exemplarsOf(tables, asked, id),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

async function exemplarsOf(tables: Tables, asked: AskedRun, cluster: number): Promise<ClusterExplanation['exemplars']> {
  const files = asked.run.files('clusters', 'exemplars.parquet');
  if (files.length === 0) return [];
  const ranked = await tables.rows<{ rank: number; prompt_key: string }>(
    `SELECT rank, prompt_key FROM ${parquet(files)} WHERE cluster_id = ${cluster} ORDER BY rank LIMIT 10`,
  );
  if (ranked.length === 0) return [];
  const keys = ranked.map((each) => literal(each.prompt_key)).join(', ');
  // Each distinct prompt stands in `prompts` once, which is half the size of anything that has a line per row.
  const distinct = asked.run.files('prompts');
  const places = await tables.rows<{ file: string; row: number; prompt_key: string }>(
    `SELECT DISTINCT ON (prompt_key) file, row, prompt_key
     FROM ${distinct.length > 0 ? parquet(distinct) : baseRelation(asked)}
     WHERE prompt_key IN (${keys}) ORDER BY prompt_key, file, row`,
  );
  const texts = await readRows<{ prompt: string }>(tables, asked.run, places, ['prompt']);
  const prompts = new Map(places.map((each) => [each.prompt_key, texts.get(placeKey(each))?.prompt ?? '']));
  const votes = asked.has('classify') ? readClusterVotes(asked.run.file('labels', 'votes.jsonl'), cluster) : [];
  return ranked.map(({ rank, prompt_key }) => ({
    rank,
    prompt: prompts.get(prompt_key) ?? '',
    vote: votes.find((vote) => vote.rank === rank) ?? null,
  }));
}
