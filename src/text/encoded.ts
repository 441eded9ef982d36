import type { Text } from './utf8-text.js';
import { scanStart, WordScan } from './word-scan.js';

/**
 * UTF-8 of several texts one after another, in memory that is used again: a text is encoded once for all that works on
 * bytes (counts, hashes, the table), which is cheaper than anything on a string that is a slice of another.
 */
export class Encoded {
  bytes: Buffer = Buffer.alloc(0);
  /** Counts in the same memory. */
  scan: WordScan = new WordScan(0);
  /** End of what was added. */
  length = 0;

  constructor() {
    this.reserve(usualBytes);
  }

  /** Forgets what was added and makes room for texts of so many units or bytes. */
  reset(units: number): void {
    this.length = 0;
    const needed = 3 * units + 64;
    // A single huge text must not keep its memory.
    if (needed > this.bytes.length || this.bytes.length > usualBytes) this.reserve(Math.max(usualBytes, needed));
  }

  /** Adds a text; a lone surrogate becomes U+FFFD. Returns where it ends. */
  add(text: Text): number {
    if (typeof text === 'string') this.length += this.bytes.write(text, this.length, 'utf8');
    else {
      this.bytes.set(text.bytes, this.length);
      this.length += text.length;
    }
    return this.length;
  }

  addZero(): void {
    this.bytes[this.length] = 0;
    this.length += 1;
  }

  /** Counts in what stands in `[start, end)`, as the next part of the text that `scan` has begun. */
  count(start: number, end: number): void {
    this.scan.add(scanStart + start, scanStart + end);
  }

  private reserve(size: number): void {
    this.scan = new WordScan(size);
    this.bytes = Buffer.from(this.scan.memory, scanStart, size);
  }
}

const usualBytes = 4 << 20;
