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

  /** Writes what was added as one file in the order added, whole or not at all, and forgets it. Returns what the file says. */
  async writeTo(path: string, temporaryFolder: string): Promise<FileSum> {
    const sha256 = await writeThenRename(path, temporaryFolder, (temporaryPath) => this.write(temporaryPath));
    const sum = { ...this.sum.take(), sha256 };
    this.clear();
    return sum;
  }

  /** Forgets what was added, and keeps the memory. */
  clear(): void {
    for (const column of this.columns) column.clear();
    this.sum.take();
    this.rowCount = 0;
  }

  private async write(path: string): Promise<string> {
    const handle = await open(path, 'w');
    const hash = createHash('sha256');
    let length = 0;
    const write = async (part: Buffer) => {
      hash.update(part);
      length += part.length;
      for (let at = 0; at < part.length; ) at += (await handle.write(part, at)).bytesWritten;
    };
    try {
      await write(magic);
      const written: WrittenColumn[] = [];
      for (const column of this.columns) {
        const start = length;
        const chunk = column.chunk();
        await write(chunk);
        const { path, kind, places, plainBytes } = column;
        written.push({ path, kind, places, plainBytes, start, bytes: chunk.length });
      }
      const end = fileEnd(written, this.rowCount);
      const endLength = Buffer.alloc(4);
      endLength.writeUInt32LE(end.length);
      await write(Buffer.concat([end, endLength, magic]));
      return hash.digest('hex');
    } finally {
      await handle.close();
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const magic = Buffer.from('PAR1');
