import { branchIf, get, type Instance, i32, i64, Kernel, loop, pageBytes, returns, set, when } from './wasm.js';

/**
 * How many characters a text and each of many documents have in common in the same order, as long as those may be enough:
 * Hyyrö's bit-parallel longest common subsequence, 64 characters at a step.
 */
export class Lcs {
  private readonly kernel: Instance<Exports>;
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
    this.kernel = kernel.instance(this.masksAddress);
    this.words = new Int32Array(this.kernel.memory.buffer);
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
    return this.kernel.exports.common(start + 4 * from, start + 4 * to, this.rowBytes, spare, otherSpare);
  }

  // -------------------------------------------------------------------------------------------------------------------

  private reserve(bytes: number): void {
    const { memory } = this.kernel;
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

const [at, end, rowBytes, spare, otherSpare, column, common, word, last, mask, carry, row, matched, sum] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
];

/** The byte of the word that holds a character's bit. */
const byteOf = (character: readonly number[]) => i32.shiftLeft(i32.shiftRight(character, i32.const(6)), i32.const(3));
const minimum = (local: number, most: number) => when(i32.greater(get(local), get(most)), set(local, get(most)));

/** The carry out of the last word says whether the common length grew by one. */
const kernel = new Kernel<Exports>({
  common: {
    parameters: ['i32', 'i32', 'i32', 'i32', 'i32'],
    result: 'i32',
    locals: ['i32', 'i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i64'],
    body: [
      ...loop(
        i64.store(get(word), i64.const(-1n), rowAddress),
        set(word, i32.add(get(word), i32.const(8))),
        branchIf(0, i32.less(get(word), get(rowBytes))),
      ),
      ...when(
        i32.less(get(at), get(end)),
        loop(
          set(carry, i64.const(0n)),
          set(mask, i32.load(i32.shiftLeft(i32.load(get(at)), i32.const(2)))),
          when(
            get(mask),
            set(word, i32.const(0)),
            when(i32.greater(get(column), get(otherSpare)), set(word, byteOf(i32.sub(get(column), get(otherSpare))))),
            set(last, i32.add(byteOf(i32.add(get(column), get(spare))), i32.const(8))),
            minimum(last, rowBytes),
            loop(
              set(row, i64.load(get(word), rowAddress)),
              set(matched, i64.and(get(row), i64.load(i32.add(get(mask), get(word))))),
              set(sum, i64.add(i64.add(get(row), get(matched)), get(carry))),
              i64.store(get(word), i64.or(get(sum), i64.xor(get(row), get(matched))), rowAddress),
              set(
                carry,
                i64.shiftRight(
                  i64.or(get(matched), i64.and(get(row), i64.xor(get(sum), i64.const(-1n)))),
                  i64.const(63n),
                ),
              ),
              set(word, i32.add(get(word), i32.const(8))),
              branchIf(0, i32.less(get(word), get(last))),
            ),
          ),
          set(common, i32.add(get(common), i32.fromI64(get(carry)))),
          set(column, i32.add(get(column), i32.const(1))),
          when(i32.greater(i32.sub(get(column), get(common)), get(otherSpare)), returns(get(common))),
          set(at, i32.add(get(at), i32.const(4))),
          branchIf(0, i32.less(get(at), get(end))),
        ),
      ),
      ...get(common),
    ],
  },
});
