import {
  branchIf,
  type Code,
  call,
  get,
  type Instance,
  i8x16,
  i16x8,
  i32,
  i64,
  Kernel,
  loop,
  returns,
  set,
  tee,
  v128,
  when,
} from './wasm.js';

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

export interface WordScan {
  /**
   * Writes of each word from `at` to `end` its hash to `hashes`, where it starts to `column` bytes behind that and where
   * it ends to as many behind that, both in units from `unitsAddress` on. Returns the address behind the last hash; 0
   * where the lower case of a unit depends on its neighbours, unless it `isLower` already.
   */
  scan(at: number, end: number, hashes: number, column: number, isLower: number): number;
}

/** `learn(unit)` writes what is known of a unit. */
export function makeWordScan(bytes: number, learn: (unit: number) => void): Instance<WordScan> {
  const instance = kernel.instance(bytes, { learn });
  const masks = new Uint16Array(instance.memory.buffer, masksAddress, 8 * 9);
  for (let length = 0; length <= 8; length += 1) masks.fill(0xffff, 8 * length, 9 * length);
  return instance;
}

// ---------------------------------------------------------------------------------------------------------------------

const learnFunction = 0;
const lowerFunction = 1;
const hashFunction = 2;
const zero = i32.const(0);

/** Units one by one, of which some are beyond ASCII. Returns 0 at one whose lower case depends on its neighbours. */
function lowerBody(): Code {
  const [at, isLower, end, unit, known] = [0, 1, 2, 3, 4];
  const look = i32.load16(i32.shiftLeft(get(unit), i32.const(1)));
  return [
    ...set(end, i32.add(get(at), i32.const(2 * partUnits))),
    ...loop(
      set(unit, i32.load16(get(at))),
      when(i32.isZero(tee(known, look)), call(learnFunction, get(unit)), set(known, look)),
      when(
        i32.equal(get(known), i32.const(contextual)),
        when(i32.isZero(get(isLower)), returns(zero)),
        set(known, get(unit)),
      ),
      i32.store16(get(at), get(known)),
      set(at, i32.add(get(at), i32.const(2))),
      branchIf(0, i32.less(get(at), get(end))),
    ),
    ...i32.const(1),
  ];
}

function scanBody(): Code {
  const [at, end, hashes, column, isLower, starts, ends, carry, spaces, before, bits, low, high, bytes] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ];
  const units = (value: number) => i16x8.splat(i32.const(value));
  const bytesOf = (value: number) => i8x16.splat(i32.const(value));
  const lowered = (half: Code) =>
    i16x8.add(half, v128.and(i16x8.less(i16x8.sub(half, units(0x41)), units(26)), units(0x20)));
  const isSpace = v128.or(
    i8x16.less(i8x16.sub(get(bytes), bytesOf(0x09)), bytesOf(5)),
    i8x16.less(i8x16.sub(get(bytes), bytesOf(0x1c)), bytesOf(5)),
  );
  const part = (index: number): Code => {
    const offset = 2 * partUnits * index;
    const load = [set(low, v128.load(get(at), offset)), set(high, v128.load(get(at), offset + 16))].flat();
    return [
      ...load,
      ...when(
        v128.any(v128.and(v128.or(get(low), get(high)), units(0xff80))),
        when(i32.isZero(call(lowerFunction, i32.add(get(at), i32.const(offset)), get(isLower))), returns(zero)),
        load,
      ),
      ...set(low, lowered(get(low))),
      ...set(high, lowered(get(high))),
      ...v128.store(get(at), get(low), offset),
      ...v128.store(get(at), get(high), offset + 16),
      ...set(bytes, i8x16.narrow(get(low), get(high))),
      ...set(
        spaces,
        i64.or(get(spaces), i64.shiftLeft(i64.fromI32(i8x16.bits(isSpace)), i64.const(BigInt(partUnits * index)))),
      ),
    ];
  };
  /** Writes the places of the bits that are set. */
  const write = (where: number): Code =>
    when(
      i32.isZero(i64.isZero(get(bits))),
      loop(
        i32.store(
          get(where),
          i32.add(
            i32.shiftRight(i32.sub(get(at), i32.const(unitsAddress)), i32.const(1)),
            i32.fromI64(i64.trailingZeros(get(bits))),
          ),
        ),
        set(where, i32.add(get(where), i32.const(4))),
        set(bits, i64.and(get(bits), i64.sub(get(bits), i64.const(1n)))),
        branchIf(0, i32.isZero(i64.isZero(get(bits)))),
      ),
    );
  const without = (value: Code, other: Code) => i64.and(value, i64.xor(other, i64.const(-1n)));
  return [
    // Spaces behind the end close the last word.
    ...Array.from({ length: padding / 16 }, (_, vector) => v128.store(get(end), units(0x20), 16 * vector)).flat(),
    ...set(starts, i32.add(get(hashes), get(column))),
    ...set(ends, i32.add(get(starts), get(column))),
    ...set(carry, i64.const(1n)),
    ...loop(
      set(spaces, i64.const(0n)),
      ...Array.from({ length: blockUnits / partUnits }, (_, index) => part(index)),
      set(before, i64.or(i64.shiftLeft(get(spaces), i64.const(1n)), get(carry))),
      set(carry, i64.shiftRight(get(spaces), i64.const(63n))),
      set(bits, without(get(before), get(spaces))),
      write(starts),
      set(bits, without(get(spaces), get(before))),
      write(ends),
      set(at, i32.add(get(at), i32.const(2 * blockUnits))),
      // Up to and with the end: the space there is needed.
      branchIf(0, i32.isZero(i32.greater(get(at), get(end)))),
    ),
    ...set(end, i32.sub(get(starts), get(column))),
    ...call(hashFunction, get(hashes), get(end), get(column)),
    ...get(end),
  ];
}

