/**
 * A text reduced to what survives another way of writing it: letters and digits alone, without case, accents, spacing,
 * punctuation, typography, look-alike letters, markup, entities and escapes. Every symbol keeps its place in the text.
 */
import { entities, greekLetters, lookAlikes, silentCommands, tagNames } from './fold-tables.js';

export interface Folded {
  /** A UTF-16 unit per symbol. A Han character or kana is two symbols, because it says as much as two letters. */
  symbols: Uint16Array;
  /** Where in the text each symbol comes from: UTF-16 offsets, half-open. */
  starts: Int32Array;
  ends: Int32Array;
  /** 1 where a new word begins. */
  begins: Uint8Array;
  count: number;
}

export function fold(text: string): Folded {
  const folded = newFolded(text.length + 16);
  const table = unitTable();
  let isNew = true;
  const isUrl = /(?:%20[^%]*){3}|\w(?:\+[\w%]+){6}/.test(text);
  for (let index = 0; index < text.length; ) {
    const unit = text.charCodeAt(index);
    const plain = table[unit] as number;
    if (plain > special) {
      push(folded, plain, index, index + 1, isNew);
      isNew = false;
      index += 1;
      continue;
    }
    if (plain === ignored) {
      if (isShortNot(folded, text, index)) pushNot(folded, index);
      index += 1;
      continue;
    }
    if (plain === separator) {
      const marks = unit === ampersand || unit === less || unit === backslash || (isUrl && unit === percent);
      const skipped = marks ? markup(text, index, unit) : null;
      if (skipped === null) {
        isNew = true;
        index += 1;
        continue;
      }
      if (skipped.shows === '') isNew ||= skipped.parts;
      else isNew = pushShown(folded, text, skipped.shows, index, skipped.end, isNew);
      index = skipped.end;
      continue;
    }
    const point = text.codePointAt(index) as number;
    const length = point > 0xffff ? 2 : 1;
    isNew = pushCharacter(folded, text, point, index, index + length, isNew);
    index += length;
  }
  return folded;
}

/** The words of a folded text as strings, in order. */
export function foldedWords(folded: Folded): string[] {
  const words: string[] = [];
  for (let start = 0; start < folded.count; ) {
    const end = wordEnd(folded, start);
    words.push(symbolText(folded, start, end));
    start = end;
  }
  return words;
}

/** The end of the word that holds the symbol at `at`. */
export function wordEnd(folded: Folded, at: number): number {
  let end = at + 1;
  while (end < folded.count && folded.begins[end] === 0) end += 1;
  return end;
}

/** Symbols as a string. Words come again and again, and finding one made before is cheaper than making it. */
export function symbolText({ symbols }: Pick<Folded, 'symbols'>, start: number, end: number): string {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (symbols[at] as number), 0x01000193);
  const slot = (hash ^ (hash >>> 15)) & (knownTexts.length - 1);
  const known = knownTexts[slot] as string;
  if (known.length === end - start) {
    let at = start;
    while (at < end && known.charCodeAt(at - start) === symbols[at]) at += 1;
    if (at === end) return known;
  }
  const made = String.fromCharCode(...symbols.subarray(start, end));
  if (made.length <= longestKnown) knownTexts[slot] = made;
  return made;
}

// ---------------------------------------------------------------------------------------------------------------------

/** By hash, each in place of the one before. */
const knownTexts: string[] = new Array<string>(1 << 16).fill('');
const longestKnown = 40;

const separator = 0;
const ignored = 1;
const special = 2;
const ampersand = 0x26;
const less = 0x3c;
const backslash = 0x5c;
const percent = 0x25;

/** Marks the second symbol of a Han character: a private-use unit, so that it equals no letter. */
const second = 0xe000;

let table: Uint16Array | null = null;

