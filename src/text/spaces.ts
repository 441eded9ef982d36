import { type Text, Utf8Text } from './utf8-text.js';

/**
 * What a word is: the one place that says so. A word is what spaces part, and these are the spaces: Python's `str.isspace`
 * set as used by `str.split()`, unlike JavaScript's `\s` with U+001C–1F and U+0085 and without U+FEFF.
 */
const spaces = [
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
  0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

const space = 1;
const kinds = spaceTable();

/** Whether a UTF-16 unit parts words. */
export function isSpace(unit: number): boolean {
  return kinds[unit] === space;
}

/** `text.strip()` in Python. */
export function strip<T extends Text>(text: T): T {
  return (text instanceof Utf8Text ? stripBytes(text) : stripUnits(text as string)) as T;
}

/** The words themselves, as Python's `text.split()` gives them. */
export function splitWords(text: string): string[] {
  const { starts, ends } = wordPlaces(text);
  return starts.map((start, word) => text.slice(start, ends[word]));
}

/** Where the words of `splitWords` start and end, in UTF-16 units. */
export function wordPlaces(text: string): { starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const isPart = !isSpace(text.charCodeAt(index));
    if (isPart && starts.length === ends.length) starts.push(index);
    else if (!isPart && starts.length > ends.length) ends.push(index);
  }
  if (starts.length > ends.length) ends.push(text.length);
  return { starts, ends };
}

// ---------------------------------------------------------------------------------------------------------------------

function stripUnits(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && kinds[text.charCodeAt(start)] === space) start += 1;
  while (end > start && kinds[text.charCodeAt(end - 1)] === space) end -= 1;
  return text.slice(start, end);
}

function stripBytes(text: Utf8Text): Utf8Text {
  let start = 0;
  let end = text.length;
  for (let bytes = 1; bytes > 0; start += bytes) bytes = spaceBytes(text, start, end);
  for (let bytes = 1; bytes > 0; end -= bytes) bytes = spaceBytesBefore(text, start, end);
  return text.slice(start, end);
}

/** Bytes of the space that stands at a place before `end`; 0: there is none. */
function spaceBytes(text: Utf8Text, place: number, end: number): number {
  const first = text.byteAt(place);
  if (place >= end) return 0;
  if (first < 0x80) return kinds[first] === space ? 1 : 0;
  const bytes = first < 0xe0 ? 2 : 3;
  return first < 0xf0 &&
    kinds[
      text
        .slice(place, place + bytes)
        .toString()
        .charCodeAt(0)
    ] === space
    ? bytes
    : 0;
}

/** Bytes of the space that ends at a place behind `start`; 0: there is none. */
function spaceBytesBefore(text: Utf8Text, start: number, place: number): number {
  for (let bytes = 1; bytes <= 3 && place - bytes >= start; bytes += 1) {
    const first = text.byteAt(place - bytes);
    if (first < 0x80 || first >= 0xc0) return spaceBytes(text, place - bytes, place) === bytes ? bytes : 0;
  }
  return 0;
}

/** Which UTF-16 units are spaces. */
function spaceTable(): Uint8Array {
  const table = new Uint8Array(65_536);
  for (const unit of spaces) table[unit] = space;
  return table;
}
