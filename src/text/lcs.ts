import { type Assembled, assemble, pageBytes } from './wat.js';

/**
 * How many characters a text and each of many documents have in common in the same order, as long as those may be enough:
 * Hyyrö's bit-parallel longest common subsequence, 64 characters at a step.
 */
export class Lcs {
  private readonly program: Assembled<Exports>;
  private readonly documentsAddress: number;
  private readonly masksAddress: number;
  private readonly characters: number;
  /** The whole memory; another view whenever that grows. */
  private words: Int32Array;
  /** Of the text: its different characters, and how many bytes a bit for each character takes. */
  private present: number[] = [];
  private rowBytes = 0;

  /** For documents of so many characters in all and texts of at most `longest`. */
  constructor(characters: number, longest: number) {
    this.characters = characters;
    this.documentsAddress = rowAddress + rowBytesOf(longest);
    this.masksAddress = this.documentsAddress + 8 * Math.ceil(characters / 2);
    this.program = assemble(program, this.masksAddress);
    this.words = new Int32Array(this.program.memory.buffer);
  }

  /** The code points of all documents, one after the other: for the caller to write, before the first text. */
  get documents(): Int32Array {
    return this.words.subarray(this.documentsAddress / 4, this.documentsAddress / 4 + this.characters);
  }

  /** Notes where each character of the text stands. */
  prepare(points: Int32Array, length: number): void {
    for (const point of this.present) this.words[point] = 0;
    this.present = [];
    this.rowBytes = rowBytesOf(length);
    let end = this.masksAddress;
    for (let index = 0; index < length; index += 1) {
      const point = points[index] as number;
      let mask = this.words[point] as number;
      if (mask === 0) {
        mask = end;
        end += this.rowBytes;
        this.reserve(end);
        this.words.fill(0, mask / 4, end / 4);
        this.words[point] = mask;
        this.present.push(point);
      }
      const word = mask / 4 + (index >>> 5);
      this.words[word] = (this.words[word] as number) | (1 << (index & 31));
    }
  }

  /**
   * Of the prepared text and the document at `[from, to)` of `documents`, over the matches that a sufficient alignment can
   * use: it leaves at most `spare` characters of the text and `otherSpare` of the document unmatched, so a match lies at
   * most that far from the diagonal. Stops, with too little, when more than `otherSpare` is missing.
   */
  atLeast(from: number, to: number, spare: number, otherSpare: number): number {
    const start = this.documentsAddress;
    return this.program.functions.common(start + 4 * from, start + 4 * to, this.rowBytes, spare, otherSpare);
  }

  // -------------------------------------------------------------------------------------------------------------------

  private reserve(bytes: number): void {
    const { memory } = this.program;
    if (bytes <= memory.buffer.byteLength) return;
    memory.grow(Math.ceil(Math.max(bytes - memory.buffer.byteLength, 1 << 20) / pageBytes));
    this.words = new Int32Array(memory.buffer);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/**
 * At address 0, for each code point, the address of the bits where it stands in the text, or 0; then the row, in which a
 * bit is 0 where the common length grows; then the documents; then the bits of the text.
 */
const rowAddress = 4 * 0x110000;

function rowBytesOf(length: number): number {
  return 8 * Math.max(1, Math.ceil(length / 64));
}

interface Exports {
  common(at: number, end: number, rowBytes: number, spare: number, otherSpare: number): number;
}

/** The byte of the word that holds a character's bit. */
const byteOf = (character: string) => `(i32.shl (i32.shr_u ${character} 6) 3)`;

const program = `
(func $common
  (param $at i32) (param $end i32) (param $rowBytes i32) (param $spare i32) (param $otherSpare i32) (result i32)
  (local $column i32) (local $common i32) (local $word i32) (local $last i32) (local $mask i32)
  (local $carry i64) (local $row i64) (local $matched i64) (local $sum i64)
  (loop $more
    (i64.store offset=${rowAddress} $word (i64.const -1))
    (local.set $word (i32.add $word 8))
    (br_if $more (i32.lt_u $word $rowBytes)))
  (block $done
    (br_if $done (i32.ge_u $at $end))
    (loop $character
      (local.set $carry (i64.const 0))
      (local.set $mask (i32.load (i32.shl (i32.load $at) 2)))
      (if $mask
        (then
          (local.set $word 0)
          (if (i32.gt_u $column $otherSpare)
            (then (local.set $word ${byteOf('(i32.sub $column $otherSpare)')})))
          (local.set $last (i32.add ${byteOf('(i32.add $column $spare)')} 8))
          (if (i32.gt_u $last $rowBytes) (then (local.set $last $rowBytes)))
          (loop $words
            (local.set $row (i64.load offset=${rowAddress} $word))
            (local.set $matched (i64.and $row (i64.load (i32.add $mask $word))))
            (local.set $sum (i64.add (i64.add $row $matched) $carry))
            (i64.store offset=${rowAddress} $word (i64.or $sum (i64.xor $row $matched)))
            (local.set $carry (i64.shr_u
              (i64.or $matched (i64.and $row (i64.xor $sum (i64.const -1)))) (i64.const 63)))
            (local.set $word (i32.add $word 8))
            (br_if $words (i32.lt_u $word $last)))))
      ;; The carry out of the last word says whether the common length grew by one.
      (local.set $common (i32.add $common (i32.wrap_i64 $carry)))
      (local.set $column (i32.add $column 1))
      (if (i32.gt_u (i32.sub $column $common) $otherSpare) (then (return $common)))
      (local.set $at (i32.add $at 4))
      (br_if $character (i32.lt_u $at $end))))
  $common)
`;
