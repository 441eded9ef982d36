/** Bytes in memory that is used again. */
export class GrowingBytes {
  bytes = Buffer.alloc(0);
  length = 0;

  /** Room for so many more. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length, 4096));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  add(more: Uint8Array): void {
    this.reserve(more.length);
    this.bytes.set(more, this.length);
    this.length += more.length;
  }

  /** As UTF-8; returns its bytes. A lone surrogate becomes U+FFFD. */
  addText(text: string): number {
    this.reserve(3 * text.length);
    const length = this.bytes.write(text, this.length, 'utf8');
    this.length += length;
    return length;
  }

  /** A single huge text must not keep its memory. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > keptBytes) this.bytes = Buffer.alloc(0);
  }
}

const keptBytes = 64 << 20;
