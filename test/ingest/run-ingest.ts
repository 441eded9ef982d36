import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ingest } from '../../src/ingest/ingest.js';
import type { Progress, StageContext, StageInput, StageReport, TaskReport } from '../../src/pipeline/stage.js';
import { sha256File } from '../../src/store/fingerprint.js';
import { RunFolder, type TableName } from '../../src/store/folder.js';
import { parquet, type Row, Tables } from '../../src/store/tables.js';

/** A run folder in which the stage alone is run, task after task, as the pipeline would. */
export class IngestRun {
  readonly run: RunFolder;
  readonly folder: string;
  readonly warnings: string[] = [];
  readonly progress: Progress[] = [];
  seed = 42;
  limit: number | null = null;

  /** `folder`: to which the paths of the options are relative. */
  constructor(folder: string) {
    this.folder = folder;
    this.run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-ingest-')));
  }

  context(): StageContext {
    return {
      run: this.run,
      seed: this.seed,
      compute: 'native',
      workers: 1,
      limit: this.limit,
      options: {},
      resolve: (path) => resolve(this.folder, path),
      expand: (text) => text,
      hash: sha256File,
      openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: this.run.temporary }),
      progress: (progress) => this.progress.push(progress),
      warn: (sentence) => this.warnings.push(sentence),
      signal: new AbortController().signal,
    };
  }

  /** Everything that the stage does, in the order of the pipeline; `order` may turn the tasks round. */
  async all(spec: unknown, order: <T>(tasks: T[]) => T[] = (tasks) => tasks): Promise<StageReport> {
    const options = ingest.options.parse(spec);
    const context = this.context();
    await ingest.check?.(options, context);
    const tasks = await ingest.tasks(options, context);
    const reports = new Map<unknown, TaskReport>();
    for (const task of order([...tasks])) reports.set(task, await ingest.work(task, options, context));
    return ingest.finish(
      tasks.map((task) => reports.get(task) as TaskReport),
      options,
      context,
    );
  }

  async inputs(spec: unknown): Promise<StageInput[]> {
    return ingest.inputs(ingest.options.parse(spec), this.context());
  }

  async table(name: TableName, select = '*'): Promise<Row[]> {
    const files = this.run.files(name);
    if (files.length === 0) return [];
    const tables = await this.context().openTables();
    try {
      return await tables.rows(`SELECT ${select} FROM ${parquet(files)}`);
    } finally {
      tables.close();
    }
  }

  async query(sql: string): Promise<Row[]> {
    const tables = await this.context().openTables();
    try {
      return await tables.rows(sql);
    } finally {
      tables.close();
    }
  }

  /** SHA-256 of every file of a table, by name. */
  async hashes(name: TableName): Promise<Record<string, string>> {
    const hashes: Record<string, string> = {};
    for (const file of this.run.files(name)) hashes[this.run.relative(file)] = await sha256File(file);
    return hashes;
  }

  remove(): void {
    rmSync(this.run.path, { recursive: true, force: true });
  }
}
