import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BIGINT, BOOLEAN, type DuckDBValue, INTEGER, LIST, STRUCT, structValue, VARCHAR } from '@duckdb/node-api';
import { exportStage } from '../../src/export/export.js';
import type { StageContext, StageReport, TaskReport } from '../../src/pipeline/stage.js';
import type { Json } from '../../src/store/fingerprint.js';
import { RunFolder, type TableName } from '../../src/store/folder.js';
import { Tables } from '../../src/store/tables.js';

/** What a test says of a row; the rest is filled in. */
export interface TestRow {
  id: string;
  source?: string;
  group?: string;
  prompt?: string | null;
  reasoning?: string | null;
  answer?: string | null;
  system?: string | null;
  language?: string | null;
  license?: string | null;
  model?: string | null;
  words?: number;
  waits?: number;
  /** Verdicts of the filter by rule; a missing rule passes. */
  fails?: string[];
}

export const rowTypes = {
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

export const filterRules = ['domain', 'complete', 'prompt_words', 'trace_words', 'wait_count'];
export const methods = ['ngram_10', 'fuzzy_90'];

const folders: string[] = [];

/** Removes the folders of this file's runs. */
export function removeRuns(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A run folder in a temporary place, filled table by table as docs/tables.md says. */
export class SmallRun {
  readonly run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-export-')));

  constructor() {
    folders.push(this.run.path);
  }

  readonly options: StageContext['options'] = {};
  readonly warnings: string[] = [];

  /** One file of `rows/`, and of the verdicts of the stages that `options` names. */
  async addRows(file: string, rows: TestRow[]): Promise<void> {
    await this.write('rows', file, rowTypes, rows.map(rowOf));
    const judge = (stage: 'filter' | 'decontam', rules: string[]) =>
      this.options[stage] === undefined
        ? Promise.resolve()
        : this.write(
            `verdicts/${stage}`,
            file,
            { id: VARCHAR, ...Object.fromEntries(rules.map((rule) => [rule, BOOLEAN])), first_failed: VARCHAR },
            rows.map((row) => verdictOf(row, rules)),
          );
    await judge('filter', filterRules);
    await judge('decontam', methods);
  }

  async write(
    table: TableName,
    file: string,
    types: Parameters<Tables['writer']>[0],
    rows: Record<string, DuckDBValue>[],
  ): Promise<void> {
    const tables = await Tables.open({ temporaryFolder: this.run.temporary });
    const writer = await tables.writer(types);
    for (const row of rows) await writer.append(row);
    await writer.writeTo(this.run.file(table, file));
    tables.close();
  }

  writeState(path: string, content: Json): void {
    const target = this.run.state(path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, JSON.stringify(content));
  }

  context(workers = 1): StageContext {
    return {
      run: this.run,
      seed: 42,
      compute: 'native',
      workers,
      limit: null,
      options: this.options,
      resolve: (path) => path,
      expand: (text) => text,
      hash: async (path) => createHash('sha256').update(path).digest('hex'),
      openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: this.run.temporary }),
      progress: () => undefined,
      warn: (sentence) => this.warnings.push(sentence),
      signal: new AbortController().signal,
    };
  }

  /** Runs export as the pipeline does, the tasks in the order given by `order`. */
  async export(spec: { rows_per_file?: number } = {}, order: 'first' | 'last' = 'first'): Promise<StageReport> {
    const reports = await this.exportRows(spec, order);
    return exportStage.finish(reports, exportStage.options.parse(spec), this.context());
  }

  /** The Parquet files alone, without card and page. */
  async exportRows(spec: { rows_per_file?: number } = {}, order: 'first' | 'last' = 'first'): Promise<TaskReport[]> {
    const options = exportStage.options.parse(spec);
    const context = this.context(order === 'first' ? 1 : 2);
    const tasks = await exportStage.tasks(options, context);
    const reports: TaskReport[] = [];
    const indexes = tasks.map((_, index) => index);
    for (const index of order === 'first' ? indexes : indexes.reverse()) {
      const task = tasks[index];
      if (task !== undefined) reports[index] = await exportStage.work(task, options, context);
    }
    return reports;
  }

  /** Rows of the dataset, read by DuckDB's own reader, in order. */
  async dataset(columns = '*', groupBy = ''): Promise<Record<string, unknown>[]> {
    const tables = await Tables.open({ temporaryFolder: this.run.temporary });
    const rows = await tables.rows(
      `SELECT ${columns} FROM read_parquet('${this.run.table('dataset')}/*.parquet')${groupBy === '' ? '' : ` GROUP BY ${groupBy}`}`,
    );
    tables.close();
    return rows;
  }
}

export function keyOf(prompt: string): string {
  return createHash('sha256').update(prompt).digest('hex').slice(0, 32);
}

function rowOf(row: TestRow): Record<string, DuckDBValue> {
  const prompt = row.prompt === undefined ? `What is the dose of ${row.id}?` : row.prompt;
  const reasoning = row.reasoning === undefined ? `Wait, ${row.id} needs thought.` : row.reasoning;
  const answer = row.answer === undefined ? `The answer of ${row.id}.` : row.answer;
  return {
    id: row.id,
    source: row.source ?? 'general-thought',
    group: row.group ?? 'r1-traces',
    origin: structValue({ file: 'data.jsonl', row: 1n }),
    prompt,
    reasoning,
    answer,
    system: row.system ?? null,
    turns: 1,
    reference_answer: null,
    options: null,
    model: row.model === undefined ? 'DeepSeek-R1' : row.model,
    language: row.language === undefined ? 'en' : row.language,
    complete: reasoning !== null && answer !== null,
    finish_reason: null,
    prompt_key: keyOf(prompt ?? ''),
    prompt_words: 6,
    reasoning_words: row.words ?? 4,
    answer_words: 4,
    prompt_words_segmented: 7,
    reasoning_words_segmented: 5,
    answer_words_segmented: 5,
    reasoning_waits: row.waits ?? 1,
    answer_waits: 0,
    license: row.license === undefined ? 'MIT' : row.license,
    metadata: '{}',
  };
}

function verdictOf(row: TestRow, rules: string[]): Record<string, DuckDBValue> {
  const failed = rules.filter((rule) => row.fails?.includes(rule));
  const first = failed[0] === 'complete' ? 'incomplete' : (failed[0] ?? null);
  return {
    id: row.id,
    ...Object.fromEntries(rules.map((rule) => [rule, !failed.includes(rule)])),
    first_failed: first,
  };
}
