import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BIGINT, FLOAT, INTEGER, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { embedTexts } from '../../src/compute/embedder.js';
import type { StageContext } from '../../src/pipeline/stage.js';
import { sha256File } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';
import { parquet, type Row, Tables } from '../../src/store/tables.js';
import { writeVectors } from '../../src/store/vectors.js';

/** The `prompt_key` of a text, by the rule of docs/tables.md. */
export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** An empty folder that the test may write to. */
export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'curate-classify-'));
}

/**
 * A run folder with the tables that classify reads, one cluster per list of texts, the first nearest to the centre.
 * `exemplars`: how many of each are exemplars; the others stand in the assignments alone.
 */
export async function smallRun(
  clusters: readonly (readonly string[])[],
  { exemplars = 10, vectors = false }: { exemplars?: number; vectors?: boolean } = {},
): Promise<RunFolder> {
  const run = new RunFolder(emptyFolder());
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  const texts = clusters.flat();
  const prompts = await tables.writer({ prompt_key: VARCHAR, file: VARCHAR, row: BIGINT, groups: LIST(VARCHAR) });
  const rows = await tables.writer({ id: VARCHAR, group: VARCHAR, prompt: VARCHAR, prompt_key: VARCHAR });
  // Rows stand in another order than clusters, as they do in a real run.
  const order = texts.map((_, index) => (index * 7919) % texts.length);
  const inOrder = new Set(order).size === texts.length ? order : texts.map((_, index) => index);
  for (const [row, index] of inOrder.entries()) {
    const text = texts[index] ?? '';
    await rows.append({ id: `row-${index}`, group: 'g', prompt: text, prompt_key: keyOf(text) });
    await prompts.append({
      prompt_key: keyOf(text),
      file: '000-00000-000.parquet',
      row: BigInt(row),
      groups: listValue(['g']),
    });
  }
  await rows.writeTo(run.file('rows', '000-00000-000.parquet'));
  await prompts.writeTo(run.file('prompts', 'prompts.parquet'));
  const assigned = await tables.writer({ prompt_key: VARCHAR, cluster_id: INTEGER, distance: FLOAT });
  const nearest = await tables.writer({ cluster_id: INTEGER, rank: INTEGER, prompt_key: VARCHAR, distance: FLOAT });
  for (const [cluster, members] of clusters.entries()) {
    for (const [place, text] of members.entries()) {
      await assigned.append({ prompt_key: keyOf(text), cluster_id: cluster, distance: place / 8 });
      if (place >= exemplars) continue;
      await nearest.append({ cluster_id: cluster, rank: place + 1, prompt_key: keyOf(text), distance: place / 8 });
    }
  }
  await assigned.writeTo(run.file('clusters', 'assignments.parquet'));
  await nearest.writeTo(run.file('clusters', 'exemplars.parquet'));
  tables.close();
  if (vectors) {
    await writeVectors(run.file('vectors', '00000.arrow'), run.temporary, {
      keys: texts.map(keyOf),
      vectors: await embedTexts(texts, { compute: 'native' }),
      dimensions: 384,
    });
  }
  return run;
}

/** A context as the pipeline makes it, whose warnings are kept. */
export function contextOf(
  run: RunFolder,
  signal = new AbortController().signal,
): StageContext & { warnings: string[] } {
  const warnings: string[] = [];
  return {
    run,
    seed: 42,
    compute: 'native',
    workers: 2,
    limit: null,
    options: {},
    resolve: (path) => resolve(run.path, path),
    expand: (text) => text.replace(/\$\{([^}]*)\}/g, (_, name: string) => process.env[name] ?? ''),
    hash: sha256File,
    openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: run.temporary }),
    progress: () => {},
    warn: (sentence) => warnings.push(sentence),
    signal,
    warnings,
  };
}

/** All rows of labels.parquet, by cluster. */
export async function labelsOf(run: RunFolder): Promise<Row[]> {
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  try {
    return await tables.rows(`SELECT * FROM ${parquet([run.file('labels', 'labels.parquet')])} ORDER BY cluster_id`);
  } finally {
    tables.close();
  }
}

/** Writes a text file into the run folder (where paths of the options are resolved) and returns its path. */
export function put(run: RunFolder, name: string, content: string): string {
  mkdirSync(run.path, { recursive: true });
  const path = join(run.path, name);
  writeFileSync(path, content);
  return path;
}
