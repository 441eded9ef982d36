/**
 * The lower-case words of texts as arrays of UTF-16 units, with a hash of each word: what comparing words costs least in.
 * The words are those of `text.toLowerCase()` split at spaces as `words.ts` knows them.
 */

import { contextual, type LowerScan, makeLowerScan, padding, unitsAddress } from './lower-scan.js';
import { isSpace } from './spaces.js';
import { type Assembled, pageBytes } from './wat.js';

export class LowerWords {
  /** How many words there are, and how many of them stay (`keep`). */
  count = 0;
  kept = 0;
  /** Per word: its hash, and its half-open range of `units`. All four may be other arrays after a text was added. */
  hashes = new Int32Array(0);
  starts = new Int32Array(0);
  ends = new Int32Array(0);
  /** The texts one after the other, in lower case. */
  units = new Uint16Array(0);
  private readonly program: Assembled<LowerScan>;
  private bytes = Buffer.alloc(0);
  private unitCount = 0;
  private unitsKept = 0;

  /** With room for texts of so many units in all. */
  constructor(units = 1 << 14) {
    this.program = makeLowerScan(unitsAddress, (unit) => this.learn(unit));
    this.makeRoom(units, units / 5);
    for (let unit = 1; unit < 0x80; unit += 1) this.learn(unit);
  }

  /** Appends the words of a text. */
  add(text: string): void {
    if (!this.read(text, false)) this.read(text.toLowerCase(), true);
  }

  /** What was added so far stays. */
  keep(): void {
    this.kept = this.count;
    this.unitsKept = this.unitCount;
  }

  /** Forgets what does not stay. */
  clear(): void {
    this.count = this.kept;
    this.unitCount = this.unitsKept;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Whether the text could be read: unless it `isLower`, not where a unit's lower case depends on its neighbours. */
  private read(text: string, isLower: boolean): boolean {
    const units = this.unitCount + text.length + 1;
    const words = this.count + ((text.length + 1) >>> 1);
    if (units > this.units.length || words > this.hashes.length)
      this.makeRoom(
        units > this.units.length ? 2 * units : this.units.length,
        words > this.hashes.length ? 2 * words : this.hashes.length,
      );
    const at = unitsAddress + 2 * this.unitCount;
    this.bytes.write(text, at, 2 * text.length, 'utf16le');
    const first = this.hashes.byteOffset + 4 * this.count;
    const end = this.program.functions.scan(at, at + 2 * text.length, first, 4 * this.hashes.length, isLower ? 1 : 0);
    if (end === 0) return false;
    this.count += (end - first) / 4;
    this.unitCount = units;
    return true;
  }

  /** Lays out the memory anew: first the units, then what is known of the words. */
  private makeRoom(units: number, words: number): void {
    const { memory } = this.program;
    const known = [this.hashes, this.starts, this.ends].map((each) => each.slice(0, this.count));
    const room = Math.ceil(words);
    const wordsAddress = 16 * Math.ceil((unitsAddress + 2 * units + padding) / 16);
    const missing = wordsAddress + 12 * room - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    this.bytes = Buffer.from(memory.buffer);
    this.units = new Uint16Array(memory.buffer, unitsAddress, units);
    [this.hashes, this.starts, this.ends] = known.map((each, column) => {
      const larger = new Int32Array(memory.buffer, wordsAddress + 4 * column * room, room);
      larger.set(each);
      return larger;
    }) as [Int32Array<ArrayBuffer>, Int32Array<ArrayBuffer>, Int32Array<ArrayBuffer>];
  }

  private learn(unit: number): void {
    this.bytes.writeUInt16LE(isSpace(unit) ? space : lowerUnit(unit), 2 * unit);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const space = 0x20;

/** Surrogates from U+1F000 on (emoji, rarer Han characters) have no case. */
function lowerUnit(unit: number): number {
  const finalSigma = 0x3a3;
  const isSurrogateOfCased = unit >= 0xd800 && unit < 0xd83c;
  if (unit === finalSigma || isSurrogateOfCased) return contextual;
  const lower = String.fromCharCode(unit).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : contextual;
}
