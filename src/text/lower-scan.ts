import { type Assembled, assemble, repeated } from './wat.js';

/**
 * Lower-cases UTF-16 units where they stand, finds the words between spaces and hashes them, sixteen units at a step. At
 * address 0 lies, for each unit, what `learn` is asked for: the unit of its lower case, U+0020 for every space,
 * `contextual`, or 0 where it has not been asked for yet. What ASCII holds is known.
 */
export const contextual = 0xd800;
const partUnits = 16;
const blockUnits = 64;
const masksAddress = 2 * 0x10000;
export const unitsAddress = masksAddress + 16 * 9;
/** Bytes behind the units of a text that are overwritten. */
export const padding = 2 * blockUnits;

export interface LowerScan {
  /**
   * Writes of each word from `at` to `end` its hash to `hashes`, where it starts to `column` bytes behind that and where
   * it ends to as many behind that, both in units from `unitsAddress` on. Returns the address behind the last hash; 0
   * where the lower case of a unit depends on its neighbours, unless it `isLower` already.
   */
  scan(at: number, end: number, hashes: number, column: number, isLower: number): number;
}

/** `learn(unit)` writes what is known of a unit. */
export function makeLowerScan(bytes: number, learn: (unit: number) => void): Assembled<LowerScan> {
  const assembled = assemble<LowerScan>(program, bytes, { learn });
  const masks = new Uint16Array(assembled.memory.buffer, masksAddress, 8 * 9);
  for (let length = 0; length <= 8; length += 1) masks.fill(0xffff, 8 * length, 9 * length);
  return assembled;
}

// ---------------------------------------------------------------------------------------------------------------------

const lowered = (half: string) =>
  `(i16x8.add ${half} (v128.and (i16x8.lt_u (i16x8.sub ${half} (i16x8.splat 0x41)) (i16x8.splat 26)) (i16x8.splat 0x20)))`;

const isSpace = `(v128.or
  (i8x16.lt_u (i8x16.sub $bytes (i8x16.splat 0x09)) (i8x16.splat 5))
  (i8x16.lt_u (i8x16.sub $bytes (i8x16.splat 0x1c)) (i8x16.splat 5)))`;

const part = (index: number) => {
  const offset = 2 * partUnits * index;
  const load = `(local.set $low (v128.load offset=${offset} $at)) (local.set $high (v128.load offset=${offset + 16} $at))`;
  return `
      ${load}
      (if (v128.any_true (v128.and (v128.or $low $high) (i16x8.splat 0xff80)))
        (then
          (if (i32.eqz (call $lower (i32.add $at ${offset}) $isLower)) (then (return 0)))
          ${load}))
      (local.set $low ${lowered('$low')})
      (local.set $high ${lowered('$high')})
      (v128.store offset=${offset} $at $low)
      (v128.store offset=${offset + 16} $at $high)
      (local.set $bytes (i8x16.narrow_i16x8_u $low $high))
      (local.set $spaces (i64.or $spaces
        (i64.shl (i64.extend_i32_u (i8x16.bitmask ${isSpace})) (i64.const ${partUnits * index}))))`;
};

/** Writes the places of the bits that are set in `$bits`. */
const writeTo = (where: string) => `
      (block $none
        (br_if $none (i64.eqz $bits))
        (loop $more
          (i32.store ${where}
            (i32.add (i32.shr_u (i32.sub $at ${unitsAddress}) 1) (i32.wrap_i64 (i64.ctz $bits))))
          (local.set ${where} (i32.add ${where} 4))
          (local.set $bits (i64.and $bits (i64.sub $bits (i64.const 1))))
          (br_if $more (i32.eqz (i64.eqz $bits)))))`;

const without = (value: string, other: string) => `(i64.and ${value} (i64.xor ${other} (i64.const -1)))`;

