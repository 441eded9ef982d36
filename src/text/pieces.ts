/**
 * Pieces of three characters, side by side, of many documents: a difference between a document and a text (a character
 * that only one of them has) spoils at most one piece, so a document with `n` pieces of which fewer than `n - d` stand in
 * the text differs from it by more than `d`. One look at the pieces of the text counts them for all documents at once.
 */
export class PieceIndex {
  /** Pieces of each document that stand somewhere in the text of the last `count`, by the document's place. */
  readonly present: Int32Array;
  private readonly pieces: Uint16Array;
  private readonly starts: Int32Array;
  /** Places of documents by piece, and where each piece's list (and each of its parts by place) begins. */
  private readonly postings: Uint32Array;
  private readonly offsets: Int32Array;
  private readonly partShift: number;
  /** Per piece: in which of 32 equal parts of the text it begins. */
  private readonly parts = new Int32Array(hashes);
  private readonly seen = new Int32Array(hashes);
  private round = 0;
  private reach = new Int32Array(1024);

  /** Documents by rising length, each as numbers of its characters. */
  constructor(documents: readonly Int32Array[]) {
    this.starts = new Int32Array(documents.length + 1);
    documents.forEach((points, place) => {
      this.starts[place + 1] = (this.starts[place] as number) + Math.floor(points.length / 3);
    });
    this.pieces = new Uint16Array(this.starts[documents.length] as number);
    documents.forEach((points, place) => {
      let at = this.starts[place] as number;
      for (let index = 0; index + 2 < points.length; index += 3, at += 1) this.pieces[at] = hashOf(points, index);
    });
    this.present = new Int32Array(documents.length);
    this.partShift = Math.max(0, Math.ceil(Math.log2(Math.max(1, documents.length) / partCount)));
    this.offsets = new Int32Array(hashes * partCount + 1);
    this.postings = new Uint32Array(this.pieces.length);
    this.fill(documents.length);
  }

  /** How many pieces a document has. */
  size(place: number): number {
    return (this.starts[place + 1] as number) - (this.starts[place] as number);
  }

  /** Counts into `present` for the documents from `from` to `to`. */
  count(text: Int32Array, length: number, from: number, to: number): void {
    const { postings, offsets, present, seen, partShift } = this;
    const firstPart = from >> partShift;
    const endPart = ((to - 1) >> partShift) + 1;
    present.fill(0, firstPart << partShift, endPart << partShift);
    this.round += 1;
    const round = this.round;
    for (let index = 0; index + 2 < length; index += 1) {
      const hash = hashOf(text, index);
      if (seen[hash] === round) continue;
      seen[hash] = round;
      const end = offsets[hash * partCount + endPart] as number;
      for (let at = offsets[hash * partCount + firstPart] as number; at < end; at += 1) {
        const place = postings[at] as number;
        present[place] = (present[place] as number) + 1;
      }
    }
  }

  /**
   * Prepares `missing`: notes in which of 32 parts of the text each piece begins, and where each piece of a document may
   * lie when the two are aligned with at most `spare` characters of the text and `otherSpare` of the document left over.
   */
  place(text: Int32Array, length: number, longest: number, spare: number, otherSpare: number): void {
    const { parts } = this;
    let shift = 0;
    while ((length - 1) >> shift > 31) shift += 1;
    parts.fill(0);
    for (let index = 0; index + 2 < length; index += 1) {
      const hash = hashOf(text, index);
      parts[hash] = (parts[hash] as number) | (1 << (index >> shift));
    }
    const count = Math.ceil(longest / 3);
    if (this.reach.length < count) this.reach = new Int32Array(count * 2);
    for (let piece = 0; piece < count; piece += 1) {
      const first = Math.max(0, piece * 3 - otherSpare) >> shift;
      const last = (piece * 3 + spare) >> shift;
      this.reach[piece] = first > 31 ? 0 : (-1 << first) & (last > 31 ? -1 : -1 >>> (31 - last));
    }
  }

  /** Whether at most `spare` of the document's pieces are missing near their place in the text. */
  nearlyAll(document: number, spare: number): boolean {
    const { pieces, parts, reach } = this;
    const from = this.starts[document] as number;
    const to = this.starts[document + 1] as number;
    let missing = 0;
    for (let piece = from; piece < to; piece += 1) {
      if (((parts[pieces[piece] as number] as number) & (reach[piece - from] as number)) !== 0) continue;
      missing += 1;
      if (missing > spare) return false;
    }
    return true;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Counting sort of all pieces by hash, then place. */
  private fill(documentCount: number): void {
    const { offsets, postings, pieces, starts, partShift } = this;
    for (let place = 0; place < documentCount; place += 1)
      for (let piece = starts[place] as number; piece < (starts[place + 1] as number); piece += 1) {
        const at = (pieces[piece] as number) * partCount + (place >> partShift) + 1;
        offsets[at] = (offsets[at] as number) + 1;
      }
    for (let at = 1; at < offsets.length; at += 1) offsets[at] = (offsets[at] as number) + (offsets[at - 1] as number);
    const next = offsets.slice();
    for (let place = 0; place < documentCount; place += 1)
      for (let piece = starts[place] as number; piece < (starts[place + 1] as number); piece += 1) {
        const at = (pieces[piece] as number) * partCount + (place >> partShift);
        postings[next[at] as number] = place;
        next[at] = (next[at] as number) + 1;
      }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const hashes = 16_384;
const partCount = 32;

function hashOf(points: Int32Array, at: number): number {
  const mixed = Math.imul(
    ((points[at] as number) << 14) ^ ((points[at + 1] as number) << 7) ^ (points[at + 2] as number),
    0x9e3779b1,
  );
  return mixed >>> 18;
}
