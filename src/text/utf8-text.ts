/**
 * A text as UTF-8 in memory that is used again, so that a long one need not become a string before it is cut, counted and
 * written down. It has of a string's methods what taking a trace apart needs; places are in bytes. Valid as long as
 * whoever made it says.
 */
export class Utf8Text {
  private readonly memory: Buffer;
  private readonly start: number;
  private readonly end: number;

  constructor(memory: Buffer, start: number, end: number) {
    this.memory = memory;
    this.start = start;
    this.end = end;
  }

  /** Bytes. */
  get length(): number {
    return this.end - this.start;
  }

  get bytes(): Buffer {
    return this.memory.subarray(this.start, this.end);
  }

  /** 0 beyond its ends. */
  byteAt(place: number): number {
    return place >= 0 && place < this.end - this.start ? (this.memory[this.start + place] as number) : 0;
  }

  indexOf(part: string, from = 0): number {
    const found = this.memory.subarray(this.start + from, this.end).indexOf(part);
    return found === -1 ? -1 : from + found;
  }

  includes(part: string): boolean {
    return this.indexOf(part) !== -1;
  }

  startsWith(part: string): boolean {
    return this.slice(0, Buffer.byteLength(part)).toString() === part;
  }

  endsWith(part: string): boolean {
    const bytes = Buffer.byteLength(part);
    return bytes === 0 || this.slice(-bytes).toString() === part;
  }

  slice(from: number, to = this.length): Utf8Text {
    const { length } = this;
    const start = from < 0 ? Math.max(0, length + from) : Math.min(from, length);
    const end = to < 0 ? Math.max(0, length + to) : Math.min(to, length);
    if (start === 0 && end === length) return this;
    return new Utf8Text(this.memory, this.start + start, this.start + Math.max(start, end));
  }

  toString(): string {
    return this.memory.toString('utf8', this.start, this.end);
  }

  toJSON(): string {
    return this.toString();
  }
}

export type Text = string | Utf8Text;

export function isText(value: unknown): value is Text {
  return typeof value === 'string' || value instanceof Utf8Text;
}
