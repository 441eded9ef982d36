import { assemble } from '../text/wat.js';

/**
 * Compresses into one LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), Parquet's LZ4_RAW: what
 * repeats within 64 KiB is told by its distance. Of the codecs that every reader of Parquet knows the cheapest to write,
 * and as cheap to read as to copy; half as much again on disk as zstd. Equal bytes give equal blocks.
 */
export class Lz4 {
  private room = 0;
  private bytes = Buffer.alloc(0);
  private table = new Int32Array(0);
  private compressBlock: (from: number, end: number, to: number) => number = () => 0;

  /** The block of these parts, one behind another. Valid until the next call. */
  compress(parts: readonly Uint8Array[]): Buffer {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    // A single huge page must not keep its memory.
    if (length > this.room || this.room > usualRoom) this.makeRoom(Math.max(length, usualRoom));
    let end = inputStart;
    for (const part of parts) {
      this.bytes.set(part, end);
      end += part.length;
    }
    this.table.fill(0);
    const output = (end + slack) & ~15;
    return this.bytes.subarray(output, this.compressBlock(inputStart, end, output));
  }

  private makeRoom(length: number): void {
    const most = inputStart + length + slack + length + Math.ceil(length / 255) + slack;
    const { functions, memory } = assemble(program, most);
    this.room = length;
    this.bytes = Buffer.from(memory.buffer);
    this.table = new Int32Array(memory.buffer, 0, 1 << hashBits);
    this.compressBlock = functions.compress as typeof this.compressBlock;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const usualRoom = 2 << 20;

/** For each hash of six bytes, where they stood last; 0: nowhere yet. */
const hashBits = 12;

/** Beyond what a distance can tell, so that a place of 0 is too far from any. */
const inputStart = 64 << 10;

/** Copies go by sixteen bytes and run beyond their end. */
const slack = 64;

/** The format's own rules: the last match begins twelve bytes before the end, and five literals are left behind it. */
const lastMatch = 12;
const lastLiterals = 5;

/** Where the hash of the six bytes at an address has its place in the table. Written out at each use: calls cost more than it. */
const placeOf = (at: string) => `(i32.shl (i32.wrap_i64 (i64.shr_u
  (i64.mul (i64.shl (i64.load ${at}) (i64.const 16)) (i64.const 227718039650203))
  (i64.const ${64 - hashBits}))) 2)`;

const program = `
;; What a length has beyond the 15 of its half of the token. Returns where the next byte goes.
(func $long (param $to i32) (param $rest i32) (result i32)
  (block $done
    (loop $more
      (br_if $done (i32.lt_u $rest 255))
      (i32.store8 $to 255)
      (local.set $to (i32.add $to 1))
      (local.set $rest (i32.sub $rest 255))
      (br $more)))
  (i32.store8 $to $rest)
  (i32.add $to 1))

;; A token's upper half and the literals behind it, copied sixteen at a time. Returns where the next byte goes.
(func $literals (param $token i32) (param $from i32) (param $length i32) (result i32) (local $to i32) (local $end i32)
  (local.set $to (i32.add $token 1))
  (if (i32.lt_u $length 15)
    (then (i32.store8 $token (i32.shl $length 4)))
    (else
      (i32.store8 $token 240)
      (local.set $to (call $long $to (i32.sub $length 15)))))
  (local.set $end (i32.add $to $length))
  (loop $more
    (v128.store $to (v128.load $from))
    (local.set $from (i32.add $from 16))
    (local.set $to (i32.add $to 16))
    (br_if $more (i32.lt_u $to $end)))
  $end)

;; Compresses [$from, $end) to $to and returns the end of the block.
(func $compress (param $from i32) (param $end i32) (param $to i32) (result i32)
  (local $at i32) (local $anchor i32) (local $last i32) (local $other i32) (local $slot i32) (local $tries i32)
  (local $stop i32) (local $against i32) (local $limit i32) (local $token i32) (local $length i32) (local $differ i32)
  (local $before i32) (local $room i32) (local $halves i32)
  (local.set $at $from)
  (local.set $anchor $from)
  (block $tail
    (br_if $tail (i32.lt_u (i32.sub $end $from) ${lastMatch + 1}))
    (local.set $last (i32.sub $end ${lastMatch}))
    (local.set $limit (i32.sub $end ${lastLiterals}))
    (loop $sequence
      ;; The longer nothing is found, the wider the steps.
      (local.set $tries 64)
      (block $found
        (loop $search
          (local.set $slot ${placeOf('$at')})
          (local.set $other (i32.load $slot))
          (i32.store $slot $at)
          (br_if $found (i32.and
            (i32.lt_u (i32.sub $at $other) 65536)
            (i32.eq (i32.load $at) (i32.load $other))))
          (local.set $at (i32.add $at (i32.shr_u $tries 6)))
          (local.set $tries (i32.add $tries 1))
          (br_if $tail (i32.gt_u $at $last))
          (br $search)))
      ;; Forward while the bytes are equal, by sixteen and then one by one.
      (local.set $stop (i32.add $at 4))
      (local.set $against (i32.add $other 4))
      (block $differs
        (block $near
          (loop $more
            (br_if $near (i32.gt_u (i32.add $stop 16) $limit))
            (local.set $differ (i32.xor 0xffff (i8x16.bitmask (i8x16.eq (v128.load $stop) (v128.load $against)))))
            (if $differ
              (then
                (local.set $stop (i32.add $stop (i32.ctz $differ)))
                (br $differs)))
            (local.set $stop (i32.add $stop 16))
            (local.set $against (i32.add $against 16))
            (br $more)))
        (loop $more
          (br_if $differs (i32.ge_u $stop $limit))
          (br_if $differs (i32.ne (i32.load8_u $stop) (i32.load8_u $against)))
          (local.set $stop (i32.add $stop 1))
          (local.set $against (i32.add $against 1))
          (br $more)))
      ;; Backward, into what was passed over, by eight.
      (loop $back
        (local.set $before (i32.shr_u (i32.wrap_i64 (i64.clz
          (i64.xor (i64.load (i32.sub $at 8)) (i64.load (i32.sub $other 8))))) 3))
        (local.set $room (i32.sub $at $anchor))
        (local.set $before (select $before $room (i32.lt_u $before $room)))
        (local.set $room (i32.sub $other $from))
        (local.set $before (select $before $room (i32.lt_u $before $room)))
        (local.set $at (i32.sub $at $before))
        (local.set $other (i32.sub $other $before))
        (br_if $back (i32.eq $before 8)))
      (local.set $token $to)
      (local.set $length (i32.sub $at $anchor))
      (if (i32.lt_u $length 15)
        (then
          ;; Written out, as most are short.
          (v128.store offset=1 $to (v128.load $anchor))
          (local.set $halves (i32.shl $length 4))
          (local.set $to (i32.add (i32.add $to 1) $length)))
        (else
          (local.set $to (call $literals $to $anchor $length))
          (local.set $halves 240)))
      (i32.store16 $to (i32.sub $at $other))
      (local.set $to (i32.add $to 2))
      (local.set $length (i32.sub (i32.sub $stop $at) 4))
      (if (i32.lt_u $length 15)
        (then (i32.store8 $token (i32.or $halves $length)))
        (else
          (i32.store8 $token (i32.or $halves 15))
          (local.set $to (call $long $to (i32.sub $length 15)))))
      (local.set $at $stop)
      (local.set $anchor $stop)
      (br_if $tail (i32.gt_u $at $last))
      (i32.store ${placeOf('(i32.sub $at 2)')} (i32.sub $at 2))
      (br $sequence)))
  (call $literals $to $anchor (i32.sub $end $anchor)))
`;
