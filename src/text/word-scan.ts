import { assemble } from './wat.js';

/**
 * The one pass over the bytes of a text that counts all that is counted in it, sixteen at a time where none of them
 * begins a space of several bytes, else one by one.
 */

/** Where a text may begin in the memory. */
export const scanStart = 64;

/** What was counted since `start`, and where it is kept, in numbers of 32 bits. */
const at = { words: 0, waits: 1, units: 2, unspaced: 3, inWord: 4 };

export class WordScan {
  readonly memory: ArrayBuffer;
  private readonly counts: Int32Array;
  private readonly scan: (start: number, end: number) => void;

  /** With room for so many bytes behind `scanStart`. */
  constructor(bytes: number) {
    const { functions, memory } = assemble(program, scanStart + bytes + slack);
    this.memory = memory.buffer;
    this.counts = new Int32Array(memory.buffer, 0, scanStart / 4);
    this.scan = functions.scan as unknown as typeof this.scan;
  }

  /** Begins a text. */
  start(): void {
    this.counts.fill(0);
  }

  /** Goes on counting in these bytes, which must be UTF-8: they end with a character. */
  add(start: number, end: number): void {
    this.scan(start, end);
  }

  /** Words as Python's `str.split()` parts them. */
  get words(): number {
    return this.counts[at.words] as number;
  }

  /** How often "Wait" stands there. */
  get waits(): number {
    return this.counts[at.waits] as number;
  }

  /** Length in UTF-16. */
  get units(): number {
    return this.counts[at.units] as number;
  }

