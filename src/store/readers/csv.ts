import { BrokenStream, type Compression, type FilePosition, readBytes } from './bytes.js';
import { bad, decode, type Reading } from './reading.js';

const quote = 0x22;
const newline = 10;

/** A quoted field that runs on for longer than this has lost its closing quote: reading goes on at the next line. */
const longestRecordBytes = 16 << 20;

/** Records of a CSV or TSV file (RFC 4180) as objects of strings; the first record names the columns. */
export async function* readCsv(
  path: string,
  compression: Compression,
  delimiter: ',' | '\t',
  position?: FilePosition,
): AsyncGenerator<Reading[]> {
  const splitter = new RecordSplitter(delimiter);
  let broken: Error | null = null;
  try {
    for await (const chunk of readBytes(path, compression, 0, position)) {
      const readings = splitter.add(chunk);
      if (readings.length > 0) yield readings;
    }
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    broken = error;
  }
  const readings = splitter.end(broken);
  if (readings.length > 0) yield readings;
}

// ---------------------------------------------------------------------------------------------------------------------

class RecordSplitter {
  private readonly delimiter: string;
  private readonly delimiterByte: number;
  private buffer: Buffer = Buffer.alloc(0);
  private base = 0;
  private position = 0;
  private inQuotes = false;
  private index = 0;
  private header: string[] | null = null;

  constructor(delimiter: ',' | '\t') {
    this.delimiter = delimiter;
    this.delimiterByte = delimiter.charCodeAt(0);
  }

  add(chunk: Buffer): Reading[] {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    return this.split();
  }

  end(broken: Error | null): Reading[] {
    const readings: Reading[] = [];
    while (this.buffer.length > 0) {
      if (this.inQuotes) {
        // The closing quote never came: the first line is bad, the lines behind it are read again.
        const end = this.buffer.indexOf(newline);
        readings.push(
          bad('cut off', this.nextIndex(), this.base, this.buffer.subarray(0, end === -1 ? undefined : end)),
        );
        this.drop(end === -1 ? this.buffer.length : end + 1);
        this.position = 0;
        this.inQuotes = false;
        readings.push(...this.split());
      } else {
        if (broken !== null) readings.push(bad('cut off', this.nextIndex(), this.base, this.buffer));
        else this.take(this.buffer.length, readings);
        this.drop(this.buffer.length);
        broken = null;
      }
    }
    if (broken !== null) readings.push(bad('cut off', this.nextIndex(), this.base, broken.message));
    return readings;
  }

  private split(): Reading[] {
    const readings: Reading[] = [];
    const { buffer } = this;
    let start = 0;
    let position = this.position;
    for (; position < buffer.length; position += 1) {
      const byte = buffer[position] as number;
      if (byte === quote) {
        // A quote opens a field only at its beginning; elsewhere in an unquoted field it is a character.
        if (this.inQuotes) this.inQuotes = false;
        else if (position === start || this.opensField(buffer[position - 1] as number)) this.inQuotes = true;
      } else if (byte === newline && !this.inQuotes) {
        this.takeRange(start, position, readings);
        start = position + 1;
      } else if (this.inQuotes && position - start > longestRecordBytes) {
        const end = buffer.indexOf(newline, start);
        readings.push(bad('cut off', this.nextIndex(), this.base + start, buffer.subarray(start, end)));
        start = end === -1 ? position : end + 1;
        position = start - 1;
        this.inQuotes = false;
      }
    }
    this.position = position;
    this.drop(start);
    return readings;
  }

  /** `""` inside quotes closes and opens again at once. */
  private opensField(before: number): boolean {
    return (
      before === this.delimiterByte || before === quote || (before === 0xbf && this.base === 0 && this.header === null)
    );
  }

  private drop(bytes: number): void {
    this.buffer = this.buffer.subarray(bytes);
    this.base += bytes;
    this.position = Math.max(0, this.position - bytes);
  }

  private take(end: number, readings: Reading[]): void {
    this.takeRange(0, end, readings);
  }

  private takeRange(start: number, end: number, readings: Reading[]): void {
    let bytes = this.buffer.subarray(start, end);
    if (bytes[bytes.length - 1] === 13) bytes = bytes.subarray(0, -1);
    if (bytes.length === 0) return;
    const offset = this.base + start;
    const text = decode(bytes);
    if (this.header === null) {
      this.header = this.fields((text ?? bytes.toString('latin1')).replace(/^\uFEFF/, ''));
      return;
    }
    const index = this.nextIndex();
    if (text === null) {
      readings.push(bad('invalid UTF-8', index, offset, bytes));
      return;
    }
    const fields = this.fields(text);
    if (fields.length !== this.header.length) {
      readings.push(bad('wrong number of fields', index, offset, text));
      return;
    }
    readings.push({
      kind: 'row',
      row: Object.fromEntries(this.header.map((name, at) => [name, fields[at]])),
      index,
      offset,
    });
  }

  private nextIndex(): number {
    const index = this.index;
    this.index += 1;
    return index;
  }

  private fields(record: string): string[] {
    const fields: string[] = [];
    let at = 0;
    for (;;) {
      if (record[at] === '"') {
        let field = '';
        let from = at + 1;
        for (;;) {
          const end = record.indexOf('"', from);
          if (end === -1) {
            field += record.slice(from);
            at = record.length;
            break;
          }
          field += record.slice(from, end);
          if (record[end + 1] !== '"') {
            at = end + 1;
            break;
          }
          field += '"';
          from = end + 2;
        }
        const next = record.indexOf(this.delimiter, at);
        fields.push(field + record.slice(at, next === -1 ? undefined : next));
        if (next === -1) return fields;
        at = next + 1;
      } else {
        const next = record.indexOf(this.delimiter, at);
        fields.push(record.slice(at, next === -1 ? undefined : next));
        if (next === -1) return fields;
        at = next + 1;
      }
    }
  }
}
