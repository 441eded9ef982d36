import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  STRUCT,
  structValue,
  VARCHAR,
} from '@duckdb/node-api';
import { afterAll } from 'vitest';
import { filter } from '../../src/filter/filter.js';
import type { FilterOptions } from '../../src/filter/registry.js';
import type { StageContext, StageReport } from '../../src/pipeline/stage.js';
import { sha256 } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';
import { parquet, type Row, Tables } from '../../src/store/tables.js';
import { countWaits, measureWords } from '../../src/text/words.js';

/** A row as a test writes it: counts follow from the texts unless given. */
export interface RowSpec {
  id: string;
  source?: string;
  group?: string | null;
  prompt?: string;
  reasoning?: string | null;
  answer?: string | null;
  language?: string | null;
  license?: string | null;
  complete?: boolean;
  options?: string[] | null;
  metadata?: string | null;
  reasoning_waits?: number;
  reasoning_words?: number;
}

export interface ClusterSpec {
  label: string | null;
  uncertain?: boolean;
  agreement?: number;
  prompts: string[];
}

const rowTypes: Record<string, DuckDBType> = {
  id: VARCHAR,
  source: VARCHAR,
  group: VARCHAR,
  origin: STRUCT({ file: VARCHAR, row: BIGINT }),
  prompt: VARCHAR,
  reasoning: VARCHAR,
  answer: VARCHAR,
  system: VARCHAR,
  turns: INTEGER,
  reference_answer: VARCHAR,
  options: LIST(VARCHAR),
  model: VARCHAR,
  language: VARCHAR,
  complete: BOOLEAN,
  finish_reason: VARCHAR,
  prompt_key: VARCHAR,
  prompt_words: INTEGER,
  reasoning_words: INTEGER,
  answer_words: INTEGER,
  prompt_words_segmented: INTEGER,
  reasoning_words_segmented: INTEGER,
  answer_words_segmented: INTEGER,
  reasoning_waits: INTEGER,
  answer_waits: INTEGER,
  license: VARCHAR,
  metadata: VARCHAR,
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export const promptKey = (prompt: string): string => sha256(prompt).slice(0, 32);

/** A run folder whose `rows/` has these files, each with its rows. */
export async function runFolderWith(files: Record<string, RowSpec[]>): Promise<RunFolder> {
  const run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-filter-')));
  folders.push(run.path);
  await withTables(run, async (tables) => {
    const writer = await tables.writer(rowTypes);
    for (const [file, specs] of Object.entries(files)) {
      for (const [index, spec] of specs.entries()) await writer.append(rowOf(spec, index));
      await writer.writeTo(run.file('rows', file));
    }
  });
  return run;
}

/** Adds a file of `count` rows that differ in their ids alone: `<name>-<count>`, …, `<name>-1`. */
export async function writeManyRows(run: RunFolder, name: string, count: number): Promise<void> {
  await withTables(run, async (tables) => {
    const writer = await tables.writer(rowTypes);
    await writer.append(rowOf({ id: name }, 0));
    writer.flush();
    const select = `SELECT * REPLACE (id || '-' || (${count} - range) AS id) FROM ${writer.tableName}, range(${count}) ORDER BY range`;
    await tables.copy(select, run.file('rows', `${name}.parquet`));
  });
}

/** Writes `clusters/assignments.parquet`, `exemplars.parquet` and `labels/labels.parquet`. */
export async function writeClusters(run: RunFolder, clusters: ClusterSpec[]): Promise<void> {
  await withTables(run, async (tables) => {
    const assignments = await tables.writer({ prompt_key: VARCHAR, cluster_id: INTEGER, distance: FLOAT });
    const exemplars = await tables.writer({ cluster_id: INTEGER, rank: INTEGER, prompt_key: VARCHAR, distance: FLOAT });
    const labels = await tables.writer({
      cluster_id: INTEGER,
      label: VARCHAR,
      agreement: DOUBLE,
      agreement_high: DOUBLE,
      votes: INTEGER,
      decided_by: VARCHAR,
      uncertain: BOOLEAN,
    });
    for (const [id, cluster] of clusters.entries()) {
      const agreement = cluster.agreement ?? 1;
      for (const [rank, prompt] of cluster.prompts.entries()) {
        const prompt_key = promptKey(prompt);
        await assignments.append({ prompt_key, cluster_id: id, distance: 0.25 });
        await exemplars.append({ cluster_id: id, rank: rank + 1, prompt_key, distance: 0.25 });
      }
      await labels.append({
        cluster_id: id,
        label: cluster.label,
        agreement,
        agreement_high: agreement,
        votes: cluster.prompts.length,
        decided_by: 'votes',
        uncertain: cluster.uncertain ?? false,
      });
    }
    await assignments.writeTo(run.file('clusters', 'assignments.parquet'));
    await exemplars.writeTo(run.file('clusters', 'exemplars.parquet'));
    await labels.writeTo(run.file('labels', 'labels.parquet'));
  });
}

export function contextOf(run: RunFolder, options: StageContext['options'] = {}): StageContext {
  return {
    run,
    seed: 42,
    compute: 'native',
    workers: 2,
    limit: null,
    options,
    resolve: (path) => path,
    expand: (text) => text,
    hash: () => Promise.reject(new Error('the filter hashes nothing')),
    openTables: (wanted) => Tables.open({ ...wanted, temporaryFolder: run.temporary }),
    progress: () => {},
    warn: () => {},
    signal: new AbortController().signal,
  };
}

/** Runs the stage as the pipeline does, with options as a pipeline file writes them. */
export async function runFilter(
  run: RunFolder,
  spec: unknown,
  stages: StageContext['options'] = {},
): Promise<StageReport> {
  const options: FilterOptions = filter.options.parse(spec);
  const context = contextOf(run, stages);
  await filter.check?.(options, context);
  const tasks = await filter.tasks(options, context);
  const reports = [];
  for (const task of tasks) reports.push(await filter.work(task, options, context));
  return filter.finish(JSON.parse(JSON.stringify(reports)), options, context);
}

/** All verdicts of the filter in order. */
export async function verdicts(run: RunFolder): Promise<Row[]> {
  return withTables(run, (tables) =>
    tables.rows(`SELECT * EXCLUDE (measured) FROM ${parquet(run.files('verdicts/filter'))}`),
  );
}

export async function withTables<T>(run: RunFolder, use: (tables: Tables) => Promise<T>): Promise<T> {
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  try {
    return await use(tables);
  } finally {
    tables.close();
  }
}

function rowOf(spec: RowSpec, index: number): Record<string, DuckDBValue> {
  const prompt = spec.prompt ?? `what is the meaning of ${spec.id}`;
  const reasoning = spec.reasoning === undefined ? 'thinking about it' : spec.reasoning;
  const answer = spec.answer === undefined ? 'the answer' : spec.answer;
  const count = (text: string | null) => (text === null ? { words: null, segmented: null } : measureWords(text));
  return {
    id: spec.id,
    source: spec.source ?? 'one',
    group: spec.group === undefined ? 'traces' : spec.group,
    origin: structValue({ file: 'input.jsonl', row: BigInt(index) }),
    prompt,
    reasoning,
    answer,
    turns: 1,
    options: spec.options == null ? null : listValue(spec.options),
    language: spec.language === undefined ? 'en' : spec.language,
    complete: spec.complete ?? (reasoning !== null && answer !== null),
    prompt_key: promptKey(prompt),
    prompt_words: count(prompt).words,
    reasoning_words: spec.reasoning_words ?? count(reasoning).words,
    answer_words: count(answer).words,
    prompt_words_segmented: count(prompt).segmented,
    reasoning_words_segmented: count(reasoning).segmented,
    answer_words_segmented: count(answer).segmented,
    reasoning_waits: spec.reasoning_waits ?? (reasoning === null ? null : countWaits(reasoning)),
    answer_waits: answer === null ? null : countWaits(answer),
    license: spec.license === undefined ? 'apache-2.0' : spec.license,
    metadata: spec.metadata ?? null,
  };
}
