/**
 * How often each class of characters occurs in many documents, packed so that four (or, of the most frequent characters,
 * two) counts are compared at a time. A text cannot be aligned with a document so that fewer of its characters stay
 * unmatched than it has more of than the document: `surplus` says at least how many those are.
 */
export class Tallies {
  private readonly packed: Int32Array;
  private readonly text = new Int32Array(wordCount);
  private readonly counts = new Int32Array(classCount);

  /** Documents as numbers of their characters: 1 for the most frequent, 2 for the next …; 0 in texts for one that no document has. */
  constructor(documents: readonly Int32Array[]) {
    this.packed = new Int32Array(documents.length * wordCount);
    documents.forEach((points, document) => {
      this.pack(points, points.length, this.packed, document * wordCount);
    });
  }

  /** The text that `withinSpare` compares, as numbers of its characters. */
  take(text: Int32Array, length: number): void {
    this.pack(text, length, this.text, 0);
    // A bit above each count, so that no subtraction borrows from its neighbour: it stays where nothing is lacking.
    for (let word = 0; word < wordCount; word += 1)
      this.text[word] = (this.text[word] as number) | (word < wideWords ? 0x80008000 : 0x80808080);
  }

  /** Whether the text may have at most `spare` characters more than the document, class by class. */
  withinSpare(document: number, spare: number): boolean {
    const { packed, text } = this;
    const at = document * wordCount;
    let wide = 0;
    for (let word = 0; word < wideWords; word += 1) {
      const difference = ((text[word] as number) - (packed[at + word] as number)) | 0;
      const more = difference & 0x80008000;
      wide += difference & (more - (more >>> 15));
    }
    let surplus = (wide & 0xffff) + (wide >>> 16);
    if (surplus > spare) return false;
    let narrow = 0;
    for (let word = wideWords; word < wordCount; word += 1) {
      const difference = ((text[word] as number) - (packed[at + word] as number)) | 0;
      const more = difference & 0x80808080;
      const each = difference & (more - (more >>> 7));
      narrow += (each & 0x00ff00ff) + ((each >>> 8) & 0x00ff00ff);
    }
    surplus += (narrow & 0xffff) + (narrow >>> 16);
    return surplus <= spare;
  }

  // -------------------------------------------------------------------------------------------------------------------

  private pack(points: Int32Array, length: number, into: Int32Array, at: number): void {
    const { counts } = this;
    counts.fill(0);
    for (let index = 0; index < length; index += 1) {
      const of = classOf(points[index] as number);
      counts[of] = (counts[of] as number) + 1;
    }
    // A count beyond its bits is cut: the surplus can only come out smaller.
    const cut = (of: number, most: number) => Math.min(counts[of] as number, most);
    for (let word = 0; word < wideWords; word += 1)
      into[at + word] = cut(2 * word, 0x7fff) | (cut(2 * word + 1, 0x7fff) << 16);
    for (let word = wideWords, of = wideCount; word < wordCount; word += 1, of += 4)
      into[at + word] =
        cut(of, 0x7f) | (cut(of + 1, 0x7f) << 8) | (cut(of + 2, 0x7f) << 16) | (cut(of + 3, 0x7f) << 24);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** The most frequent characters, counted up to 32,767 in 16 bits. */
const wideCount = 16;
/** Further classes, counted up to 127 in 8 bits: characters of their own, then shared ones, last what no document has. */
const narrowCount = 48;
const sharedCount = 15;
const classCount = wideCount + narrowCount;
const ownCount = classCount - sharedCount - 1;
const wideWords = wideCount / 2;
const wordCount = wideWords + narrowCount / 4;

function classOf(point: number): number {
  if (point === 0) return classCount - 1;
  return point <= ownCount ? point - 1 : ownCount + (point % sharedCount);
}
