import { countCodePoints } from './code-points.js';
import {
  blockBytes,
  classCount,
  classesAddress,
  freeAddress,
  lanes,
  makeTallyScan,
  type TallyScan,
  uncounted,
} from './tally-scan.js';
import { type Assembled, pageBytes } from './wat.js';

/**
 * How often each class of characters occurs in many documents. However a text is aligned with a document, the characters
 * that it has more of than the document stay unmatched: where those are too many, the two need no other look.
 */
export class Tallies {
  private readonly threshold: number;
  private readonly program: Assembled<TallyScan>;
  private readonly foundAddress: number;
  private readonly textAddress: number;
  private memory: Buffer;
  /** The whole memory in words of 16 bits: another view whenever that grows. */
  private words: Uint16Array;

  /** Documents by rising length, counted in code points. */
  constructor(documents: readonly string[], threshold: number) {
    this.threshold = threshold;
    const blocks = Math.ceil(documents.length / lanes);
    this.foundAddress = freeAddress + blocks * blockBytes;
    this.textAddress = this.foundAddress + blocks * 4;
    this.program = makeTallyScan(this.textAddress);
    this.memory = Buffer.from(this.program.memory.buffer);
    this.words = new Uint16Array(this.program.memory.buffer);
    this.classify(documents);
    documents.forEach((document, place) => {
      const length = this.read(document);
      const counts = new Int32Array(this.program.memory.buffer, 0, classCount);
      const first = (freeAddress + Math.floor(place / lanes) * blockBytes) / 2 + (place % lanes);
      this.words[first] = Math.min(mostCount, Math.floor((threshold * length) / 200));
      for (let of = 0; of < classCount; of += 1)
        this.words[first + (of + 1) * lanes] = Math.min(counts[of] as number, mostCount);
    });
  }

  /** Counts the text, which `near` then asks about, and returns how many code points it has. */
  read(text: string): number {
    this.write(text);
    this.program.functions.tally(this.textAddress, this.textAddress + 2 * text.length);
    return this.words[2 * uncounted] === 0 && this.words[2 * uncounted + 1] === 0 ? text.length : countCodePoints(text);
  }

  /**
   * Of the documents from `from` to `to`, whose lengths allow the threshold, those that may reach it: with a text of
   * `length` characters the surplus is at most `length - threshold · (length + other) / 200`. In rising order.
   */
  near(length: number, from: number, to: number): number[] {
    const allowed = Math.floor(((200 - this.threshold) * length) / 200);
    // More than 16 bits can tell.
    if (allowed >= mostCount) return Array.from({ length: to - from }, (_, index) => from + index);
    const first = Math.floor(from / lanes);
    const [at, end] = [first, Math.ceil(to / lanes)].map((place) => freeAddress + place * blockBytes);
    const foundEnd = this.program.functions.scan(at as number, end as number, allowed, this.foundAddress);
    const near: number[] = [];
    for (let address = this.foundAddress; address < foundEnd; address += 4) {
      const found = this.memory.readUInt32LE(address);
      for (let lane = 0; lane < lanes; lane += 1) {
        const document = (first + (found >>> 8)) * lanes + lane;
        if ((found & (1 << lane)) !== 0 && document >= from && document < to) near.push(document);
      }
    }
    return near;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** A character beyond U+FFFF is counted by the first of its two units alone. */
  private classify(documents: readonly string[]): void {
    const counts = new Int32Array(0x10000);
    for (const document of documents) {
      this.write(document);
      const { words } = this;
      const start = this.textAddress / 2;
      for (let index = start; index < start + document.length; index += 1) {
        const unit = words[index] as number;
        counts[unit] = (counts[unit] as number) + 1;
      }
    }
    const present: number[] = [];
    for (let unit = 0; unit < counts.length; unit += 1)
      if (counts[unit] !== 0 && !isLowSurrogate(unit)) present.push(unit);
    present.sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
    const classes = this.memory.subarray(classesAddress, classesAddress + 0x10000);
    classes.fill(ofNoDocument);
    classes.fill(uncounted, 0xdc00, 0xe000);
    present.forEach((unit, rank) => {
      classes[unit] = rank < ownCount ? rank : ownCount + (rank % sharedCount);
    });
  }

  private write(text: string): void {
    const most = this.textAddress + 2 * text.length;
    if (most > this.memory.length) {
      this.program.memory.grow(Math.ceil((2 * (most - this.memory.length)) / pageBytes));
      this.memory = Buffer.from(this.program.memory.buffer);
      this.words = new Uint16Array(this.program.memory.buffer);
    }
    this.memory.write(text, this.textAddress, 'utf16le');
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** The most frequent characters have a class of their own, the others share the rest; the last is for those of a text alone. */
const ofNoDocument = classCount - 1;
const sharedCount = 15;
const ownCount = classCount - sharedCount - 1;
/** A count beyond its bits is cut: the surplus can only come out smaller. */
const mostCount = 0xffff;

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
