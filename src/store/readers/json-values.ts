import { BrokenStream, type Compression, type FilePosition, readBytes, readRange } from './bytes.js';
import {
  type BadReason,
  bad,
  longestRowBytes,
  parseJson,
  type Reading,
  type ReadingAids,
  type RowParser,
} from './reading.js';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Part of an uncompressed file: the values that start in `[start, end)`, the first of which has the number `index`. */
export interface ValueRange {
  start: number;
  end: number;
  index: number;
  /** `"key"` that the first good object of the file begins with. */
  firstKey: string | null;
}

/**
 * The elements of a JSON array, or JSON values one after another, read as a stream: the file is never held whole.
 * One broken element does not take the rest with it: where an element does not parse, or runs on because a quote was
 * lost, reading goes on at the next object that begins with the same key as the good ones did.
 */
export async function* readJsonValues(
  path: string,
  compression: Compression,
  range: ValueRange = { start: 0, end: Number.POSITIVE_INFINITY, index: 0, firstKey: null },
  { parser, position }: ReadingAids = {},
): AsyncGenerator<Reading[]> {
  const splitter = new ValueSplitter(range, range.start === 0 ? 'unknown' : await modeOf(path), parser);
  yield* readThrough(splitter, path, compression, range.start, position);
}

/** Ranges that hold all values of the file, each read as it is in the whole; about as long as is said for what is left. */
export async function cutJsonValues(
  path: string,
  size: number,
  rangeBytes: (left: number) => number,
): Promise<ValueRange[]> {
  const starts: Omit<ValueRange, 'end'>[] = [{ start: 0, index: 0, firstKey: null }];
  let next = rangeBytes(size);
  const splitter = new ValueSplitter({ start: 0, end: size, index: 0, firstKey: null }, 'unknown');
  for await (const readings of readThrough(splitter, path, 'none', 0)) {
    for (const { kind, offset, index } of readings) {
      // At a good row, so that a broken one and what it may have swallowed stay together.
      if (kind !== 'row' || offset === null || offset < next) continue;
      starts.push({ start: offset, index, firstKey: splitter.firstKey });
      next = offset + rangeBytes(size - offset);
    }
  }
  return starts.map((each, at) => ({ ...each, end: starts[at + 1]?.start ?? size }));
}

// ---------------------------------------------------------------------------------------------------------------------

async function* readThrough(
  splitter: ValueSplitter,
  path: string,
  compression: Compression,
  start: number,
  position?: FilePosition,
): AsyncGenerator<Reading[]> {
  let broken: Error | null = null;
  try {
    for await (const chunk of readBytes(path, compression, start, position)) {
      splitter.parser?.startBatch();
      const readings = splitter.add(chunk);
      if (readings.length > 0) yield readings;
      if (splitter.passedEnd) return;
    }
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    broken = error;
  }
  const readings = splitter.end(broken);
  if (readings.length > 0) yield readings;
}

type Mode = 'unknown' | 'array' | 'values';

const headBytes = 4096;

/** What the file's first byte that is no space says. */
async function modeOf(path: string): Promise<Mode> {
  const head = await readRange(path, 0, headBytes);
  return head.find((byte) => !isBeforeValues(byte)) === openBracket ? 'array' : 'values';
}

/** Space, or a byte of a byte order mark. */
function isBeforeValues(byte: number): boolean {
  return byte <= 0x20 || byte === 0xef || byte === 0xbb || byte === 0xbf;
}

class ValueSplitter {
  /** A value that stands behind the range was found: nothing more is to be read. */
  passedEnd = false;
  private buffer: Buffer = Buffer.alloc(0);
  /** Offset of the buffer's first byte in the content. */
  private base: number;
  /** Where the value in hand starts in the buffer, or -1 between values. */
  private start = -1;
  private position = 0;
  private depth = 0;
  private inString = false;
  private index: number;
  private mode: Mode;
  private readonly rangeEnd: number;
  private closed = false;
  private key: Buffer | null;
  private largest = 1 << 20;
  readonly parser: RowParser | undefined;

  constructor(range: ValueRange, mode: Mode, parser?: RowParser) {
    this.base = range.start;
    this.index = range.index;
    this.rangeEnd = range.end;
    this.mode = mode;
    this.parser = parser;
    this.key = range.firstKey === null ? null : Buffer.from(range.firstKey);
  }

  get firstKey(): string | null {
    return this.key?.toString() ?? null;
  }

  add(chunk: Buffer): Reading[] {
    const from = this.start === -1 ? this.position : this.start;
    const rest = this.buffer.subarray(from);
    this.buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.base += from;
    this.position -= from;
    if (this.start !== -1) this.start = 0;
    return this.split();
  }

  /** What remains once the content has ended: nothing, or a value that was cut off. */
  end(broken: Error | null): Reading[] {
    const readings: Reading[] = [];
    while (this.start !== -1) {
      if (this.isBehind()) return readings;
      if (this.depth === 0 && !this.inString) {
        this.take(this.position, readings);
        continue;
      }
      const next = this.nextObject(this.start + 1, this.buffer.length);
      readings.push(this.bad(next === -1 ? 'cut off' : 'not JSON', next === -1 ? this.buffer.length : next));
      if (next === -1) return readings;
      this.resume(next);
      readings.push(...this.split());
    }
    if (broken !== null || (this.mode === 'array' && !this.closed)) {
      readings.push(
        bad('cut off', this.index, this.base + this.position, broken?.message ?? 'the array is not closed'),
      );
    }
    return readings;
  }

