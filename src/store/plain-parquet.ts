import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { writeThenRename } from './atomic.js';
import { fileEnd, type WrittenColumn } from './parquet-head.js';
import { type PlainCell, PlainColumn, type PlainKind } from './plain-columns.js';
import { RowSum } from './row-sum.js';
import type { FileSum } from './sums.js';

/** Kinds by column; a column may be a struct of others, which is never null. */
export type PlainKinds = Readonly<Record<string, PlainKind | Readonly<Record<string, PlainKind>>>>;

/**
 * Gathers rows made in JavaScript as the columns of a Parquet file of one row group: plain values, LZ4. Through DuckDB the
 * same text is copied five times and costs twice all else that is done to it.
 */
export class PlainParquet {
  rowCount = 0;
  private readonly columns: PlainColumn[];
  private readonly sum: RowSum;
  private writing = false;

  constructor(kinds: PlainKinds) {
    const leaves = Object.entries(kinds).flatMap(([name, kind]): [string[], PlainKind][] =>
      typeof kind === 'string'
        ? [[[name], kind]]
        : Object.entries(kind).map(([member, own]): [string[], PlainKind] => [[name, member], own]),
    );
    this.columns = leaves.map(([path, kind]) => new PlainColumn(path, kind));
    this.sum = new RowSum(leaves);
  }

  /**
   * Appends one row, its cells in the order of the columns, those of a struct one after another. Bytes stand for text and
   * must be UTF-8; they are copied. Numbers are whole.
   */
  add(cells: readonly PlainCell[]): void {
    const { columns } = this;
    if (cells.length !== columns.length) throw new Error(`${cells.length} cells for ${columns.length} columns`);
    for (let at = 0; at < columns.length; at += 1) (columns[at] as PlainColumn).add(cells[at] as PlainCell);
    this.sum.add(cells);
    this.rowCount += 1;
  }

  /**
   * Writes what was added as one file in the order added, whole or not at all. Returns what the file says. It is taken out
   * at once, so that rows of the next file may be added while this one is written: one file at a time.
   */
  async writeTo(path: string, temporaryFolder: string): Promise<FileSum> {
    if (this.writing) throw new Error('one file at a time');
    this.writing = true;
    try {
      const { parts, sum } = this.take();
      await writeThenRename(path, temporaryFolder, (temporaryPath) => writeParts(temporaryPath, parts));
      return sum;
    } finally {
      this.writing = false;
    }
  }

  /** Forgets what was added, and keeps the memory. */
  clear(): void {
    for (const column of this.columns) column.clear();
    this.sum.take();
    this.rowCount = 0;
  }

  /** The file, and what it says; valid until the next one is taken. */
  private take(): { parts: Buffer[]; sum: FileSum } {
    const parts: Buffer[] = [magic];
    const written: WrittenColumn[] = [];
    let start = magic.length;
    for (const column of this.columns) {
      const { pages, ...rest } = column.take();
      parts.push(pages);
      written.push({ ...rest, start, bytes: pages.length });
      start += pages.length;
    }
    const end = fileEnd(written, this.rowCount);
    const endLength = Buffer.alloc(4);
    endLength.writeUInt32LE(end.length);
    parts.push(Buffer.concat([end, endLength, magic]));
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    const sum = { ...this.sum.take(), sha256: hash.digest('hex') };
    this.rowCount = 0;
    return { parts, sum };
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const magic = Buffer.from('PAR1');

async function writeParts(path: string, parts: Buffer[]): Promise<void> {
  const handle = await open(path, 'w');
  try {
    for (let left = parts; left.length > 0; ) {
      const { bytesWritten } = await handle.writev(left);
      left = behind(left, bytesWritten);
    }
  } finally {
    await handle.close();
  }
}

/** What is left of the parts when so many bytes of them are gone. */
function behind(parts: readonly Buffer[], bytes: number): Buffer[] {
  let gone = bytes;
  const left: Buffer[] = [];
  for (const part of parts) {
    if (gone < part.length) left.push(part.subarray(gone));
    gone = Math.max(0, gone - part.length);
  }
  return left;
}
