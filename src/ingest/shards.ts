import { BIGINT, type DuckDBType, type DuckDBValue, INTEGER, listValue, VARCHAR } from '@duckdb/node-api';
import type { RunFolder } from '../store/folder.js';
import type { BadReading } from '../store/readers/reading.js';
import { identifier, type Tables, type TableWriter } from '../store/tables.js';
import type { Canonical } from './canonical.js';
import { quarantineTypes, rowTypes } from './row.js';

/** A part of a task's rows is closed when it has so many rows, or so many UTF-16 units of text. */
const partRows = 2048;
const partUnits = 32 << 20;

/** What the merge at the end must know of each row, so that it need not read texts. */
export const keyTypes: Record<string, DuckDBType> = {
  entry: INTEGER,
  task: INTEGER,
  part: INTEGER,
  row: INTEGER,
  id: VARCHAR,
  content_key: VARCHAR,
  prompt_key: VARCHAR,
  file: VARCHAR,
  file_row: BIGINT,
};

const { origin: _, ...plainTypes } = rowTypes;
const appendedTypes: Record<string, DuckDBType> = { ...plainTypes, origin_file: VARCHAR, origin_row: BIGINT };
const rowColumns = Object.keys(rowTypes)
  .map((name) => (name === 'origin' ? `{'file': origin_file, 'row': origin_row} AS origin` : identifier(name)))
  .join(', ');

export function shardName(entry: number, task: number, part: number): string {
  return `${taskName(entry, task)}-${String(part).padStart(3, '0')}.parquet`;
}

export function taskName(entry: number, task: number): string {
  return `${String(entry).padStart(3, '0')}-${String(task).padStart(5, '0')}`;
}

export function keysPath(run: RunFolder, entry: number, task: number): string {
  return run.state('ingest', `${taskName(entry, task)}.parquet`);
}

/** Writes one task's rows, quarantine and keys; nothing of them is seen before it is whole. */
export class ShardWriter {
  readonly files: string[] = [];
  private readonly run: RunFolder;
  private readonly entry: number;
  private readonly task: number;
  private readonly rows: TableWriter;
  private readonly keys: TableWriter;
  private readonly quarantine: TableWriter;
  private part = 0;
  private units = 0;

  private constructor(run: RunFolder, entry: number, task: number, writers: [TableWriter, TableWriter, TableWriter]) {
    this.run = run;
    this.entry = entry;
    this.task = task;
    [this.rows, this.keys, this.quarantine] = writers;
  }

  static async open(tables: Tables, run: RunFolder, entry: number, task: number): Promise<ShardWriter> {
    const writers = [appendedTypes, keyTypes, quarantineTypes].map((types) => tables.writer(types));
    return new ShardWriter(run, entry, task, (await Promise.all(writers)) as [TableWriter, TableWriter, TableWriter]);
  }

  async add({ row, contentKey, size }: Canonical): Promise<void> {
    await this.keys.append({
      entry: this.entry,
      task: this.task,
      part: this.part,
      row: this.rows.rowCount,
      id: row.id,
      content_key: contentKey,
      prompt_key: row.prompt_key,
      file: row.origin.file,
      file_row: BigInt(row.origin.row),
    });
    const cells = row as unknown as Record<string, DuckDBValue>;
    // The origin is appended as two columns and put together by SQL, which is much cheaper.
    await this.rows.append({
      ...cells,
      origin_file: row.origin.file,
      origin_row: BigInt(row.origin.row),
      options: row.options === null ? null : listValue(row.options),
    });
    this.units += size;
    if (this.rows.rowCount >= partRows || this.units >= partUnits) await this.closePart();
  }

  async reject(
    source: string,
    file: string,
    reading: Omit<BadReading, 'kind' | 'reason'> & { reason: string },
  ): Promise<void> {
    await this.quarantine.append({
      source,
      file,
      row: BigInt(reading.index),
      offset: reading.offset === null ? null : BigInt(reading.offset),
      reason: reading.reason,
      excerpt: reading.excerpt,
    });
  }

  /** Writes what is left. A task without rows leaves no part, one without quarantine none of that. */
  async close(): Promise<void> {
    if (this.rows.rowCount > 0) await this.closePart();
    await this.write(keysPath(this.run, this.entry, this.task), this.keys);
    if (this.quarantine.rowCount > 0) {
      await this.write(this.run.file('quarantine', `${taskName(this.entry, this.task)}.parquet`), this.quarantine);
    }
  }

  private async closePart(): Promise<void> {
    await this.write(this.run.file('rows', shardName(this.entry, this.task, this.part)), this.rows, rowColumns);
    this.part += 1;
    this.units = 0;
  }

  private async write(path: string, writer: TableWriter, select = '*'): Promise<void> {
    await writer.writeTo(path, select);
    this.files.push(this.run.relative(path));
  }
}