const addEight = `
      (local.set $units (v128.and (v128.load $at)
        (v128.load offset=${masksAddress} (i32.shl (select $left 8 (i32.lt_u $left 8)) 4))))
      (local.set $hash (i64.add (i64.rotl $hash (i64.const 29)) (i64.add
        (i64.mul (i64x2.extract_lane 0 $units) (i64.const 0x9e3779b97f4a7c15))
        (i64.mul (i64x2.extract_lane 1 $units) (i64.const 0xc2b2ae3d27d4eb4f)))))`;

const program = `
(import $learn (param $unit i32))

;; Units one by one, of which some are beyond ASCII. Returns 0 at one whose lower case depends on its neighbours.
(func $lower (param $at i32) (param $isLower i32) (result i32) (local $end i32) (local $unit i32) (local $known i32)
  (local.set $end (i32.add $at ${2 * partUnits}))
  (loop $more
    (local.set $unit (i32.load16_u $at))
    (local.set $known (i32.load16_u (i32.shl $unit 1)))
    (if (i32.eqz $known)
      (then
        (call $learn $unit)
        (local.set $known (i32.load16_u (i32.shl $unit 1)))))
    (if (i32.eq $known ${contextual})
      (then
        (if (i32.eqz $isLower) (then (return 0)))
        (local.set $known $unit)))
    (i32.store16 $at $known)
    (local.set $at (i32.add $at 2))
    (br_if $more (i32.lt_u $at $end)))
  1)

;; Of each word a sum of products modulo 2^64, folded so that every unit counts.
(func $hash (param $hashes i32) (param $end i32) (param $column i32)
  (local $at i32) (local $left i32) (local $hash i64) (local $units v128)
  (block $done
    (br_if $done (i32.ge_u $hashes $end))
    (loop $word
      (local.set $at (i32.load (i32.add $hashes $column)))
      (local.set $left (i32.sub (i32.load (i32.add $hashes (i32.shl $column 1))) $at))
      (local.set $at (i32.add ${unitsAddress} (i32.shl $at 1)))
      ;; Trailing zeros make another word.
      (local.set $hash (i64.shl (i64.extend_i32_u $left) (i64.const 3)))
      ${addEight}
      (block $all
        (br_if $all (i32.le_u $left 8))
        (loop $more
          (local.set $at (i32.add $at 16))
          (local.set $left (i32.sub $left 8))
          ${addEight}
          (br_if $more (i32.gt_u $left 8))))
      (i32.store $hashes (i32.wrap_i64 (i64.xor $hash (i64.shr_u $hash (i64.const 32)))))
      (local.set $hashes (i32.add $hashes 4))
      (br_if $word (i32.lt_u $hashes $end)))))

(func $scan (param $at i32) (param $end i32) (param $hashes i32) (param $column i32) (param $isLower i32) (result i32)
  (local $starts i32) (local $ends i32) (local $carry i64) (local $spaces i64) (local $before i64) (local $bits i64)
  (local $low v128) (local $high v128) (local $bytes v128)
  ;; Spaces behind the end close the last word.
  ${repeated(padding / 16, (vector) => `(v128.store offset=${16 * vector} $end (i16x8.splat 0x20))`)}
  (local.set $starts (i32.add $hashes $column))
  (local.set $ends (i32.add $starts $column))
  (local.set $carry (i64.const 1))
  (loop $more
      (local.set $spaces (i64.const 0))
      ${repeated(blockUnits / partUnits, part)}
      (local.set $before (i64.or (i64.shl $spaces (i64.const 1)) $carry))
      (local.set $carry (i64.shr_u $spaces (i64.const 63)))
      (local.set $bits ${without('$before', '$spaces')})
      ${writeTo('$starts')}
      (local.set $bits ${without('$spaces', '$before')})
      ${writeTo('$ends')}
      (local.set $at (i32.add $at ${2 * blockUnits}))
      ;; Up to and with the end: the space there is needed.
      (br_if $more (i32.le_u $at $end)))
  (local.set $end (i32.sub $starts $column))
  (call $hash $hashes $end $column)
  $end)
`;
