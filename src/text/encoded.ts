/**
 * UTF-8 of several texts one after another, in memory that is used again: a text is encoded once for all that works on
 * bytes (counts, hashes, the table), which is cheaper than anything on a string that is a slice of another.
 */
export class Encoded {
  bytes: Buffer = Buffer.alloc(0);
  /** The same memory, four bytes a number. */
  quads: Int32Array = new Int32Array(0);
  /** End of what was added. */
  length = 0;

  constructor() {
    this.reserve(usualBytes);
  }

  /** Forgets what was added and makes room for so many UTF-16 units. */
  reset(units: number): void {
    this.length = 0;
    const needed = 3 * units + 64;
    // A single huge text must not keep its memory.
    if (needed > this.bytes.length || this.bytes.length > usualBytes) this.reserve(Math.max(usualBytes, needed));
  }

  /** Adds a text; a lone surrogate becomes U+FFFD. Returns where it ends. */
  add(text: string): number {
    this.length += this.bytes.write(text, this.length, 'utf8');
    return this.length;
  }

  addZero(): void {
    this.bytes[this.length] = 0;
    this.length += 1;
  }

  private reserve(size: number): void {
    const memory = new ArrayBuffer((size + 3) & ~3);
    this.bytes = Buffer.from(memory);
    this.quads = new Int32Array(memory);
  }
}

const usualBytes = 4 << 20;
