import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { dataFolder } from '../product.js';

/**
 * The language of a text by the n-grams of its bytes: eld's small edition, from its own table and with its own results.
 * That package holds the table as 81,000 objects, which take half a second to load, 50 MB in every thread, and a share of
 * every collection of garbage; here they are a few arrays.
 */
export class LanguageGrams {
  private readonly languages: readonly string[];
  private readonly separators: RegExp;
  /** What eld takes a byte for: bytes that its table does not know are spaces. */
  private readonly bytes: Uint8Array;
  /** By slot: an n-gram's bytes, and its place from 1 (0: the slot is free). */
  private readonly low = new Int32Array(slots);
  private readonly high = new Uint16Array(slots);
  private readonly places = new Int32Array(slots);
  /** Slots that the present text has met, by the number of the text. */
  private readonly met = new Int32Array(slots);
  private text = 0;
  /** By place: where its entries begin. */
  private readonly starts: Int32Array;
  private readonly languageOf: Uint8Array;
  private readonly scoreOf: Uint8Array;
  private readonly totals: Int32Array;
  /** The word in hand between two spaces. */
  private readonly word = new Uint8Array(mostBytes + 8).fill(space);

  constructor() {
    const { grams, entries, ...source } = readSource();
    this.languages = source.languages;
    this.separators = new RegExp(source.separators, 'gu');
    this.bytes = Uint8Array.from({ length: 256 }, (_, byte) => (source.blanks.includes(byte) ? space : byte));
    this.totals = new Int32Array(source.languages.length);
    this.starts = new Int32Array(grams + 1);
    const content = gunzipSync(readFileSync(join(folder, source.file)));
    for (let gram = 0; gram < grams; gram += 1) {
      const low = content.readInt32LE(4 * gram);
      const high = content.readUInt16LE(4 * grams + 2 * gram);
      const slot = this.slotOf(low, high);
      this.low[slot] = low;
      this.high[slot] = high;
      this.places[slot] = gram + 1;
      this.starts[gram + 1] = (this.starts[gram] as number) + (content[6 * grams + gram] as number);
    }
    this.languageOf = content.subarray(7 * grams, 7 * grams + entries);
    this.scoreOf = content.subarray(7 * grams + entries);
  }

  /** ISO 639-1 code, or '' where no n-gram is known. */
  detect(text: string): string {
    this.text += 1;
    this.totals.fill(0);
    const cleaned = text.slice(0, longestText).replace(this.separators, ' ').trim().toLowerCase();
    this.addWords(cleaned);
    let best = -1;
    for (let language = 0, most = 0; language < this.totals.length; language += 1) {
      const total = this.totals[language] as number;
      if (total > most) {
        most = total;
        best = language;
      }
    }
    return this.languages[best] ?? '';
  }

  /** The words of the first 350 bytes, the last of which is whole unless it goes beyond 380. */
  private addWords(text: string): void {
    let length = 0;
    let bytes = 0;
    for (let at = 0; at < text.length && bytes <= mostBytes; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === space) {
        this.addWord(length);
        length = 0;
        if (bytes > enoughBytes) break;
        bytes += 1;
      } else {
        const longer = this.addUnit(unit, length);
        bytes += longer - length;
        length = longer;
      }
    }
    this.addWord(length);
  }

  /** Writes UTF-8 of a unit behind the word so far. It is no half of a pair: eld takes what lies beyond the first plane for no letter. */
  private addUnit(unit: number, length: number): number {
    const { word, bytes } = this;
    if (unit < 0x80) {
      word[length + 1] = unit;
      return length + 1;
    }
    const last = bytes[0x80 | (unit & 0x3f)] as number;
    if (unit < 0x800) {
      word[length + 1] = bytes[0xc0 | (unit >> 6)] as number;
      word[length + 2] = last;
      return length + 2;
    }
    word[length + 1] = bytes[0xe0 | (unit >> 12)] as number;
    word[length + 2] = bytes[0x80 | ((unit >> 6) & 0x3f)] as number;
    word[length + 3] = last;
    return length + 3;
  }

  /** Of a word every third n-gram of four bytes, and the last four; with the edges of the word where they touch them. */
  private addWord(length: number): void {
    if (length === 0) return;
    this.word[length + 1] = space;
    const looked = Math.min(length, longestWord);
    let start = 0;
    for (; start + gramBytes < looked; start += 3) this.addGram(start === 0 ? 0 : start + 1, start + 1 + gramBytes);
    // Of a word that is cut eld takes all the rest for its end, which is too long for an n-gram.
    this.addGram(start === 0 ? 0 : Math.max(0, looked - gramBytes) + 1, length + 2);
  }

  /** The bytes of `word` from `start` to `end`, once in a text. */
  private addGram(start: number, end: number): void {
    if (end - start > longestGram) return;
    const { word } = this;
    let low = 0;
    let high = 0;
    for (let at = start; at < end; at += 1) {
      const byte = word[at] as number;
      if (at - start < 4) low |= byte << (8 * (at - start));
      else high |= byte << (8 * (at - start - 4));
    }
    const slot = this.slotOf(low, high);
    const place = this.places[slot] as number;
    if (place === 0 || this.met[slot] === this.text) return;
    this.met[slot] = this.text;
    const last = this.starts[place] as number;
    for (let entry = this.starts[place - 1] as number; entry < last; entry += 1) {
      const language = this.languageOf[entry] as number;
      this.totals[language] = (this.totals[language] as number) + (this.scoreOf[entry] as number) + leastScore;
    }
  }

  /** Where this n-gram stands, or would. */
  private slotOf(low: number, high: number): number {
    let slot = (Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 15) & (slots - 1);
    while (this.places[slot] !== 0 && (this.low[slot] !== low || this.high[slot] !== high))
      slot = (slot + 1) & (slots - 1);
    return slot;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const folder = join(dataFolder, 'languages');

/** Twice as many as n-grams, at least. */
const slots = 1 << 18;

/** eld's own bounds. */
const longestText = 1000;
const enoughBytes = 350;
const mostBytes = 380;
const longestWord = 70;
const gramBytes = 4;
const longestGram = 6;
/** What the table leaves out of every score. */
const leastScore = 53;

const space = 0x20;

interface Source {
  grams: number;
  entries: number;
  languages: string[];
  /** Bytes of letters that eld's table has no character for. */
  blanks: number[];
  /** What stands between words, as a regular expression. */
  separators: string;
  file: string;
}

function readSource(): Source {
  return JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8')) as Source;
}
