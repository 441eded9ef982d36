import { Problem } from '../problem.js';
import type { RunFolder } from '../store/folder.js';
import { parquet, type Tables } from '../store/tables.js';
import { readExemplars, readTexts } from './exemplars.js';
import { readVotes } from './vote-table.js';

/** A cluster as a person judges it. */
export interface DoubtfulCluster {
  cluster: number;
  prompts: number;
  label: string | null;
  agreement: number;
  agreementHigh: number;
  uncertain: boolean;
  decidedBy: string;
  /** The nearest to the centre first. `vote`: null for an invalid one, undefined where it was not asked. */
  exemplars: { key: string; prompt: string; vote: string | null | undefined }[];
}

/**
 * The clusters about which least is certain: uncertain ones first, then by agreement, then by how many prompts hang on
 * them; or those of `ids`. Clusters that a person decided are left out unless they are asked for.
 */
export async function leastCertain(
  run: RunFolder,
  tables: Tables,
  choice: { top: number } | { ids: readonly number[] },
): Promise<DoubtfulCluster[]> {
  const which =
    'ids' in choice
      ? `WHERE l.cluster_id IN (${[-1, ...choice.ids].join(', ')}) ORDER BY l.cluster_id`
      : `WHERE l.decided_by <> 'person' ORDER BY l.uncertain DESC, l.agreement_high, l.agreement, s.prompts DESC, l.cluster_id LIMIT ${choice.top}`;
  const rows = await tables.rows<{
    cluster_id: number;
    label: string | null;
    agreement: number;
    agreement_high: number;
    decided_by: string;
    uncertain: boolean;
    prompts: number;
  }>(
    `SELECT l.*, s.prompts FROM ${parquet([run.file('labels', 'labels.parquet')])} l
     JOIN (SELECT cluster_id, count(*)::INTEGER AS prompts FROM ${parquet([run.file('clusters', 'assignments.parquet')])}
           GROUP BY 1) s ON s.cluster_id = l.cluster_id ${which}`,
  );
  const missing = 'ids' in choice ? choice.ids.find((id) => !rows.some((row) => row.cluster_id === id)) : undefined;
  if (missing !== undefined) throw new Problem(`no cluster ${missing} in this run`, { where: run.path });
  const exemplars = await exemplarsWithVotes(run, tables, new Set(rows.map((row) => row.cluster_id)));
  return rows.map((row) => ({
    cluster: row.cluster_id,
    prompts: row.prompts,
    label: row.label,
    agreement: row.agreement,
    agreementHigh: row.agreement_high,
    uncertain: row.uncertain,
    decidedBy: row.decided_by,
    exemplars: exemplars.get(row.cluster_id) ?? [],
  }));
}

// ---------------------------------------------------------------------------------------------------------------------

const shownExemplars = 10;

async function exemplarsWithVotes(
  run: RunFolder,
  tables: Tables,
  wanted: ReadonlySet<number>,
): Promise<Map<number, DoubtfulCluster['exemplars']>> {
  const votes = new Map<string, string | null>();
  for await (const lines of readVotes(run)) {
    if (!wanted.has(lines[0]?.cluster_id ?? -1)) continue;
    for (const { prompt_key, label } of lines) votes.set(prompt_key, label);
  }
  const all = await readExemplars(tables, run, shownExemplars);
  const found = new Map<number, DoubtfulCluster['exemplars']>();
  const places: number[] = [];
  all.clusters.forEach((cluster, index) => {
    if (!wanted.has(cluster)) return;
    for (let place = all.starts[index] ?? 0; place < (all.starts[index + 1] ?? 0); place += 1) places.push(place);
  });
  const texts = new Map<number, string>();
  for await (const { place, text } of readTexts(tables, run, all, places)) texts.set(place, text);
  all.clusters.forEach((cluster, index) => {
    if (!wanted.has(cluster)) return;
    const exemplars = [];
    for (let place = all.starts[index] ?? 0; place < (all.starts[index + 1] ?? 0); place += 1) {
      const key = all.keys[place] ?? '';
      exemplars.push({ key, prompt: texts.get(place) ?? '', vote: votes.get(key) });
    }
    found.set(cluster, exemplars);
  });
  return found;
}