/** Per UTF-16 unit its one symbol, or `separator`, `ignored`, or `special` for what takes a closer look. */
function unitTable(): Uint16Array {
  if (table !== null) return table;
  table = new Uint16Array(0x10000);
  const letter = /[\p{L}\p{N}]/u;
  const silent = /[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
  const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
  for (let unit = 0; unit < 0x10000; unit += 1) {
    const character = String.fromCharCode(unit);
    if (unit >= 0xd800 && unit <= 0xdfff) table[unit] = special;
    else if (silent.test(character) || character === "'" || character === '’' || character === '‘')
      table[unit] = ignored;
    else if (unit < 0x80) table[unit] = letter.test(character) ? character.toLowerCase().charCodeAt(0) : separator;
    else if (!letter.test(character) && !/[\p{L}\p{N}]/u.test(character.normalize('NFKD'))) table[unit] = separator;
    else {
      const shown = foldCharacter(character);
      const single = shown.length === 1 && !wide.test(shown) && greekLetters[shown] === undefined;
      table[unit] = single ? shown.charCodeAt(0) : special;
    }
  }
  return table;
}

/** A character in its plainest form: decomposed, without marks, lower-case, look-alikes as Latin letters. */
function foldCharacter(character: string): string {
  let shown = '';
  for (const part of character.normalize('NFKD').toLowerCase().normalize('NFKD'))
    if (!/\p{M}/u.test(part)) shown += lookAlikes[part] ?? part;
  return shown;
}

function pushCharacter(
  folded: Folded,
  text: string,
  point: number,
  start: number,
  end: number,
  isNew: boolean,
): boolean {
  const character = String.fromCodePoint(point);
  if (point > 0xffff && !/[\p{L}\p{N}]/u.test(character))
    return /\p{Default_Ignorable_Code_Point}/u.test(character) ? isNew : true;
  return pushShown(folded, text, foldCharacter(character), start, end, isNew);
}

/** Pushes what a stretch of text shows; returns whether the next symbol begins a word. */
function pushShown(folded: Folded, text: string, shown: string, start: number, end: number, isNew: boolean): boolean {
  let fresh = isNew;
  for (const part of shown) {
    const point = part.codePointAt(0) as number;
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(part)) {
      push(folded, point & 0xffff, start, end, true);
      push(folded, second | (point & 0x7ff), start, end, false);
      fresh = true;
    } else if (/[\p{L}\p{N}]/u.test(part)) {
      const plain = foldCharacter(part);
      const greek = greekLetters[plain];
      const inLatin =
        greek !== undefined && ((!fresh && isLatin(folded.symbols[folded.count - 1])) || latinAt(text, end));
      for (const unit of greek === undefined ? plain : inLatin ? greek.alike : greek.name) {
        push(folded, unit.charCodeAt(0), start, end, fresh);
        fresh = false;
      }
    } else if (!/[\p{M}\p{Cf}'’‘]/u.test(part)) fresh = true;
  }
  return fresh;
}

function isLatin(symbol: number | undefined): boolean {
  return symbol !== undefined && symbol >= 0x61 && symbol <= 0x7a;
}

/** Whether a Latin letter follows in the same word, in whatever form it is written, be it behind further Greek ones. */
function latinAt(text: string, start: number): boolean {
  for (let at = start; at < text.length; ) {
    const point = text.codePointAt(at) as number;
    if (unitTable()[text.charCodeAt(at)] !== ignored) {
      const shown = foldCharacter(String.fromCodePoint(point));
      if (isLatin(shown.charCodeAt(0))) return true;
      if (greekLetters[shown] === undefined) return false;
    }
    at += point > 0xffff ? 2 : 1;
  }
  return false;
}

/** Whether an apostrophe stands in "doesn't" or "can't". */
function isShortNot({ symbols, count }: Folded, text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit !== 0x27 && unit !== 0x2019 && unit !== 0x2018) return false;
  return symbols[count - 1] === letterN && count >= 3 && /^n.t(?![\p{L}\p{N}])/iu.test(text.slice(at - 1, at + 3));
}

/** Makes "doesn" "does" and "no", to which the "t" comes; "can" stays whole, as in "cannot". */
function pushNot(folded: Folded, at: number): void {
  const last = folded.count - 1;
  if (folded.symbols[last - 1] === letterA) push(folded, letterN, at, at + 1, false);
  else folded.begins[last] = 1;
  push(folded, letterO, at, at + 1, false);
}

const [letterA, letterN, letterO] = [0x61, 0x6e, 0x6f] as const;

function push(folded: Folded, symbol: number, start: number, end: number, begins: boolean): void {
  const at = folded.count;
  if (at === folded.symbols.length) enlarge(folded);
  folded.symbols[at] = symbol;
  folded.starts[at] = start;
  folded.ends[at] = end;
  folded.begins[at] = begins ? 1 : 0;
  folded.count = at + 1;
}

/** Entities, tags, chat template tokens, escapes and commands: where they end, what they show, whether they part words. */
function markup(text: string, start: number, unit: number): { end: number; shows: string; parts: boolean } | null {
  const rest = text.slice(start, start + 140);
  if (unit === ampersand) {
    // Escaped once more: &amp;nbsp;
    const match = /^&(?:amp;)*(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]{2,8}\d{0,2}));/i.exec(rest);
    if (match === null) return null;
    const code = match[1] !== undefined ? Number(match[1]) : match[2] !== undefined ? Number.parseInt(match[2], 16) : 0;
    const shows = match[3] === undefined ? (code > 0x10ffff ? '' : String.fromCodePoint(code)) : entities[match[3]];
    return shows === undefined ? null : { end: start + match[0].length, shows, parts: false };
  }
  if (unit === percent) {
    const code = /^%([0-9a-f]{2})/i.exec(rest);
    if (code === null) return null;
    const byte = Number.parseInt(code[1] as string, 16);
    // Bytes of a longer character: a curly quote or a dash, which show nothing either.
    return { end: start + 3, shows: byte < 0x80 ? String.fromCharCode(byte) : '', parts: false };
  }
  if (unit === less) {
    const token = /^<\|[a-z0-9_ -]{1,40}\|>/i.exec(rest) ?? /^<[｜|][^<>]{1,40}[｜|]>/.exec(rest);
    if (token !== null) return { end: start + token[0].length, shows: '', parts: true };
    const tag = /^<\/?([a-z][a-z0-9_]*)(?:\s+[a-z-]+\s*=[^<>]{0,100})?\s*\/?>/i.exec(rest);
    if (tag === null || !tagNames.has((tag[1] as string).toLowerCase())) return null;
    const inline = /^(?:a|b|i|u|em|sub|sup|font|span|strong|small|mark|code)$/i.test(tag[1] as string);
    return { end: start + tag[0].length, shows: '', parts: !inline };
  }
  const escaped = /^\\u([0-9a-f]{4})/i.exec(rest);
  if (escaped !== null)
    return { end: start + 6, shows: String.fromCharCode(Number.parseInt(escaped[1] as string, 16)), parts: false };
  const command = /^\\([a-z]+)/i.exec(rest);
  if (command === null) return null;
  const name = command[1] as string;
  if (silentCommands.has(name)) return { end: start + 1 + name.length, shows: '', parts: true };
  const greek = Object.values(greekLetters).find((each) => each.name === name.toLowerCase());
  if (greek !== undefined) return { end: start + 1 + name.length, shows: greek.name, parts: true };
  return /^[nrt]/.test(name) ? { end: start + 2, shows: '', parts: true } : null;
}

