/**
 * The lower-case words of texts as arrays of UTF-16 units, with a hash of each word: what comparing words costs least in.
 * The words are those of `text.toLowerCase()` split at spaces as `words.ts` knows them.
 */
import { isSpace } from './words.js';

export class LowerWords {
  /** How many words there are. */
  count = 0;
  /** Per word: its hash, and its half-open range of `units`. */
  hashes: Int32Array;
  starts: Int32Array;
  ends: Int32Array;
  /** The texts one after the other, in lower case. */
  units: Uint16Array;
  private bytes: Buffer;
  private unitCount = 0;

  constructor(room = 1024) {
    this.hashes = new Int32Array(room);
    this.starts = new Int32Array(room);
    this.ends = new Int32Array(room);
    this.units = new Uint16Array(room * 8);
    this.bytes = bytesOf(this.units);
  }

  /** Makes room for texts of so many units in all. */
  reserve(units: number): void {
    if (this.units.length <= this.unitCount + units) this.growUnits(this.unitCount + units + 1);
  }

  clear(): void {
    this.count = 0;
    this.unitCount = 0;
  }

  /** Appends the words of a text. */
  add(text: string): void {
    if (!this.read(text, false)) this.read(text.toLowerCase(), true);
  }

  /**
   * Where the words of a text stand in it, where this holds the words of that text alone. Only a text that changes its
   * length in lower case needs another look: its words stay the same words.
   */
  placesIn(text: string): { starts: Int32Array; ends: Int32Array } {
    if (text.length === this.unitCount) return this;
    const words = new LowerWords();
    words.read(text, true);
    return words;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Whether the text could be read: unless it `isLower`, not where a unit's lower case depends on its neighbours. */
  private read(text: string, isLower: boolean): boolean {
    const begin = this.unitCount;
    const length = begin + text.length;
    if (this.units.length <= length) this.growUnits(length + 1);
    this.bytes.write(text, 2 * begin, 'utf16le');
    const { units } = this;
    let { hashes, starts, ends, count } = this;
    units[length] = space;
    let index = begin;
    for (;;) {
      let unit = wordUnits[units[index] as number] as number;
      while (unit === space && index < length) {
        index += 1;
        unit = wordUnits[units[index] as number] as number;
      }
      if (index >= length) break;
      if (count === starts.length) {
        hashes = this.hashes = grow(hashes);
        starts = this.starts = grow(starts);
        ends = this.ends = grow(ends);
      }
      starts[count] = index;
      let hash = 0x811c9dc5 | 0;
      while (unit !== space) {
        if (unit === contextual) {
          if (!isLower) return false;
          unit = units[index] as number;
        }
        units[index] = unit;
        hash = Math.imul(hash ^ unit, 0x01000193);
        index += 1;
        unit = wordUnits[units[index] as number] as number;
      }
      hashes[count] = hash;
      ends[count] = index;
      count += 1;
    }
    this.count = count;
    this.unitCount = length;
    return true;
  }

  private growUnits(least: number): void {
    const larger = new Uint16Array(Math.max(least, this.units.length * 2));
    larger.set(this.units.subarray(0, this.unitCount));
    this.units = larger;
    this.bytes = bytesOf(larger);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const space = 0x20;
const contextual = 0xd800;

/**
 * Unit → the unit of its lower case; U+0020 for every space; `contextual` where the lower case depends on neighbours or
 * has another length. Surrogates from U+1F000 on (emoji, rarer Han characters) have no case.
 */
const wordUnits = makeWordUnits();

function makeWordUnits(): Uint16Array {
  const table = new Uint16Array(0x10000);
  for (let unit = 0; unit < 0x10000; unit += 1)
    table[unit] = isSpace(unit) ? space : isCaseless(unit) ? unit : lowerUnit(unit);
  return table;
}

function lowerUnit(unit: number): number {
  const finalSigma = 0x3a3;
  const isSurrogateOfCased = unit >= 0xd800 && unit < 0xd83c;
  if (unit === finalSigma || isSurrogateOfCased) return contextual;
  const lower = String.fromCharCode(unit).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : contextual;
}

/** Large blocks without case: Han, kana, Hangul, private use. Asking for the lower case of each takes 20 ms. */
function isCaseless(unit: number): boolean {
  return (unit >= 0x2e80 && unit < 0xa640) || (unit >= 0xac00 && unit < 0xd800) || (unit >= 0xd83c && unit < 0xfb00);
}

function bytesOf(units: Uint16Array): Buffer {
  return Buffer.from(units.buffer, units.byteOffset, units.byteLength);
}

function grow(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