  private split(): Reading[] {
    const readings: Reading[] = [];
    for (;;) {
      if (this.start === -1 && !this.findStart()) break;
      if (this.isBehind()) break;
      const end = this.findEnd();
      if (end !== -1) {
        this.take(end, readings);
        continue;
      }
      const length = this.buffer.length - this.start;
      if (length <= 8 * this.largest) break;
      // Far longer than any good row: look whether it swallowed others.
      const next = this.nextObject(this.start + 1, this.buffer.length);
      if (next !== -1) {
        readings.push(this.bad('not JSON', next));
        this.resume(next);
      } else if (length > longestRowBytes) {
        readings.push(this.bad('too long', this.buffer.length));
        this.start = -1;
        this.depth = 0;
        this.inString = false;
        this.position = this.buffer.length;
      } else {
        this.largest = length;
        break;
      }
    }
    return readings;
  }

  private isBehind(): boolean {
    this.passedEnd = this.base + this.start >= this.rangeEnd;
    return this.passedEnd;
  }

  /** Skips to the next value's first byte. */
  private findStart(): boolean {
    const { buffer } = this;
    for (; this.position < buffer.length; this.position += 1) {
      const byte = buffer[this.position] as number;
      if (byte <= 0x20 || byte === comma) continue;
      if (this.base + this.position < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf)) continue;
      if (this.mode === 'unknown') {
        this.mode = byte === openBracket ? 'array' : 'values';
        if (byte === openBracket) continue;
      }
      if (byte === closeBracket && this.mode === 'array') {
        this.closed = true;
        continue;
      }
      // Something after the closing bracket: it was none.
      this.closed = false;
      this.resume(this.position);
      return true;
    }
    return false;
  }

  /** Goes on scanning the value in hand; the position behind it, or -1 where more bytes are needed. */
  private findEnd(): number {
    const { buffer } = this;
    let { position, depth } = this;
    const isContainer = buffer[this.start] === openBrace || buffer[this.start] === openBracket;
    while (position < buffer.length) {
      if (this.inString) {
        const at = buffer.indexOf(quote, position);
        if (at === -1) {
          // Kept within the last bytes, so that backslashes before the next chunk's first quote are seen.
          position = buffer.length;
          break;
        }
        let slashes = 0;
        while (at - slashes > this.start && buffer[at - slashes - 1] === backslash) slashes += 1;
        position = at + 1;
        if (slashes % 2 === 1) continue;
        this.inString = false;
        if (depth === 0) return this.found(position, depth);
        continue;
      }
      const byte = buffer[position] as number;
      if (byte === quote) this.inString = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) {
        if (depth === 0) return this.found(Math.max(position, this.start + 1), depth);
        depth -= 1;
        if (depth === 0) return this.found(position + 1, depth);
      } else if (depth === 0 && !isContainer && (byte === comma || byte === 0x0a)) return this.found(position, depth);
      position += 1;
    }
    this.position = position;
    this.depth = depth;
    return -1;
  }

  private found(end: number, depth: number): number {
    this.position = end;
    this.depth = depth;
    return end;
  }

  private take(end: number, readings: Reading[]): void {
    const bytes = this.buffer.subarray(this.start, end);
    const reading = parseJson(bytes, this.index, this.base + this.start, this.parser);
    if (reading.kind === 'bad') {
      const next = this.nextObject(this.start + 1, end);
      if (next !== -1) {
        readings.push(this.bad(reading.reason, next));
        this.resume(next);
        return;
      }
    } else {
      this.largest = Math.max(this.largest, bytes.length);
      this.key ??= firstKeyOf(bytes);
    }
    readings.push(reading);
    this.index += 1;
    this.start = -1;
    this.position = end;
    this.depth = 0;
    this.inString = false;
  }

  private bad(reason: BadReason, end: number): Reading {
    const reading = bad(reason, this.index, this.base + this.start, this.buffer.subarray(this.start, end));
    this.index += 1;
    return reading;
  }

  private resume(start: number): void {
    this.start = start;
    this.position = start;
    this.depth = 0;
    this.inString = false;
  }

  /** The next `{` in `[from, to)` that stands after `},` and begins with the key that good rows begin with. */
  private nextObject(from: number, to: number): number {
    const { buffer, key } = this;
    if (key === null) return -1;
    for (let at = buffer.indexOf(key, from); at !== -1 && at < to; at = buffer.indexOf(key, at + 1)) {
      let before = skipSpaceBack(buffer, at - 1);
      if (before < from || buffer[before] !== openBrace) continue;
      const start = before;
      before = skipSpaceBack(buffer, before - 1);
      if (buffer[before] === comma) before = skipSpaceBack(buffer, before - 1);
      else if (this.mode === 'array') continue;
      if (before >= from - 1 && (buffer[before] === closeBrace || buffer[before] === openBracket)) return start;
    }
    return -1;
  }
}

function skipSpaceBack(buffer: Buffer, from: number): number {
  let at = from;
  while (at >= 0 && (buffer[at] as number) <= 0x20) at -= 1;
  return at;
}

/** `"key"` with its quotes, of the object's first member. */
function firstKeyOf(bytes: Buffer): Buffer | null {
  if (bytes[0] !== openBrace) return null;
  let start = 1;
  while (start < bytes.length && (bytes[start] as number) <= 0x20) start += 1;
  if (bytes[start] !== quote) return null;
  const end = bytes.indexOf(quote, start + 1);
  return end === -1 ? null : Buffer.from(bytes.subarray(start, end + 1));
}