  /** Whether it may hold a script without spaces between its words: told by first bytes, so sometimes for nothing. */
  get maybeUnspaced(): boolean {
    return this.counts[at.unspaced] !== 0;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Loads go by sixteen bytes. */
const slack = 64;

/** Whether a byte is one of the spaces of ASCII: 09–0D and 1C–20. */
const isSpace = '(i32.or (i32.lt_u (i32.sub $byte 9) 5) (i32.lt_u (i32.sub $byte 0x1c) 5))';

const addWord = '(local.set $words (i32.add $words (i32.xor $inWord 1))) (local.set $inWord 1)';

/** "Wait" in one number, as memory has it. */
const wait = 0x74696157;

const program = `
;; Length of the space that these bytes begin, 0 where they begin none.
(func $spaceLength (param $first i32) (param $second i32) (param $third i32) (result i32)
  (if (i32.eq $first 0xc2)
    (then (return (i32.shl (i32.or (i32.eq $second 0x85) (i32.eq $second 0xa0)) 1))))
  (if (i32.eq $first 0xe1)
    (then (return (i32.mul 3 (i32.and (i32.eq $second 0x9a) (i32.eq $third 0x80))))))
  (if (i32.eq $first 0xe3)
    (then (return (i32.mul 3 (i32.and (i32.eq $second 0x80) (i32.eq $third 0x80))))))
  (if (i32.ne $first 0xe2) (then (return 0)))
  (if (i32.eq $second 0x81) (then (return (i32.mul 3 (i32.eq $third 0x9f)))))
  (if (i32.ne $second 0x80) (then (return 0)))
  (i32.mul 3 (i32.or
    (i32.le_u $third 0x8a)
    (i32.or (i32.or (i32.eq $third 0xa8) (i32.eq $third 0xa9)) (i32.eq $third 0xaf)))))

;; Whether these bytes may begin a character of a script that is written without spaces.
(func $isUnspaced (param $first i32) (param $second i32) (param $third i32) (result i32)
  (if (i32.lt_u $first 0xe0) (then (return 0)))
  (if (i32.eq $first 0xe0) (then (return (i32.lt_u (i32.sub $second 0xb8) 4))))
  (if (i32.eq $first 0xe1)
    (then (return (i32.or
      (i32.or (i32.le_u $second 0x82) (i32.eq $second 0xa7))
      (i32.or (i32.eq $second 0x9e) (i32.eq $second 0x9f))))))
  (if (i32.eq $first 0xe2) (then (return (i32.ge_u $second 0xba))))
  (if (i32.le_u $first 0xe9) (then (return 1)))
  (if (i32.eq $first 0xea) (then (return (i32.or (i32.eq $second 0xa7) (i32.eq $second 0xa9)))))
  (if (i32.eq $first 0xef) (then (return (i32.ge_u $second 0xa4))))
  (if (i32.ne $first 0xf0) (then (return 0)))
  ;; U+1F200 stands among the emoji, Myanmar Extended-C among other scripts.
  (if (i32.eq $second 0x9f) (then (return (i32.eq $third 0x88))))
  (if (i32.eq $second 0x91) (then (return (i32.eq $third 0x9b))))
  (i32.ge_u $second 0x96))

(func $scan (param $at i32) (param $end i32)
  (local $words i32) (local $waits i32) (local $units i32) (local $inWord i32) (local $stop i32) (local $byte i32)
  (local $second i32) (local $third i32) (local $found i32) (local $place i32) (local $sixteen v128)
  (local.set $words (i32.load offset=${4 * at.words} 0))
  (local.set $waits (i32.load offset=${4 * at.waits} 0))
  (local.set $units (i32.load offset=${4 * at.units} 0))
  (local.set $inWord (i32.load offset=${4 * at.inWord} 0))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u $at $end))
      (local.set $stop $end)
      (block $single
        (br_if $single (i32.gt_u (i32.add $at 16) $end))
        (local.set $stop (i32.add $at 16))
        (local.set $sixteen (v128.load $at))
        ;; Of the bytes that may begin such, most begin something else: a quote, an accent.
        (local.set $found (i8x16.bitmask (v128.or
          (i8x16.eq $sixteen (i8x16.splat 0xc2))
          (i8x16.lt_u (i8x16.sub $sixteen (i8x16.splat 0xe0)) (i8x16.splat 0x20)))))
        (block $none
          (loop $each
            (br_if $none (i32.eqz $found))
            (local.set $place (i32.add $at (i32.ctz $found)))
            (local.set $byte (i32.load8_u $place))
            (local.set $second (i32.load8_u offset=1 $place))
            (local.set $third (i32.load8_u offset=2 $place))
            (br_if $single (call $spaceLength $byte $second $third))
            (if (call $isUnspaced $byte $second $third)
              (then (i32.store offset=${4 * at.unspaced} 0 1)))
            (local.set $found (i32.and $found (i32.sub $found 1)))
            (br $each)))
        ;; A bit for each byte that is no space: a word begins where the bit before is not set.
        (local.set $found (i32.xor 0xffff (i8x16.bitmask (v128.or
          (i8x16.lt_u (i8x16.sub $sixteen (i8x16.splat 9)) (i8x16.splat 5))
          (i8x16.lt_u (i8x16.sub $sixteen (i8x16.splat 0x1c)) (i8x16.splat 5))))))
        (local.set $words (i32.add $words (i32.popcnt
          (i32.and $found (i32.xor -1 (i32.or (i32.shl $found 1) $inWord))))))
        (local.set $inWord (i32.shr_u $found 15))
        (local.set $units (i32.add $units (i32.sub
          (i32.add 16 (i32.popcnt (i8x16.bitmask
            (i8x16.lt_u (i8x16.sub $sixteen (i8x16.splat 0xf0)) (i8x16.splat 0x10)))))
          (i32.popcnt (i8x16.bitmask
            (i8x16.lt_u (i8x16.sub $sixteen (i8x16.splat 0x80)) (i8x16.splat 0x40)))))))
        (local.set $found (i8x16.bitmask (i8x16.eq $sixteen (i8x16.splat 0x57))))
        (block $none
          (loop $each
            (br_if $none (i32.eqz $found))
            (local.set $place (i32.add $at (i32.ctz $found)))
            (local.set $waits (i32.add $waits (i32.and
              (i32.eq (i32.load $place) ${wait})
              (i32.le_u (i32.add $place 4) $end))))
            (local.set $found (i32.and $found (i32.sub $found 1)))
            (br $each)))
        (local.set $at $stop)
        (br $next))
      (loop $character
        (local.set $byte (i32.load8_u $at))
        (if (i32.lt_u $byte 0xc0)
          (then
            (if ${isSpace}
              (then (local.set $inWord 0))
              (else
                ${addWord}
                (if (i32.eq $byte 0x57)
                  (then (local.set $waits (i32.add $waits (i32.and
                    (i32.eq (i32.load $at) ${wait})
                    (i32.le_u (i32.add $at 4) $end))))))))
            (local.set $units (i32.add $units (i32.lt_u $byte 0x80)))
            (local.set $at (i32.add $at 1)))
          (else
            (local.set $second (i32.load8_u offset=1 $at))
            (local.set $third (i32.load8_u offset=2 $at))
            (local.set $units (i32.add $units (i32.add 1 (i32.ge_u $byte 0xf0))))
            (local.set $found (call $spaceLength $byte $second $third))
            (if $found
              (then
                (local.set $inWord 0)
                (local.set $at (i32.add $at $found)))
              (else
                (if (call $isUnspaced $byte $second $third)
                  (then (i32.store offset=${4 * at.unspaced} 0 1)))
                ${addWord}
                (local.set $at (i32.add $at 1))))))
        (br_if $character (i32.lt_u $at $stop)))
      (br $next)))
  (i32.store offset=${4 * at.words} 0 $words)
  (i32.store offset=${4 * at.waits} 0 $waits)
  (i32.store offset=${4 * at.units} 0 $units)
  (i32.store offset=${4 * at.inWord} 0 $inWord))
`;
