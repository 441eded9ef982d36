import { decode } from './reading.js';

/** Between the quotes of an integer that was made a text; no text of the row may begin so. */
const mark = '\u0000integer ';
const writtenMark = JSON.stringify(mark).slice(1, -1);

const backslash = 0x5c;
/** Every integer beyond 2^53 has as many digits. */
const digits = 16;

/**
 * Reads rows of JSON whose integers a number would round (ids of 64 bits) with these as bigint; undefined for any other
 * row, which JSON.parse reads as it is.
 */
export const exactIntegers = {
  startBatch(): void {},

  parse(bytes: Buffer): unknown {
    if (!hasLongNumber(bytes)) return undefined;
    const text = decode(bytes);
    if (text === null || text.includes(writtenMark)) return undefined;
    const marked = outsideStrings(text, (part) =>
      part.replace(/(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (number) =>
        Number.isSafeInteger(Number(number)) ? number : `"${writtenMark}${number}"`,
      ),
    );
    if (marked.length === text.length) return undefined;
    try {
      return JSON.parse(marked, (_, value: unknown) =>
        typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
      );
    } catch {
      return undefined;
    }
  },
};

/** JSON in which integers beyond 2^53 stand as they are. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${mark}${each}` : each));
  return text.replace(/"\\u0000integer (-?\d+)"/g, '$1');
}

// ---------------------------------------------------------------------------------------------------------------------

/** Looks at every sixteenth byte alone: a run of as many digits holds one of them. */
function hasLongNumber(bytes: Buffer): boolean {
  for (let at = digits - 1; at < bytes.length; at += digits) {
    if (!isDigit(bytes[at])) continue;
    let start = at;
    let end = at + 1;
    while (isDigit(bytes[start - 1])) start -= 1;
    while (isDigit(bytes[end])) end += 1;
    if (end - start >= digits) return true;
  }
  return false;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function outsideStrings(json: string, change: (part: string) => string): string {
  let changed = '';
  let at = 0;
  for (;;) {
    const open = json.indexOf('"', at);
    if (open === -1) return changed + change(json.slice(at));
    let close = open;
    do close = json.indexOf('"', close + 1);
    while (close !== -1 && isEscaped(json, close));
    if (close === -1) return changed + change(json.slice(at, open)) + json.slice(open);
    changed += change(json.slice(at, open)) + json.slice(open, close + 1);
    at = close + 1;
  }
}

function isEscaped(json: string, at: number): boolean {
  let slashes = 0;
  while (json.charCodeAt(at - slashes - 1) === backslash) slashes += 1;
  return slashes % 2 === 1;
}
