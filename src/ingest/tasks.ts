import { stat } from 'node:fs/promises';
import { readBlocks } from '../store/readers/bytes.js';
import { detectFormat } from '../store/readers/format.js';
import { cutJsonValues } from '../store/readers/json-values.js';
import { readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Tables } from '../store/tables.js';
import type { SourceFile } from './files.js';
import type { Source } from './sources.js';

/**
 * One piece of one file. Pieces are cut by bytes of the input alone. Its `kind` says how `start` and `end` are meant:
 * bytes of a JSONL file or (values) of a JSON file, rows of a Parquet file, or (whole) nothing, the file being read from its
 * beginning.
 */
export type IngestTask = {
  entry: number;
  /** Counts within the entry. */
  task: number;
  file: string;
  kind: 'lines' | 'values' | 'rows' | 'whole';
  start: number;
  end: number;
  /** Line, or value, with which a piece of a JSONL or JSON file begins. */
  firstLine: number;
  /** Of a piece of a JSON file: what its objects begin with, by which the reader finds back behind a broken one. */
  firstKey: string | null;
  /** Offsets of what is read are then not those of the file. */
  compressed: boolean;
  /** Read no more rows than this; null: all. */
  rows: number | null;
  /** Weight in the progress: bytes. */
  size: number;
};

/** Bytes of a JSONL or JSON file, and uncompressed bytes of a Parquet file, that make one task. */
export const taskBytes = 64 << 20;

/**
 * Pieces of a JSONL or JSON file grow smaller towards its end, so that workers end together: a share of what is left, but
 * no less than a part of a task's bytes.
 */
const shareOfLeft = 16;
const leastPart = 8;

const vectorRows = 2048;

/**
 * The tasks of one entry. `limit`: read only the first so many rows. `provide` brings a file here, or what its first rows
 * need of it, before it is looked at.
 */
export async function cutTasks(
  source: Source,
  tables: Tables,
  limit: number | null,
  provide: (file: SourceFile, rows: number | null) => Promise<void>,
  bytes = taskBytes,
): Promise<IngestTask[]> {
  const tasks: IngestTask[] = [];
  let left = limit;
  for (const file of source.files) {
    if (left === 0) break;
    await provide(file, left);
    const pieces = left === null ? await cutFile(file, tables, bytes) : await cutHead(file, tables, left);
    for (const piece of pieces) tasks.push({ entry: source.entry, task: tasks.length, file: file.name, ...piece });
    if (left !== null) left -= pieces.reduce((sum, piece) => sum + (piece.rows ?? 0), 0);
  }
  return tasks;
}

// ---------------------------------------------------------------------------------------------------------------------

type Piece = Omit<IngestTask, 'entry' | 'task' | 'file'>;

async function cutFile(file: SourceFile, tables: Tables, bytes: number): Promise<Piece[]> {
  const { format, compression } = await detectFormat(file.path);
  const { size } = await stat(file.path);
  if (format === 'parquet') return cutParquet(file, tables, bytes);
  const pieceBytes = (left: number) => Math.min(bytes, Math.ceil(Math.max(left / shareOfLeft, bytes / leastPart)));
  const isCut = compression === 'none' && size > pieceBytes(size);
  if (format === 'jsonl' && isCut) return cutLines(file.path, size, pieceBytes);
  if (format === 'json' && isCut) {
    const ranges = await cutJsonValues(file.path, size, pieceBytes);
    return ranges.map(({ index, ...range }) => ({
      ...wholeOf(range.end - range.start),
      ...range,
      kind: 'values',
      firstLine: index,
    }));
  }
  return [{ ...wholeOf(size), compressed: compression !== 'none' }];
}

/** The piece that is all of a file. */
function wholeOf(size: number): Piece {
  return { kind: 'whole', start: 0, end: 0, firstLine: 0, firstKey: null, compressed: false, rows: null, size };
}

/** Row groups in order, gathered up to a task's bytes; one that is far larger is cut by rows. */
async function cutParquet(file: SourceFile, tables: Tables, most: number): Promise<Piece[]> {
  const { groups } = await readParquetShape(tables, file.path);
  const pieces: Piece[] = [];
  let row = 0;
  let start = 0;
  let bytes = 0;
  const close = () => {
    if (row > start) pieces.push({ ...wholeOf(bytes), kind: 'rows', start, end: row });
    start = row;
    bytes = 0;
  };
  for (const group of groups) {
    if (bytes > 0 && bytes + group.bytes > most) close();
    const slices = Math.max(1, Math.round(group.bytes / most));
    const sliceRows = Math.ceil(group.rows / slices / vectorRows) * vectorRows;
    const groupEnd = row + group.rows;
    if (slices > 1) {
      for (; row + sliceRows < groupEnd; close()) {
        row += sliceRows;
        bytes = Math.round(group.bytes / slices);
      }
    }
    bytes += Math.round((group.bytes * (groupEnd - row)) / group.rows);
    row = groupEnd;
  }
  close();
  return pieces;
}

/** Byte ranges, with the number of the line that each begins with. */
async function cutLines(path: string, size: number, pieceBytes: (left: number) => number): Promise<Piece[]> {
  const pieces: Piece[] = [];
  // The newline just before a range ends the line before it: the reader skips through it, or to the next one.
  let counted = 0;
  let newlines = 0;
  for (let start = 0; start < size; ) {
    const end = Math.min(size, start + pieceBytes(size - start));
    const before = Math.max(0, start - 1);
    newlines += await countNewlines(path, counted, before);
    counted = before;
    pieces.push({ ...wholeOf(end - start), kind: 'lines', start, end, firstLine: start === 0 ? 0 : newlines + 1 });
    start = end;
  }
  return pieces;
}

async function countNewlines(path: string, start: number, end: number): Promise<number> {
  let count = 0;
  let left = end - start;
  if (left <= 0) return 0;
  for await (const block of readBlocks(path, start)) {
    const bytes = block.length <= left ? block : block.subarray(0, left);
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
    left -= bytes.length;
    if (left === 0) break;
  }
  return count;
}

/** The file's first rows: a try reads no more than it needs. */
async function cutHead(file: SourceFile, tables: Tables, limit: number): Promise<Piece[]> {
  const known = await detectFormat(file.path);
  let rows = 0;
  if (known.format === 'parquet') {
    rows = Math.min(limit, (await readParquetShape(tables, file.path)).rowCount);
    return rows === 0 ? [] : [{ ...wholeOf(rows), kind: 'rows', end: rows, rows }];
  }
  for await (const readings of readBatches(file.path, tables, known)) {
    rows = Math.min(limit, rows + readings.length);
    if (rows === limit) break;
  }
  return rows === 0 ? [] : [{ ...wholeOf(rows), compressed: known.compression !== 'none', rows }];
}
