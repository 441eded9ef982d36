import { isAscii, isUtf8 } from 'node:buffer';
import { Utf8Text } from '../../text/utf8-text.js';
import { assemble } from '../../text/wat.js';

/**
 * Parses JSON without making strings of its long texts: they are unescaped once, into memory that is used again, and the
 * rest goes through `JSON.parse` with a mark in the place of each. Whatever is not plain (an escape that is none, half a
 * surrogate pair, a text like a mark, a value too long or nested too deep) is refused, and `JSON.parse` says what it is.
 */
export class LongTexts {
  private readonly bytes: Buffer;
  private readonly numbers: Int32Array;
  private readonly take: (at: number, end: number, skeleton: number, texts: number) => number;
  private readonly keys: ReadonlySet<string>;
  private readonly shortest: number;
  private used = textsStart;

  /** `keys`: of a row, under which long texts may stay what they are. `shortest`: bytes that make one long. */
  constructor(keys: Iterable<string>, shortest = 128) {
    const { functions, memory } = assemble(program(shortest), textsEnd);
    this.bytes = Buffer.from(memory.buffer);
    this.numbers = new Int32Array(memory.buffer);
    this.take = functions.take as typeof this.take;
    this.keys = new Set(keys);
    this.shortest = shortest;
    for (const [letter, byte] of escapes) this.bytes[escapesAt + letter.charCodeAt(0)] = byte;
    this.bytes.fill(notHex, hexAt, hexAt + 256);
    for (const digit of '0123456789abcdefABCDEF') this.bytes[hexAt + digit.charCodeAt(0)] = Number.parseInt(digit, 16);
  }

  /** What was parsed before is used up: its texts are no longer valid. */
  startBatch(): void {
    this.used = textsStart;
  }

  /** The value in these bytes; undefined where it is refused. */
  parse(bytes: Buffer): unknown {
    const { length } = bytes;
    if (length < this.shortest || length > longestBytes || this.used + length + slack > textsEnd) return undefined;
    const ascii = isAscii(bytes);
    if (!ascii && !isUtf8(bytes)) return undefined;
    this.bytes.set(bytes, inputStart);
    // What no closing quote ends, this one does.
    this.bytes.fill(quote, inputStart + length, inputStart + length + slack);
    const end = this.take(inputStart, inputStart + length, skeletonStart, this.used);
    if (end === 0) return undefined;
    const skeleton = this.bytes.toString(ascii ? 'latin1' : 'utf8', skeletonStart, end);
    let value: unknown;
    try {
      value = JSON.parse(skeleton);
    } catch {
      return undefined;
    }
    const count = this.numbers[countAt / 4] as number;
    if (count === 0) return value;
    this.used = this.numbers[usedAt / 4] as number;
    return this.restoreRow(value);
  }

  // -------------------------------------------------------------------------------------------------------------------

