import { GrowingBytes } from './growing-bytes.js';
import { Lz4 } from './lz4.js';
import { pageHead } from './parquet-head.js';

export type PlainKind = 'text' | 'texts' | 'int32' | 'int64' | 'flag';
export type PlainCell = string | Uint8Array | number | boolean | readonly string[] | null;

export interface TakenColumn {
  path: readonly string[];
  kind: PlainKind;
  places: number;
  plainBytes: number;
  pages: Buffer;
}

/** A page is closed when its values have so many bytes. */
const pageBytes = 1 << 20;

const lz4 = new Lz4();

/**
 * A nullable column of a Parquet file in its plain encoding: values one after another, and for each place of the column
 * its definition level (how much of it is there: 0 is null), for lists also its repetition level (0 begins a row).
 * Gathered as compressed pages.
 */
export class PlainColumn {
  /** Names from the outside in: several for a member of a struct. */
  readonly path: readonly string[];
  readonly kind: PlainKind;
  /** Places: rows, and for lists also every element but a row's first. */
  places = 0;
  /** Bytes of its pages, were they not compressed. */
  plainBytes = 0;
  private placesBefore = 0;
  private pages = new GrowingBytes();
  private spare = new GrowingBytes();
  private readonly values = new GrowingBytes();
  private readonly definitions = new GrowingBytes();
  private readonly repetitions = new GrowingBytes();

  constructor(path: readonly string[], kind: PlainKind) {
    this.path = path;
    this.kind = kind;
  }

  add(cell: PlainCell): void {
    if (cell === null) this.place(0);
    else if (this.kind === 'texts') this.addList(cell as readonly string[]);
    else {
      this.place(1);
      this.addValue(cell);
    }
    if (this.values.length >= pageBytes) this.closePage();
  }

  /** The column as it stands in the file: pages, at least one. Takes them out; they are valid until the next time. */
  take(): TakenColumn {
    if (this.places > this.placesBefore || this.pages.length === 0) this.closePage();
    const { path, kind, places, plainBytes, pages } = this;
    this.pages = this.spare;
    this.spare = pages;
    this.clear();
    return { path, kind, places, plainBytes, pages: pages.bytes.subarray(0, pages.length) };
  }

  clear(): void {
    this.places = 0;
    this.placesBefore = 0;
    this.plainBytes = 0;
    for (const part of [this.pages, this.values, this.definitions, this.repetitions]) part.clear();
  }

  /** Levels, then values, compressed, behind their header. */
  private closePage(): void {
    const { values } = this;
    const parts = [packLevels(this.definitions, this.kind === 'texts' ? 2 : 1)];
    if (this.kind === 'texts') parts.unshift(packLevels(this.repetitions, 1));
    parts.push(this.kind === 'flag' ? packBits(values, 1) : values.bytes.subarray(0, values.length));
    const plain = parts.reduce((sum, part) => sum + part.length, 0);
    const block = lz4.compress(parts);
    const head = pageHead(this.places - this.placesBefore, plain, block.length);
    this.pages.add(head);
    this.pages.add(block);
    this.plainBytes += head.length + plain;
    this.placesBefore = this.places;
    for (const part of [values, this.definitions, this.repetitions]) part.clear();
  }

  private place(definition: number, repetition = 0): void {
    this.places += 1;
    this.definitions.reserve(1);
    this.definitions.bytes[this.definitions.length++] = definition;
    if (this.kind !== 'texts') return;
    this.repetitions.reserve(1);
    this.repetitions.bytes[this.repetitions.length++] = repetition;
  }

  /** Levels: 0 no list, 1 an empty one, 3 an element. */
  private addList(list: readonly string[]): void {
    if (list.length === 0) this.place(1);
    list.forEach((each, at) => {
      this.place(3, at === 0 ? 0 : 1);
      this.addValue(each);
    });
  }

  private addValue(cell: PlainCell): void {
    const { values } = this;
    if (typeof cell === 'string') {
      values.reserve(4 + 3 * cell.length);
      const length = values.bytes.write(cell, values.length + 4, 'utf8');
      values.bytes.writeUInt32LE(length, values.length);
      values.length += 4 + length;
    } else if (cell instanceof Uint8Array) {
      values.reserve(4 + cell.length);
      values.bytes.writeUInt32LE(cell.length, values.length);
      values.bytes.set(cell, values.length + 4);
      values.length += 4 + cell.length;
    } else if (this.kind === 'flag') {
      values.reserve(1);
      values.bytes[values.length++] = cell === true ? 1 : 0;
    } else if (this.kind === 'int64') {
      values.reserve(8);
      values.bytes.writeBigInt64LE(BigInt(cell as number), values.length);
      values.length += 8;
    } else {
      values.reserve(4);
      values.bytes.writeInt32LE(cell as number, values.length);
      values.length += 4;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Levels in Parquet's hybrid of runs and packed bits, behind their length in bytes: one run where all are equal. */
function packLevels(levels: GrowingBytes, width: number): Buffer {
  const { bytes, length } = levels;
  const first = bytes[0] ?? 0;
  const equal = bytes.subarray(0, length).every((level) => level === first);
  const body = equal
    ? Buffer.from([...varint(length << 1), first])
    : Buffer.concat([Buffer.from(varint((Math.ceil(length / 8) << 1) | 1)), packBits(levels, width)]);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** The lowest `width` bits of each byte, whole groups of eight, first value in the lowest bits. */
function packBits({ bytes, length }: GrowingBytes, width: number): Buffer {
  const packed = Buffer.alloc(Math.ceil(length / 8) * width);
  for (let at = 0; at < length; at += 1) {
    const bit = at * width;
    packed[bit >> 3] = (packed[bit >> 3] as number) | ((bytes[at] as number) << (bit & 7));
  }
  return packed;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}
