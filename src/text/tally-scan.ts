import { type Assembled, assemble, repeated } from './wat.js';

/**
 * What is done with every text, and with every pair of it and a document of about its length. Memory holds, from 0 on: a
 * text's count of each class of characters, the class of each UTF-16 unit, scratch, and then what the caller puts there.
 */
export const lanes = 8;
export const classCount = 64;
/** A class that is not counted. */
export const uncounted = classCount;
export const classesAddress = 16 * Math.ceil((classCount + 1) / 4);
const countedAddress = classesAddress + 65_536;
const spreadAddress = countedAddress + 2 * classCount;
export const freeAddress = spreadAddress + 16 * classCount;

/**
 * Counts of eight documents together, of 16 bits each: what each document is granted less than the text allows, then for
 * each class its eight counts.
 */
export const blockBytes = 16 * (1 + classCount);

export interface TallyScan {
  /** Counts the units from `at` to `end`. */
  tally(at: number, end: number): void;
  /**
   * Compares the text counted last with the blocks from `at` to `end`. Writes to `out`, for each block with a document of
   * which the text has at most `allowed` less its grant more, the number of the block times 256 and a bit for each such
   * document. Returns the address behind the last that was written.
   */
  scan(at: number, end: number, allowed: number, out: number): number;
}

export function makeTallyScan(bytes: number): Assembled<TallyScan> {
  return assemble(program, bytes);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Classes after which it is looked again whether all eight documents are out: most are after a dozen or two. */
const step = 4;

const within = '(i16x8.le_u $surplus $limit)';

const program = `
(func $tally (param $at i32) (param $end i32) (local $count i32)
  ${repeated(classesAddress / 16, (vector) => `(v128.store offset=${16 * vector} 0 (i16x8.splat 0))`)}
  (block $done
    (br_if $done (i32.ge_u $at $end))
    (loop $more
      (local.set $count (i32.shl (i32.load8_u offset=${classesAddress} (i32.load16_u $at)) 2))
      (i32.store $count (i32.add (i32.load $count) 1))
      (local.set $at (i32.add $at 2))
      (br_if $more (i32.lt_u $at $end)))))

(func $scan (param $at i32) (param $end i32) (param $allowed i32) (param $out i32) (result i32)
  (local $number i32) (local $class i32) (local $limit v128) (local $surplus v128)
  ;; Each count in 16 bits, then eight times over.
  ${repeated(
    classCount / 8,
    (part) => `(v128.store offset=${countedAddress + 16 * part} 0
    (i16x8.narrow_i32x4_u (v128.load offset=${32 * part} 0) (v128.load offset=${32 * part + 16} 0)))`,
  )}
  (loop $more
    (v128.store offset=${spreadAddress} $class (v128.load16_splat offset=${countedAddress} (i32.shr_u $class 3)))
    (local.set $class (i32.add $class 16))
    (br_if $more (i32.lt_u $class ${16 * classCount})))
  (block $done
    (br_if $done (i32.ge_u $at $end))
    (loop $block
      (local.set $limit (i16x8.sub_sat_u (i16x8.splat $allowed) (v128.load $at)))
      (local.set $surplus (i16x8.splat 0))
      (local.set $class 0)
      (block $out_of_reach
        (loop $classes
          ${repeated(
            step,
            (group) => `(local.set $surplus (i16x8.add_sat_u $surplus (i16x8.sub_sat_u
            (v128.load offset=${spreadAddress + 16 * group} $class)
            (v128.load offset=${16 + 16 * group} (i32.add $at $class)))))`,
          )}
          (br_if $out_of_reach (i32.eqz (v128.any_true ${within})))
          (local.set $class (i32.add $class ${16 * step}))
          (br_if $classes (i32.lt_u $class ${16 * classCount})))
        (i32.store $out (i32.or (i32.shl $number 8) (i16x8.bitmask ${within})))
        (local.set $out (i32.add $out 4)))
      (local.set $number (i32.add $number 1))
      (local.set $at (i32.add $at ${blockBytes}))
      (br_if $block (i32.lt_u $at $end))))
  $out)
`;