  private restoreRow(row: unknown): unknown {
    if (row === null || typeof row !== 'object' || Array.isArray(row)) return this.restore(row, false, 0);
    const record = row as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const value = record[key];
      const restored = this.restore(value, this.keys.has(key), 1);
      if (restored === undefined) return undefined;
      if (restored !== value) assign(record, key, restored);
    }
    return record;
  }

  /** The value with its texts in the place of marks; undefined where it is nested too deep. */
  private restore(value: unknown, mayStay: boolean, depth: number): unknown {
    if (typeof value === 'string') return value.charCodeAt(0) === 0 ? this.textOf(value, mayStay) : value;
    if (value === null || typeof value !== 'object') return value;
    if (depth > deepest) return undefined;
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at += 1) {
        const restored = this.restore(value[at], mayStay, depth + 1);
        if (restored === undefined) return undefined;
        value[at] = restored;
      }
      return value;
    }
    const record = value as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const each = record[key];
      const restored = this.restore(each, mayStay, depth + 1);
      if (restored === undefined) return undefined;
      if (restored !== each) assign(record, key, restored);
    }
    return record;
  }

  private textOf(mark: string, mayStay: boolean): Utf8Text | string {
    const at = spansAt / 4 + 2 * Number(mark.slice(1));
    const text = new Utf8Text(this.bytes, this.numbers[at] as number, this.numbers[at + 1] as number);
    return mayStay ? text : text.toString();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const quote = 0x22;
const deepest = 100;
const slack = 32;
const notHex = 16;

/** What stands behind a backslash, and the byte that it means. */
const escapes: [string, number][] = [
  ['"', 0x22],
  ['\\', 0x5c],
  ['/', 0x2f],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
];

/** The memory: tables, places of the texts found, the JSON, what is left of it, the texts of a batch. */
const countAt = 0;
const usedAt = 4;
const escapesAt = 256;
const hexAt = 512;
const spansAt = 1024;
const mostSpans = 4096;
const longestBytes = 4 << 20;
const inputStart = 64 << 10;
const skeletonStart = inputStart + longestBytes + (64 << 10);
const textsStart = skeletonStart + longestBytes + (64 << 10);
const textsEnd = textsStart + 2 * longestBytes;

/** `__proto__` is a key like any other to JSON. */
function assign(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') record[key] = value;
  else Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}

const program = (shortest: number) => `
;; Four hex digits as a number; one that is none makes it at least 65536.
(func $hex (param $at i32) (result i32) (local $first i32) (local $second i32) (local $third i32) (local $fourth i32)
  (local.set $first (i32.load8_u offset=${hexAt} (i32.load8_u $at)))
  (local.set $second (i32.load8_u offset=${hexAt} (i32.load8_u offset=1 $at)))
  (local.set $third (i32.load8_u offset=${hexAt} (i32.load8_u offset=2 $at)))
  (local.set $fourth (i32.load8_u offset=${hexAt} (i32.load8_u offset=3 $at)))
  (if (i32.and 16 (i32.or (i32.or $first $second) (i32.or $third $fourth))) (then (return 65536)))
  (i32.or (i32.or (i32.shl $first 12) (i32.shl $second 8)) (i32.or (i32.shl $third 4) $fourth)))

;; Copies [$from, $end) and up to fifteen bytes behind it.
(func $copy (param $from i32) (param $end i32) (param $to i32)
  (block $done
    (loop $more
      (br_if $done (i32.ge_u $from $end))
      (v128.store $to (v128.load $from))
      (local.set $from (i32.add $from 16))
      (local.set $to (i32.add $to 16))
      (br $more))))

;; A code point as UTF-8. Returns where the next byte goes.
(func $encode (param $point i32) (param $to i32) (result i32)
  (if (i32.lt_u $point 0x80)
    (then (i32.store8 $to $point) (return (i32.add $to 1))))
  (if (i32.lt_u $point 0x800)
    (then
      (i32.store8 $to (i32.or 0xc0 (i32.shr_u $point 6)))
      (i32.store8 offset=1 $to (i32.or 0x80 (i32.and $point 0x3f)))
      (return (i32.add $to 2))))
  (if (i32.lt_u $point 0x10000)
    (then
      (i32.store8 $to (i32.or 0xe0 (i32.shr_u $point 12)))
      (i32.store8 offset=1 $to (i32.or 0x80 (i32.and (i32.shr_u $point 6) 0x3f)))
      (i32.store8 offset=2 $to (i32.or 0x80 (i32.and $point 0x3f)))
      (return (i32.add $to 3))))
  (i32.store8 $to (i32.or 0xf0 (i32.shr_u $point 18)))
  (i32.store8 offset=1 $to (i32.or 0x80 (i32.and (i32.shr_u $point 12) 0x3f)))
  (i32.store8 offset=2 $to (i32.or 0x80 (i32.and (i32.shr_u $point 6) 0x3f)))
  (i32.store8 offset=3 $to (i32.or 0x80 (i32.and $point 0x3f)))
  (i32.add $to 4))

;; Takes the long texts out of the JSON in [$at, $end), behind which quotes stand. Returns the end of what is left of it,
;; or 0: refused.
(func $take (param $at i32) (param $end i32) (param $left i32) (param $texts i32) (result i32)
  (local $byte i32) (local $begin i32) (local $to i32) (local $point i32) (local $count i32) (local $behind i32)
  (local $special i32) (local $sixteen v128) (local $quotes v128) (local $backslashes v128) (local $controls v128)
  (local.set $quotes (i8x16.splat ${quote}))
  (local.set $backslashes (i8x16.splat 0x5c))
  (local.set $controls (i8x16.splat 0x20))
  (block $finished
    (loop $outside
      (br_if $finished (i32.ge_u $at $end))
      (local.set $byte (i32.load8_u $at))
      (i32.store8 $left $byte)
      (local.set $at (i32.add $at 1))
      (local.set $left (i32.add $left 1))
      (br_if $outside (i32.ne $byte ${quote}))
      (local.set $begin $at)
      (local.set $to $texts)
      (block $closed
        (loop $inside
          (local.set $sixteen (v128.load $at))
          (v128.store $to $sixteen)
          (local.set $special (i8x16.bitmask (v128.or
            (v128.or (i8x16.eq $sixteen $quotes) (i8x16.eq $sixteen $backslashes))
            (i8x16.lt_u $sixteen $controls))))
          (if (i32.eqz $special)
            (then
              (local.set $at (i32.add $at 16))
              (local.set $to (i32.add $to 16))
              (br $inside)))
          (local.set $special (i32.ctz $special))
          (local.set $at (i32.add $at $special))
          (local.set $to (i32.add $to $special))
          (if (i32.ge_u $at $end) (then (return 0)))
          (local.set $byte (i32.load8_u $at))
          (br_if $closed (i32.eq $byte ${quote}))
          (if (i32.lt_u $byte 0x20) (then (return 0)))
          (local.set $byte (i32.load8_u offset=1 $at))
          (local.set $at (i32.add $at 2))
          (if (i32.ne $byte 0x75)
            (then
              (local.set $byte (i32.load8_u offset=${escapesAt} $byte))
              (if (i32.eqz $byte) (then (return 0)))
              (i32.store8 $to $byte)
              (local.set $to (i32.add $to 1))
              (br $inside)))
          (local.set $point (call $hex $at))
          (if (i32.gt_u $point 0xffff) (then (return 0)))
          (local.set $at (i32.add $at 4))
          ;; The first half of a surrogate pair wants the second behind it, which stands nowhere else.
          (if (i32.eq (i32.and $point 0xf800) 0xd800)
            (then
              (if (i32.ge_u $point 0xdc00) (then (return 0)))
              (if (i32.ne (i32.load16_u $at) 0x755c) (then (return 0)))
              (local.set $byte (call $hex (i32.add $at 2)))
              (if (i32.ne (i32.and $byte 0x1fc00) 0xdc00) (then (return 0)))
              (local.set $at (i32.add $at 6))
              (local.set $point
                (i32.add 0x10000 (i32.or (i32.shl (i32.and $point 0x3ff) 10) (i32.and $byte 0x3ff))))))
          (local.set $to (call $encode $point $to))
          (br $inside)))
      ;; $at is at the closing quote.
      (local.set $behind $at)
      (block $found
        (loop $spaces
          (local.set $behind (i32.add $behind 1))
          (local.set $byte (i32.load8_u $behind))
          (br_if $spaces (i32.eq $byte 0x20))
          (br_if $spaces (i32.eq $byte 0x0a))
          (br_if $spaces (i32.eq $byte 0x0d))
          (br_if $spaces (i32.eq $byte 0x09))))
      (if (i32.and (i32.ge_u (i32.sub $to $texts) ${shortest}) (i32.ne $byte 0x3a))
        (then
          (if (i32.ge_u $count ${mostSpans}) (then (return 0)))
          ;; The mark: U+0000 and the number of the text.
          (i32.store $left 0x3030755c)
          (i32.store16 offset=4 $left 0x3030)
          (i32.store8 offset=6 $left (i32.add 0x30 (i32.rem_u (i32.div_u $count 1000) 10)))
          (i32.store8 offset=7 $left (i32.add 0x30 (i32.rem_u (i32.div_u $count 100) 10)))
          (i32.store8 offset=8 $left (i32.add 0x30 (i32.rem_u (i32.div_u $count 10) 10)))
          (i32.store8 offset=9 $left (i32.add 0x30 (i32.rem_u $count 10)))
          (i32.store8 offset=10 $left ${quote})
          (local.set $left (i32.add $left 11))
          (i32.store offset=${spansAt} (i32.shl $count 3) $texts)
          (i32.store offset=${spansAt + 4} (i32.shl $count 3) $to)
          (local.set $count (i32.add $count 1))
          (local.set $texts $to))
        (else
          ;; A text that begins like a mark.
          (if (i32.and (i32.ne $to $texts) (i32.eqz (i32.load8_u $texts))) (then (return 0)))
          (call $copy $begin (i32.add $at 1) $left)
          (local.set $left (i32.add $left (i32.sub (i32.add $at 1) $begin)))))
      (local.set $at (i32.add $at 1))
      (br $outside)))
  (i32.store ${countAt} $count)
  (i32.store ${usedAt} $texts)
  $left)
`;
