import type { PlainKind } from './plain-columns.js';
import { encodeThrift, type ThriftField } from './thrift.js';

/** A column as the end of the file tells of it. */
export interface WrittenColumn {
  path: readonly string[];
  kind: PlainKind;
  places: number;
  /** Where its first page begins in the file. */
  start: number;
  bytes: number;
  plainBytes: number;
}

/** What stands before a page: its places, and its bytes before and after compression. */
export function pageHead(places: number, plainBytes: number, bytes: number): Buffer {
  return encodeThrift([
    [1, { i32: 0 }],
    [2, { i32: plainBytes }],
    [3, { i32: bytes }],
    [
      5,
      {
        struct: [
          [1, { i32: places }],
          [2, { i32: plain }],
          [3, { i32: runs }],
          [4, { i32: runs }],
        ],
      },
    ],
  ]);
}

/** What stands at the end of a file of one row group: its schema, and where its columns are. */
export function fileEnd(columns: readonly WrittenColumn[], rows: number): Buffer {
  const schema = schemaOf(columns);
  const group: ThriftField[] = [
    [1, { structs: columns.map(chunkOf) }],
    [2, { i64: columns.reduce((sum, column) => sum + column.plainBytes, 0) }],
    [3, { i64: rows }],
  ];
  return encodeThrift([
    [1, { i32: 1 }],
    [2, { structs: schema }],
    [3, { i64: rows }],
    [4, { structs: [group] }],
  ]);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Numbers of Parquet's own enums. */
const physical: Record<PlainKind, number> = { flag: 0, int32: 1, int64: 2, text: 6, texts: 6 };
const plain = 0;
const runs = 3;
const lz4Raw = 7;
const [required, optional, repeated] = [0, 1, 2];
const utf8 = 0;
const listOf = 3;

function chunkOf({ path, kind, places, start, bytes, plainBytes }: WrittenColumn): ThriftField[] {
  const names = kind === 'texts' ? [...path, 'list', 'element'] : path;
  return [
    [2, { i64: start }],
    [
      3,
      {
        struct: [
          [1, { i32: physical[kind] }],
          [2, { i32s: [plain, runs] }],
          [3, { texts: names }],
          [4, { i32: lz4Raw }],
          [5, { i64: places }],
          [6, { i64: plainBytes }],
          [7, { i64: bytes }],
          [9, { i64: start }],
        ],
      },
    ],
  ];
}

/** The tree of the columns, each node behind its parent. Columns of a struct stand side by side. */
function schemaOf(columns: readonly WrittenColumn[]): ThriftField[][] {
  const nodes: ThriftField[][] = [];
  const outer = [...new Set(columns.map(({ path }) => path[0] ?? ''))];
  nodes.push(nodeOf('schema', null, outer.length));
  for (const name of outer) {
    const own = columns.filter(({ path }) => path[0] === name);
    if (own.every(({ path }) => path.length > 1)) nodes.push(nodeOf(name, required, own.length));
    for (const { path, kind } of own) nodes.push(...leavesOf(path.at(-1) ?? '', kind));
  }
  return nodes;
}

function nodeOf(name: string, repetition: number | null, children: number): ThriftField[] {
  return [
    ...(repetition === null ? [] : ([[3, { i32: repetition }]] as const)),
    [4, { text: name }],
    [5, { i32: children }],
  ];
}

function leavesOf(name: string, kind: PlainKind): ThriftField[][] {
  const leaf = (leafName: string): ThriftField[] => [
    [1, { i32: physical[kind] }],
    [3, { i32: optional }],
    [4, { text: leafName }],
    ...(physical[kind] === physical.text ? ([[6, { i32: utf8 }]] as const) : []),
  ];
  if (kind !== 'texts') return [leaf(name)];
  return [[...nodeOf(name, optional, 1), [6, { i32: listOf }]], nodeOf('list', repeated, 1), leaf('element')];
}
