import type { DuckDBType } from '@duckdb/node-api';
import type { RunFolder } from '../store/folder.js';
import type { PlainKind } from '../store/plain-columns.js';
import { PlainParquet } from '../store/plain-parquet.js';
import type { BadReading } from '../store/readers/reading.js';
import { identifier, type Layout, type Tables } from '../store/tables.js';
import type { Canonical } from './canonical.js';
import { quarantineTypes, rowTypes } from './row.js';

/** A part of a task's rows is closed when it has so many rows, or so many UTF-16 units of text. */
const partRows = 2048;
const partUnits = 32 << 20;

/** What the merge at the end must know of each row, so that it need not read texts. */
const keyKinds: Record<string, PlainKind> = {
  entry: 'int32',
  task: 'int32',
  part: 'int32',
  row: 'int32',
  id: 'text',
  content_key: 'text',
  prompt_key: 'text',
  file: 'text',
  file_row: 'int64',
};

/** How `rows/` are written: much text, read a few times. */
export const rowsLayout: Layout = { level: 1 };

/** The columns as they are gathered: `ShardWriter.add` has them in this order. */
const { origin: _, ...plainTypes } = rowTypes;
const rowKinds: Record<string, PlainKind> = { ...kindsOf(plainTypes), origin_file: 'text', origin_row: 'int64' };
const rowColumns = Object.keys(rowTypes)
  .map((name) => (name === 'origin' ? `{'file': origin_file, 'row': origin_row} AS origin` : identifier(name)))
  .join(', ');

function kindsOf(types: Readonly<Record<string, DuckDBType>>): Record<string, PlainKind> {
  const kinds: Record<string, PlainKind> = {
    VARCHAR: 'text',
    'VARCHAR[]': 'texts',
    INTEGER: 'int32',
    BIGINT: 'int64',
    BOOLEAN: 'flag',
  };
  const kindOf = (type: DuckDBType): PlainKind => {
    const kind = kinds[type.toString()];
    if (kind === undefined) throw new Error(`no plain column holds ${type}`);
    return kind;
  };
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, kindOf(type)]));
}

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
  private readonly tables: Tables;
  private readonly rows = new PlainParquet(rowKinds);
  private readonly keys = new PlainParquet(keyKinds);
  private readonly quarantine = new PlainParquet(kindsOf(quarantineTypes));
  private part = 0;
  private units = 0;

  constructor(tables: Tables, run: RunFolder, entry: number, task: number) {
    this.tables = tables;
    this.run = run;
    this.entry = entry;
    this.task = task;
  }

  async add({ row, contentKey, size, utf8 }: Canonical): Promise<void> {
    const { file, row: fileRow } = row.origin;
    const { entry, task, part } = this;
    this.keys.add([entry, task, part, this.rows.rowCount, row.id, contentKey, row.prompt_key, file, fileRow]);
    // One by one: spread into a new object, the cells of a row cost as much as hashing its texts.
    this.rows.add([
      row.id,
      row.source,
      row.group,
      utf8.prompt,
      utf8.reasoning,
      utf8.answer,
      row.system,
      row.turns,
      row.reference_answer,
      row.options,
      row.model,
      row.language,
      row.complete,
      row.finish_reason,
      row.prompt_key,
      row.prompt_words,
      row.reasoning_words,
      row.answer_words,
      row.prompt_words_segmented,
      row.reasoning_words_segmented,
      row.answer_words_segmented,
      row.reasoning_waits,
      row.answer_waits,
      row.license,
      row.metadata,
      file,
      fileRow,
    ]);
    this.units += size;
    if (this.rows.rowCount >= partRows || this.units >= partUnits) await this.closePart();
  }

  reject(source: string, file: string, reading: Omit<BadReading, 'kind' | 'reason'> & { reason: string }): void {
    const { index, offset, reason, excerpt } = reading;
    this.quarantine.add([source, file, index, offset, reason, excerpt]);
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
    const path = this.run.file('rows', shardName(this.entry, this.task, this.part));
    await this.write(path, this.rows, rowColumns, rowsLayout);
    this.part += 1;
    this.units = 0;
  }

  private async write(path: string, table: PlainParquet, select = '*', layout: Layout = {}): Promise<void> {
    await table.writeTo(this.tables, path, select, layout);
    this.files.push(this.run.relative(path));
  }
}
