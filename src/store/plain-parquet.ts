import { open } from 'node:fs/promises';
import { type PlainCell, PlainColumn, type PlainKind } from './plain-columns.js';
import { type Layout, parquet, type Tables } from './tables.js';
import { encodeThrift, type ThriftField } from './thrift.js';

/**
 * Gathers rows made in JavaScript as the columns of an uncompressed Parquet file of one row group, which DuckDB then
 * reads without a copy, derives columns from and writes compressed. Appending to a table of DuckDB's copies each text
 * three times and costs more than all else that is done to it.
 */
export class PlainParquet {
  rowCount = 0;
  private readonly columns: PlainColumn[];

  constructor(columns: Readonly<Record<string, PlainKind>>) {
    this.columns = Object.entries(columns).map(([name, kind]) => new PlainColumn(name, kind));
  }

  /** Appends one row, its cells in the order of the columns. Bytes stand for text and must be UTF-8; they are copied. Numbers are whole. */
  add(cells: readonly PlainCell[]): void {
    const { columns } = this;
    if (cells.length !== columns.length) throw new Error(`${cells.length} cells for ${columns.length} columns`);
    for (let at = 0; at < columns.length; at += 1) (columns[at] as PlainColumn).add(cells[at] as PlainCell);
    this.rowCount += 1;
  }

  /** Writes what was added as one compressed Parquet file in the order added, whole or not at all, and forgets it. */
  async writeTo(tables: Tables, path: string, select: string, layout: Layout): Promise<void> {
    await tables.withScratchFile(async (scratch) => {
      await this.writePlain(scratch);
      await tables.copy(`SELECT ${select} FROM ${parquet([scratch])}`, path, layout);
    });
    for (const column of this.columns) column.clear();
    this.rowCount = 0;
  }

  private async writePlain(path: string): Promise<void> {
    const handle = await open(path, 'w');
    try {
      let offset = 0;
      const write = async (parts: readonly Buffer[]) => {
        for (const part of parts) {
          for (let at = 0; at < part.length; ) at += (await handle.write(part, at)).bytesWritten;
          offset += part.length;
        }
      };
      await write([magic]);
      const chunks: ThriftField[][] = [];
      for (const column of this.columns) {
        const start = offset;
        const page = column.page();
        await write([pageHead(column, page), ...page]);
        chunks.push(chunkOf(column, start, offset - start));
      }
      const footer = encodeThrift(fileOf(this.columns, chunks, this.rowCount, offset));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(footer.length);
      await write([footer, length, magic]);
    } finally {
      await handle.close();
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const magic = Buffer.from('PAR1');

/** Numbers of Parquet's own enums. */
const physical: Record<PlainKind, number> = { flag: 0, int32: 1, int64: 2, text: 6, texts: 6 };
const plain = 0;
const runs = 3;
const optional = 1;
const repeated = 2;
const utf8 = 0;
const listOf = 3;

function pageHead(column: PlainColumn, page: readonly Buffer[]): Buffer {
  const bytes = page.reduce((sum, part) => sum + part.length, 0);
  return encodeThrift([
    [1, { i32: 0 }],
    [2, { i32: bytes }],
    [3, { i32: bytes }],
    [
      5,
      {
        struct: [
          [1, { i32: column.places }],
          [2, { i32: plain }],
          [3, { i32: runs }],
          [4, { i32: runs }],
        ],
      },
    ],
  ]);
}

function chunkOf(column: PlainColumn, start: number, bytes: number): ThriftField[] {
  const path = column.kind === 'texts' ? [column.name, 'list', 'element'] : [column.name];
  return [
    [2, { i64: start }],
    [
      3,
      {
        struct: [
          [1, { i32: physical[column.kind] }],
          [2, { i32s: [plain, runs] }],
          [3, { texts: path }],
          [4, { i32: 0 }],
          [5, { i64: column.places }],
          [6, { i64: bytes }],
          [7, { i64: bytes }],
          [9, { i64: start }],
        ],
      },
    ],
  ];
}

function fileOf(columns: readonly PlainColumn[], chunks: ThriftField[][], rows: number, bytes: number): ThriftField[] {
  const root: ThriftField[] = [
    [4, { text: 'schema' }],
    [5, { i32: columns.length }],
  ];
  return [
    [1, { i32: 1 }],
    [2, { structs: [root, ...columns.flatMap(schemaOf)] }],
    [3, { i64: rows }],
    [
      4,
      {
        structs: [
          [
            [1, { structs: chunks }],
            [2, { i64: bytes }],
            [3, { i64: rows }],
          ],
        ],
      },
    ],
  ];
}

function schemaOf({ name, kind }: PlainColumn): ThriftField[][] {
  const leaf = (leafName: string): ThriftField[] => [
    [1, { i32: physical[kind] }],
    [3, { i32: optional }],
    [4, { text: leafName }],
    ...(physical[kind] === physical.text ? ([[6, { i32: utf8 }]] as const) : []),
  ];
  if (kind !== 'texts') return [leaf(name)];
  return [
    [
      [3, { i32: optional }],
      [4, { text: name }],
      [5, { i32: 1 }],
      [6, { i32: listOf }],
    ],
    [
      [3, { i32: repeated }],
      [4, { text: 'list' }],
      [5, { i32: 1 }],
    ],
    leaf('element'),
  ];
}
