import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { literal, parquet, Tables } from '../store/tables.js';
import { counted, number, Output, type OutputOptions, safe, withCommonOptions } from './output.js';

interface ClustersOptions extends OutputOptions {
  id?: number;
  top: number;
}

type ClusterRow = {
  cluster_id: number;
  size: number;
  label: string | null;
  agreement: number | null;
  decided_by: string | null;
  uncertain: boolean | null;
  prompt_key: string;
  [column: string]: string | number | boolean | null;
};

/** `curate clusters`. */
export function addClusters(program: Command): void {
  const command = program
    .command('clusters <run>')
    .summary('sizes, labels, agreement, exemplars')
    .description('Shows the clusters of a run, the largest first, or with --id one of them and what stands for it.')
    .option('--id <n>', 'one cluster with its exemplars', identifier)
    .option('--top <n>', 'clusters to show', identifier, 20);
  withCommonOptions(
    command,
    'curate clusters runs/quickstart\ncurate clusters runs/quickstart --id 17\ncurate clusters runs/quickstart --json',
  ).action(async (folder: string, options: ClustersOptions) => {
    const output = new Output(options);
    const run = new RunFolder(resolve(folder));
    if (!existsSync(run.file('clusters', 'assignments.parquet'))) {
      throw new Problem('this run has no clusters yet', { where: run.path, try: 'curate run … --to cluster' });
    }
    const tables = await Tables.open({ temporaryFolder: run.temporary });
    try {
      if (options.id === undefined) await showAll(output, run, tables, options.top);
      else await showOne(output, run, tables, options.id);
    } finally {
      tables.close();
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------

async function showAll(output: Output, run: RunFolder, tables: Tables, top: number): Promise<void> {
  const found = await tables.rows<ClusterRow>(`${clusters(run)} ORDER BY size DESC, cluster_id LIMIT ${top}`);
  const sizes = await tables.row<{ clusters: number; prompts: number; least: number; median: number; most: number }>(
    `SELECT count(*) AS clusters, sum(size)::BIGINT AS prompts, min(size) AS least, median(size) AS median, max(size) AS most
     FROM (${clusters(run)})`,
  );
  const texts = await promptTexts(
    run,
    tables,
    found.map((row) => row.prompt_key),
  );
  const sentence = `${counted(sizes.clusters, 'cluster')} of ${counted(sizes.prompts, 'prompt')} · sizes ${number(sizes.least)} to ${number(sizes.most)}, median ${number(sizes.median)}`;
  output.result({
    ...sizes,
    shown: found.map((row) => ({ ...row, prompt: texts.get(row.prompt_key) ?? null })) as unknown as Json,
    sentence,
  });
  output.table(
    ['cluster', 'prompts', 'label', 'agreement', 'nearest to its centre'],
    found.map((row) => [
      row.cluster_id,
      row.size,
      labelOf(row),
      row.agreement === null ? '' : `${Math.round(row.agreement * 100)} %`,
      texts.get(row.prompt_key) ?? '',
    ]),
  );
  output.line();
  output.close(sentence);
}

async function showOne(output: Output, run: RunFolder, tables: Tables, id: number): Promise<void> {
  const [found] = await tables.rows<ClusterRow>(`${clusters(run)} WHERE s.cluster_id = ${id}`);
  if (found === undefined) {
    const { last } = await tables.row<{ last: number }>(`SELECT max(cluster_id) AS last FROM (${clusters(run)})`);
    throw new Problem(`no cluster ${id}`, { where: run.path, found: `clusters 0 to ${last}` });
  }
  const exemplars = await tables.rows<{ rank: number; prompt_key: string; distance: number }>(
    `SELECT rank, prompt_key, distance FROM ${parquet([run.file('clusters', 'exemplars.parquet')])}
     WHERE cluster_id = ${id} ORDER BY rank`,
  );
  const texts = await promptTexts(
    run,
    tables,
    exemplars.map((row) => row.prompt_key),
  );
  const sentence = `cluster ${id} · ${counted(found.size, 'prompt')} · ${labelOf(found) || 'not labelled'}`;
  output.result({
    ...found,
    exemplars: exemplars.map((row) => ({ ...row, prompt: texts.get(row.prompt_key) ?? null })) as unknown as Json,
    sentence,
  });
  output.table(
    ['rank', 'distance', 'prompt'],
    exemplars.map((row) => [row.rank, row.distance.toFixed(4), texts.get(row.prompt_key) ?? '']),
  );
  if (found.decided_by !== null) {
    output.line();
    output.line(`label ${safe(labelOf(found))}, decided by ${safe(found.decided_by)}`);
  }
  output.line();
  output.close(sentence);
}

/** A row per cluster: size, the prompt nearest to its centre, and the label where there is one yet. */
function clusters(run: RunFolder): string {
  const labels = run.file('labels', 'labels.parquet');
  const labelled = existsSync(labels)
    ? parquet([labels])
    : `(SELECT -1 AS cluster_id, NULL::VARCHAR AS label, NULL::DOUBLE AS agreement, NULL::VARCHAR AS decided_by,
         NULL::BOOLEAN AS uncertain)`;
  return `SELECT s.cluster_id, s.size, l.label, l.agreement, l.decided_by, l.uncertain, e.prompt_key
    FROM (SELECT cluster_id, count(*) AS size FROM ${parquet([run.file('clusters', 'assignments.parquet')])} GROUP BY 1) s
    JOIN ${parquet([run.file('clusters', 'exemplars.parquet')])} e ON e.cluster_id = s.cluster_id AND e.rank = 1
    LEFT JOIN ${labelled} l ON l.cluster_id = s.cluster_id`;
}

/** The beginnings of prompts, each read from the one row of `rows/` where it first stands. */
async function promptTexts(run: RunFolder, tables: Tables, keys: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  if (keys.length === 0) return texts;
  const places = await tables.rows<{ key: string; file: string; row: number }>(
    `SELECT prompt_key AS key, file, row FROM ${parquet([run.file('prompts', 'prompts.parquet')])}
     WHERE prompt_key IN (${keys.map(literal).join(', ')})`,
  );
  for (const { key, file, row } of places) {
    const { prompt } = await tables.row<{ prompt: string }>(
      `SELECT left(prompt, 300) AS prompt FROM ${parquet([join(run.table('rows'), file)], 'file_row_number=true')}
       WHERE file_row_number = ${row}`,
    );
    texts.set(key, prompt);
  }
  return texts;
}

function labelOf(row: ClusterRow): string {
  return row.label === null ? '' : `${row.label}${row.uncertain === true ? ' (uncertain)' : ''}`;
}

function identifier(value: string): number {
  const id = Number(value);
  if (!Number.isInteger(id) || id < 0) throw new InvalidArgumentError('a whole number.');
  return id;
}
