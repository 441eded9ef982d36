import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Footer } from 'apache-arrow/ipc/metadata/file';
import { arrow } from './arrow.js';
import { writeFileAtomic } from './atomic.js';

const batchRows = 10_000;

export interface VectorRows {
  /** One per vector; null for a file that holds vectors alone. */
  keys: readonly string[] | null;
  /** One vector after another. */
  vectors: Float32Array;
  dimensions: number;
}

/** Writes one Arrow IPC file, whole or not at all: `prompt_key: Utf8` (unless there are no keys), `vector: FixedSizeList<Float32>`. */
export async function writeVectors(path: string, temporaryFolder: string, rows: VectorRows): Promise<void> {
  const { Field, FixedSizeList, Float32, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct, Utf8 } = arrow();
  const item = new Field('item', new Float32(), false);
  const vector = new Field('vector', new FixedSizeList(rows.dimensions, item), false);
  const schema = new Schema(rows.keys === null ? [vector] : [new Field('prompt_key', new Utf8(), false), vector]);
  const writer = new RecordBatchFileWriter();
  writer.reset(undefined, schema);
  const rowCount = rows.vectors.length / rows.dimensions;
  for (let start = 0; start < rowCount; start += batchRows) {
    const length = Math.min(batchRows, rowCount - start);
    const values = rows.vectors.subarray(start * rows.dimensions, (start + length) * rows.dimensions);
    const children = [
      ...(rows.keys === null ? [] : [textData(rows.keys.slice(start, start + length))]),
      makeData({
        type: vector.type,
        length,
        nullCount: 0,
        child: makeData({ type: item.type, length: values.length, nullCount: 0, data: values }),
      }),
    ];
    writer.write(
      new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })),
    );
  }
  writer.finish();
  await writeFileAtomic(path, temporaryFolder, writer.toUint8Array(true));
}

interface Batch {
  start: number;
  rowCount: number;
  /** Places of the buffers in the file, in the order of the format. */
  buffers: { start: number; bytes: number }[];
}

/**
 * Reads ranges of a vector file with one read each and no copy of the rest: the file is a table of known offsets. Only
 * files as `writeVectors` makes them (no nulls, no compression).
 */
export class VectorFile {
  readonly path: string;
  readonly rowCount: number;
  readonly dimensions: number;
  private readonly descriptor: number;
  private readonly batches: Batch[];
  private readonly hasKeys: boolean;

  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, 'r');
    const footer = this.readFooter();
    const { fields } = footer.schema;
    const type: unknown = fields.at(-1)?.type;
    if (!(type instanceof arrow().FixedSizeList)) throw new Error(`${path} has no column of vectors`);
    this.dimensions = type.listSize;
    this.hasKeys = fields.length === 2;
    this.batches = this.readBatches(footer);
    const last = this.batches.at(-1);
    this.rowCount = last === undefined ? 0 : last.start + last.rowCount;
  }

  /** The vectors of rows `start` to `end`, into `into`. */
  read(start: number, end: number, into: Float32Array): void {
    const rowBytes = this.dimensions * 4;
    for (const batch of this.batches) {
      const from = Math.max(start, batch.start);
      const to = Math.min(end, batch.start + batch.rowCount);
      if (from >= to) continue;
      const buffer = batch.buffers.at(-1);
      if (buffer === undefined) throw new Error(`${this.path} has a batch without vectors`);
      const target = new Uint8Array(into.buffer, into.byteOffset + (from - start) * rowBytes, (to - from) * rowBytes);
      this.fill(target, buffer.start + (from - batch.start) * rowBytes);
    }
  }

  /** The keys batch by batch. */
  *keys(): Generator<string[]> {
    if (!this.hasKeys) return;
    for (const { rowCount, buffers } of this.batches) {
      const [, offsets, text] = buffers;
      if (offsets === undefined || text === undefined) throw new Error(`${this.path} has a batch without keys`);
      const ends = new Int32Array(rowCount + 1);
      this.fill(new Uint8Array(ends.buffer), offsets.start);
      const bytes = Buffer.alloc(text.bytes);
      this.fill(bytes, text.start);
      yield Array.from({ length: rowCount }, (_, row) => bytes.toString('utf8', ends[row], ends[row + 1]));
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private readFooter(): Footer {
    const tail = Buffer.alloc(10);
    const { size } = fstatSync(this.descriptor);
    this.fill(tail, size - 10);
    if (tail.toString('latin1', 4) !== 'ARROW1') throw new Error(`${this.path} is not an Arrow IPC file`);
    const bytes = Buffer.alloc(tail.readInt32LE(0));
    this.fill(bytes, size - 10 - bytes.length);
    return arrow().Footer.decode(bytes);
  }

  private readBatches(footer: Footer): Batch[] {
    let start = 0;
    return [...footer.recordBatches()].map((block) => {
      const metadata = Buffer.alloc(block.metaDataLength - 8);
      // Eight bytes stand before the message: a continuation mark and its length.
      this.fill(metadata, block.offset + 8);
      const message = arrow().Message.decode(metadata);
      if (!message.isRecordBatch()) throw new Error(`${this.path} has a block that is no batch`);
      const header = message.header();
      const bodyStart = block.offset + block.metaDataLength;
      const batch: Batch = {
        start,
        rowCount: header.length,
        buffers: header.buffers.map((region) => ({ start: bodyStart + region.offset, bytes: region.length })),
      };
      start += batch.rowCount;
      return batch;
    });
  }

  private fill(target: Uint8Array, position: number): void {
    let done = 0;
    while (done < target.length) {
      const read = readSync(this.descriptor, target, done, target.length - done, position + done);
      if (read === 0) throw new Error(`${this.path} ends too early`);
      done += read;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function textData(texts: readonly string[]) {
  const { makeData, Utf8 } = arrow();
  const valueOffsets = new Int32Array(texts.length + 1);
  let end = 0;
  texts.forEach((text, place) => {
    end += Buffer.byteLength(text);
    valueOffsets[place + 1] = end;
  });
  return makeData({
    type: new Utf8(),
    length: texts.length,
    nullCount: 0,
    valueOffsets,
    data: Buffer.from(texts.join('')),
  });
}