/** Short texts share buffers: four allocations for each would cost more than to fold it. What is handed out is zero. */
function newFolded(room: number): Folded {
  const bytes = room * 11 + 8;
  if (bytes > poolBytes / 4) return foldedIn(new ArrayBuffer(bytes), 0, room);
  if (poolUsed + bytes > poolBytes) {
    pool = new ArrayBuffer(poolBytes);
    poolUsed = 0;
  }
  const folded = foldedIn(pool, poolUsed, room);
  poolUsed = (poolUsed + bytes) & ~3;
  return folded;
}

const poolBytes = 1 << 18;
let pool = new ArrayBuffer(poolBytes);
let poolUsed = 0;

/** The widest first, so that each begins at a multiple of its unit. */
function foldedIn(buffer: ArrayBuffer, offset: number, room: number): Folded {
  return {
    starts: new Int32Array(buffer, offset, room),
    ends: new Int32Array(buffer, offset + 4 * room, room),
    symbols: new Uint16Array(buffer, offset + 8 * room, room),
    begins: new Uint8Array(buffer, offset + 10 * room, room),
    count: 0,
  };
}

function enlarge(folded: Folded): void {
  const room = folded.symbols.length * 2;
  const old = { ...folded };
  folded.symbols = new Uint16Array(room);
  folded.symbols.set(old.symbols);
  folded.starts = new Int32Array(room);
  folded.starts.set(old.starts);
  folded.ends = new Int32Array(room);
  folded.ends.set(old.ends);
  folded.begins = new Uint8Array(room);
  folded.begins.set(old.begins);
}
