import { makeTallyScan, narrowCount, recordBytes, scoreOffset, type TallyScan, wideCount } from './tally-scan.js';

/**
 * How often each class of characters occurs in many documents. However a text is aligned with a document, the characters
 * that it has more of than the document stay unmatched: where those are too many, the two need no other look.
 */
export class Tallies {
  private readonly threshold: number;
  private readonly scan: TallyScan['scan'];
  private readonly bytes: Uint8Array;
  private readonly words: Uint16Array;
  private readonly found: Int32Array;
  private readonly foundAddress: number;
  private readonly counts = new Int32Array(classCount);

  /**
   * Documents as numbers of their characters: 1 for the most frequent, 2 for the next …; 0 in a text for one that no
   * document has.
   */
  constructor(documents: readonly Int32Array[], threshold: number) {
    this.threshold = threshold;
    this.foundAddress = (documents.length + 1) * recordBytes;
    const { memory, scan } = makeTallyScan(this.foundAddress + documents.length * 4);
    this.scan = scan;
    this.bytes = new Uint8Array(memory);
    this.words = new Uint16Array(memory);
    this.found = new Int32Array(memory, this.foundAddress, documents.length);
    const scores = new Float64Array(memory);
    documents.forEach((points, document) => {
      this.write(document + 1, points, points.length);
      scores[((document + 1) * recordBytes + scoreOffset) / 8] = threshold * points.length;
    });
  }

  /**
   * Of the documents from `from` to `to` those that may reach the threshold: with a text of `length` characters the
   * surplus is at most `length - threshold · (length + other) / 200`. In rising order; valid until the next call.
   */
  near(text: Int32Array, length: number, from: number, to: number): Int32Array {
    this.write(0, text, length);
    const budget = (200 - this.threshold) * length;
    const end = this.scan((from + 1) * recordBytes, (to + 1) * recordBytes, budget, this.foundAddress);
    const near = this.found.subarray(0, (end - this.foundAddress) / 4);
    for (let index = 0; index < near.length; index += 1) near[index] = (near[index] as number) / recordBytes - 1;
    return near;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** A count beyond its bits is cut: the surplus can only come out smaller. */
  private write(record: number, points: Int32Array, length: number): void {
    const { counts, bytes, words } = this;
    counts.fill(0);
    for (let index = 0; index < length; index += 1) {
      const of = classOf(points[index] as number);
      counts[of] = (counts[of] as number) + 1;
    }
    const at = record * recordBytes;
    for (let of = 0; of < wideCount; of += 1) words[at / 2 + of] = Math.min(counts[of] as number, 0xffff);
    for (let of = wideCount; of < classCount; of += 1)
      bytes[at + wideCount + of] = Math.min(counts[of] as number, 0xff);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** The most frequent characters have a class of their own, the others share the rest; the last is for 0. */
const classCount = wideCount + narrowCount;
const sharedCount = 15;
const ownCount = classCount - sharedCount - 1;

function classOf(point: number): number {
  if (point === 0) return classCount - 1;
  return point <= ownCount ? point - 1 : ownCount + (point % sharedCount);
}
