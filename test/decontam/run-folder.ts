import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BOOLEAN, INTEGER, VARCHAR } from '@duckdb/node-api';
import { decontam } from '../../src/decontam/decontam.js';
import { decontamOptions } from '../../src/decontam/options.js';
import type { StageContext } from '../../src/pipeline/stage.js';
import { sha256File } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';
import { parquet, Tables } from '../../src/store/tables.js';

export interface TestRow {
  id: string;
  prompt: string;
  reasoning?: string;
  answer?: string;
  /** Default: en. */
  language?: string;
  /** Whether the filter keeps it. */
  passes?: boolean;
}

export function promptKey(prompt: string): string {
  return createHash('sha256').update(prompt).digest('hex').slice(0, 32);
}

/** A run folder with the tables that the stage reads, rows cut into files of the given sizes, and a context for it. */
export async function makeRun(rows: TestRow[], fileSizes: number[], withFilter = true): Promise<StageContext> {
  const folder = mkdtempSync(join(tmpdir(), 'curate-decontam-'));
  const run = new RunFolder(join(folder, 'run'));
  const context: StageContext = {
    run,
    seed: 42,
    compute: 'native',
    workers: 2,
    limit: null,
    options: {},
    resolve: (path) => resolve(folder, path),
    expand: (text) => text,
    hash: sha256File,
    openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: run.temporary }),
    progress: () => {},
    warn: () => {},
    signal: new AbortController().signal,
  };
  const tables = await context.openTables();
  const texts = {
    id: VARCHAR,
    prompt: VARCHAR,
    reasoning: VARCHAR,
    answer: VARCHAR,
    prompt_key: VARCHAR,
    language: VARCHAR,
  };
  const rowWriter = await tables.writer(texts);
  const promptWriter = await tables.writer({ prompt_key: VARCHAR, file: VARCHAR, row: INTEGER });
  const seen = new Set<string>();
  let next = 0;
  for (let file = 0; next < rows.length; file += 1) {
    const size = fileSizes[file] ?? rows.length;
    const name = `000-00000-${String(file).padStart(3, '0')}.parquet`;
    for (const [row, each] of rows.slice(next, next + size).entries()) {
      const { id, prompt, reasoning = null, answer = null, language = 'en' } = each;
      const prompt_key = promptKey(prompt);
      await rowWriter.append({ id, prompt, reasoning, answer, prompt_key, language });
      if (!seen.has(prompt_key)) await promptWriter.append({ prompt_key, file: name, row });
      seen.add(prompt_key);
    }
    next += size;
    await rowWriter.writeTo(run.file('rows', name));
  }
  await promptWriter.writeTo(run.file('prompts', 'prompts.parquet'));
  if (withFilter) {
    const verdicts = await tables.writer({ id: VARCHAR, complete: BOOLEAN, first_failed: VARCHAR });
    for (const { id, passes = true } of rows)
      await verdicts.append({ id, complete: passes, first_failed: passes ? null : 'incomplete' });
    await verdicts.writeTo(run.file('verdicts/filter', '00000.parquet'));
  }
  tables.close();
  return context;
}

/** Runs the stage as the pipeline does, and reads what it wrote. */
export async function runStage(context: StageContext, given: unknown) {
  const options = decontamOptions.parse(given);
  await decontam.check?.(options, context);
  const reports = [];
  for (const task of await decontam.tasks(options, context)) reports.push(await decontam.work(task, options, context));
  const report = await decontam.finish(reports, options, context);
  const tables = await context.openTables();
  const read = async (name: 'hits' | 'verdicts/decontam') => {
    const files = context.run.files(name);
    return files.length === 0 ? [] : tables.rows(`SELECT * FROM ${parquet(files)}`);
  };
  const [hits, verdicts] = [await read('hits'), await read('verdicts/decontam')];
  tables.close();
  return { report, hits, verdicts };
}
