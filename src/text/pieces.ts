/**
 * Pieces of three characters, side by side, of many documents: a difference between a document and a text (a character
 * that only one of them has) spoils at most one piece, so a document with `n` pieces of which fewer than `n - d` stand in
 * the text differs from it by more than `d`. One look at the pieces of the text counts them for all documents at once,
 * stretch by stretch of the documents, so that only what stands near its own place counts.
 */
export class PieceIndex {
  /** Pieces of each document that stand near their place in the text of the last `count`, by the document's place. */
  readonly present: Int32Array;
  /** How many pieces of each document are indexed: the most that `present` can be. */
  readonly indexed: Int32Array;
  private readonly pieces: Uint16Array;
  private readonly starts: Int32Array;
  /** Places of documents by piece, stretch of the document and part of all documents, and where each list begins. */
  private readonly postings: Uint32Array;
  private readonly offsets: Int32Array;
  private readonly partShift: number;
  /** Per piece: in which of 32 equal parts of the text it begins. */
  private readonly parts = new Int32Array(hashes);
  private readonly seen = new Int32Array(hashes);
  private round = 0;
  private reach = new Int32Array(1024);

  /**
   * Documents by rising length, each as numbers of its characters. `differences` says how many differences a document of
   * that length may have at most: of its pieces the rarest are indexed, somewhat more than that.
   */
  constructor(documents: readonly Int32Array[], differences: (length: number) => number) {
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
    this.offsets = new Int32Array(hashes * stretchCount * partCount + 1);
    this.indexed = new Int32Array(documents.length);
    const chosen = this.chooseRare(documents, differences);
    this.postings = new Uint32Array(chosen.reduce((sum, each) => sum + each, 0));
    this.fill(documents.length, chosen);
  }

  /**
   * Counts into `present` for the documents from `from` to `to`, of which the longest has `longest` characters: pieces that
   * an alignment reaches which leaves at most `spare` characters of the text and `otherSpare` of the document over.
   */
  count(
    text: Int32Array,
    length: number,
    {
      from,
      to,
      longest,
      spare,
      otherSpare,
    }: { from: number; to: number; longest: number; spare: number; otherSpare: number },
  ): void {
    const { postings, offsets, present, seen, partShift } = this;
    const firstPart = from >> partShift;
    const endPart = ((to - 1) >> partShift) + 1;
    present.fill(0, firstPart << partShift, endPart << partShift);
    const last = stretchOf(longest);
    for (let stretch = 0; stretch <= last; stretch += 1) {
      this.round += 1;
      const round = this.round;
      const begin = Math.max(0, stretch * stretchLength - otherSpare);
      const end = stretch === stretchCount - 1 ? length : Math.min(length, (stretch + 1) * stretchLength + spare);
      for (let index = begin; index + 2 < length && index < end; index += 1) {
        const hash = hashOf(text, index);
        if (seen[hash] === round) continue;
        seen[hash] = round;
        const list = (hash * stretchCount + stretch) * partCount;
        const stop = offsets[list + endPart] as number;
        for (let at = offsets[list + firstPart] as number; at < stop; at += 1) {
          const place = postings[at] as number;
          present[place] = (present[place] as number) + 1;
        }
      }
    }
  }

  /**
   * Prepares `nearlyAll`: notes in which of 32 parts of the text each piece begins, and where each piece of a document may
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

  /** 1 for each piece to be indexed. The commonest pieces stand in most texts: they cost much and tell little. */
  private chooseRare(documents: readonly Int32Array[], differences: (length: number) => number): Uint8Array {
    const { pieces, starts } = this;
    const counts = new Int32Array(hashes);
    for (const piece of pieces) counts[piece] = (counts[piece] as number) + 1;
    const chosen = new Uint8Array(pieces.length);
    documents.forEach((points, place) => {
      const start = starts[place] as number;
      const size = (starts[place + 1] as number) - start;
      const least = differences(points.length);
      const wanted = Math.min(size, least + Math.ceil(Math.max(0, size - least) * shareOfRest));
      const byCount = Int32Array.from({ length: size }, (_, piece) => start + piece).sort(
        (a, b) => (counts[pieces[a] as number] as number) - (counts[pieces[b] as number] as number) || a - b,
      );
      for (let index = 0; index < wanted; index += 1) chosen[byCount[index] as number] = 1;
      this.indexed[place] = wanted;
    });
    return chosen;
  }

  /** Counting sort of all pieces by hash, stretch and part. */
  private fill(documentCount: number, chosen: Uint8Array): void {
    const { offsets, postings, pieces, starts, partShift } = this;
    const each = (visit: (list: number, place: number) => void) => {
      for (let place = 0; place < documentCount; place += 1) {
        const start = starts[place] as number;
        const end = starts[place + 1] as number;
        for (let piece = start; piece < end; piece += 1) {
          if (chosen[piece] === 0) continue;
          const stretch = stretchOf((piece - start) * 3);
          visit(((pieces[piece] as number) * stretchCount + stretch) * partCount + (place >> partShift), place);
        }
      }
    };
    each((list) => {
      offsets[list + 1] = (offsets[list + 1] as number) + 1;
    });
    for (let at = 1; at < offsets.length; at += 1) offsets[at] = (offsets[at] as number) + (offsets[at - 1] as number);
    const next = offsets.slice();
    each((list, place) => {
      postings[next[list] as number] = place;
      next[list] = (next[list] as number) + 1;
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const hashes = 8_192;
const partCount = 16;
/** Of the pieces beyond those that differences could all spoil: more of them cost more looks and save comparisons. */
const shareOfRest = 0.25;
/** Stretches of a document, the last without end. */
const stretchCount = 16;
const stretchLength = 128;

function stretchOf(place: number): number {
  return Math.min(stretchCount - 1, Math.floor(place / stretchLength));
}

function hashOf(points: Int32Array, at: number): number {
  const mixed = Math.imul(
    ((points[at] as number) << 14) ^ ((points[at + 1] as number) << 7) ^ (points[at + 2] as number),
    0x9e3779b1,
  );
  return mixed >>> 19;
}