/** A sum of products modulo 2^64, folded so that every unit counts. */
function hashBody(): Code {
  const [hashes, end, column, at, left, hash, units] = [0, 1, 2, 3, 4, 5, 6];
  const next = (local: number, bytes: number) => set(local, i32.add(get(local), i32.const(bytes)));
  const start = i32.load(i32.add(get(hashes), get(column)));
  const wordEnd = i32.load(i32.add(get(hashes), i32.shiftLeft(get(column), i32.const(1))));
  const eight = [
    set(
      units,
      v128.and(
        v128.load(get(at)),
        v128.load(i32.shiftLeft(i32.minimum(get(left), i32.const(8)), i32.const(4)), masksAddress),
      ),
    ),
    set(
      hash,
      i64.add(
        i64.rotateLeft(get(hash), i64.const(29n)),
        i64.add(
          i64.mul(v128.i64Lane(get(units), 0), i64.const(0x9e3779b97f4a7c15n)),
          i64.mul(v128.i64Lane(get(units), 1), i64.const(0xc2b2ae3d27d4eb4fn)),
        ),
      ),
    ),
  ].flat();
  return when(
    i32.less(get(hashes), get(end)),
    loop(
      set(left, i32.sub(wordEnd, tee(at, start))),
      set(at, i32.add(i32.const(unitsAddress), i32.shiftLeft(get(at), i32.const(1)))),
      // Trailing zeros make another word.
      set(hash, i64.shiftLeft(i64.fromI32(get(left)), i64.const(3n))),
      eight,
      when(
        i32.greater(get(left), i32.const(8)),
        loop(next(at, 16), next(left, -8), eight, branchIf(0, i32.greater(get(left), i32.const(8)))),
      ),
      i32.store(get(hashes), i32.fromI64(i64.xor(get(hash), i64.shiftRight(get(hash), i64.const(32n))))),
      next(hashes, 4),
      branchIf(0, i32.less(get(hashes), get(end))),
    ),
  );
}

const kernel = new Kernel<WordScan>(
  {
    lower: { parameters: ['i32', 'i32'], result: 'i32', locals: ['i32', 'i32', 'i32'], body: lowerBody() },
    hash: { parameters: ['i32', 'i32', 'i32'], locals: ['i32', 'i32', 'i64', 'v128'], body: hashBody() },
    scan: {
      parameters: ['i32', 'i32', 'i32', 'i32', 'i32'],
      result: 'i32',
      locals: ['i32', 'i32', 'i64', 'i64', 'i64', 'i64', 'v128', 'v128', 'v128'],
      body: scanBody(),
    },
  },
  ['learn'],
);
