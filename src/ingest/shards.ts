import type { RunFolder } from '../store/folder.js';
import type { PlainKind } from '../store/plain-columns.js';
import { PlainParquet } from '../store/plain-parquet.js';
import type { BadReading } from '../store/readers/reading.js';
import type { FileSum } from '../store/sums.js';
import type { Layout } from '../store/tables.js';
import type { Canonical } from './canonical.js';
import { quarantineKinds, rowKinds } from './row.js';

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

/** How shards are written again: as `PlainParquet` writes them. */
export const rowsLayout: Layout = { codec: 'lz4_raw' };

export function shardName(entry: number, task: number, part: number): string {
  return `${taskName(entry, task)}-${String(part).padStart(3, '0')}.parquet`;
}

export function taskName(entry: number, task: number): string {
  return `${String(entry).padStart(3, '0')}-${String(task).padStart(5, '0')}`;
}

export function keysPath(run: RunFolder, entry: number, task: number): string {
  return run.state('ingest', `${taskName(entry, task)}.parquet`);
}

/** A worker does one task at a time: their memory is used again. */
const rows = new PlainParquet(rowKinds);
const keys = new PlainParquet(keyKinds);
const quarantine = new PlainParquet(quarantineKinds);

/** Writes one task's rows, quarantine and keys; nothing of them is seen before it is whole. */
export class ShardWriter {
  private readonly writes: { file: string; sum: Promise<FileSum> }[] = [];
  private readonly run: RunFolder;
  private readonly entry: number;
  private readonly task: number;
  private readonly rows = rows;
  private readonly keys = keys;
  private readonly quarantine = quarantine;
  private part = 0;
  private units = 0;

  constructor(run: RunFolder, entry: number, task: number) {
    this.run = run;
    this.entry = entry;
    this.task = task;
    for (const table of [rows, keys, quarantine]) table.clear();
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
      file,
      fileRow,
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
    ]);
    this.units += size;
    if (this.rows.rowCount >= partRows || this.units >= partUnits) await this.closePart();
  }

  reject(source: string, file: string, reading: Omit<BadReading, 'kind' | 'reason'> & { reason: string }): void {
    const { index, offset, reason, excerpt } = reading;
    this.quarantine.add([source, file, index, offset, reason, excerpt]);
  }

  /**
   * Writes what is left and waits for all. A task without rows leaves no part, one without quarantine none of that. Returns
   * the files, and by file what it says.
   */
  async close(): Promise<{ files: string[]; sums: Record<string, FileSum> }> {
    if (this.rows.rowCount > 0) await this.closePart();
    const { run, entry, task } = this;
    this.begin(keysPath(run, entry, task), this.keys);
    if (this.quarantine.rowCount > 0)
      this.begin(run.file('quarantine', `${taskName(entry, task)}.parquet`), this.quarantine);
    await this.settle();
    const sums: Record<string, FileSum> = {};
    for (const { file, sum } of this.writes) sums[file] = await sum;
    return { files: Object.keys(sums), sums };
  }

  /** Waits until nothing is being written any more, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.writes.map(({ sum }) => sum));
  }

  /** The part is written while the next one fills. */
  private async closePart(): Promise<void> {
    await this.writes.at(-1)?.sum;
    this.begin(this.run.file('rows', shardName(this.entry, this.task, this.part)), this.rows);
    this.part += 1;
    this.units = 0;
  }

  private begin(path: string, table: PlainParquet): void {
    const sum = table.writeTo(path, this.run.temporary);
    // Awaited later, but may be rejected before.
    sum.catch(() => undefined);
    this.writes.push({ file: this.run.relative(path), sum });
  }
}
