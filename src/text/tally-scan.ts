import { block, branchIf, type Code, get, type Instance, i16x8, i32, Kernel, loop, set, v128, when } from './wasm.js';

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

export function makeTallyScan(bytes: number): Instance<TallyScan> {
  return kernel.instance(bytes);
}

// ---------------------------------------------------------------------------------------------------------------------

const zero = i32.const(0);

function tallyBody(): Code {
  const [at, end, count] = [0, 1, 2];
  const next = set(count, i32.shiftLeft(i32.load8(i32.load16(get(at)), classesAddress), i32.const(2)));
  return [
    ...Array.from({ length: classesAddress / 16 }, (_, vector) =>
      v128.store(zero, i16x8.splat(zero), 16 * vector),
    ).flat(),
    ...when(
      i32.less(get(at), get(end)),
      loop(
        next,
        i32.store(get(count), i32.add(i32.load(get(count)), i32.const(1))),
        set(at, i32.add(get(at), i32.const(2))),
        branchIf(0, i32.less(get(at), get(end))),
      ),
    ),
  ];
}

/** Classes after which it is looked again whether all eight documents are out: most are after a dozen or two. */
const step = 4;

function scanBody(): Code {
  const [at, end, allowed, out, number, offset, limit, surplus] = [0, 1, 2, 3, 4, 5, 6, 7];
  const surplusOf = (group: number) =>
    i16x8.subSaturated(
      v128.load(get(offset), spreadAddress + 16 * group),
      v128.load(i32.add(get(at), get(offset)), 16 + 16 * group),
    );
  const within = i16x8.lessOrEqual(get(surplus), get(limit));
  const spreadBytes = i32.const(16 * classCount);
  return [
    // Each count in 16 bits, then eight times over.
    ...Array.from({ length: classCount / 8 }, (_, part) =>
      v128.store(
        zero,
        i16x8.narrow(v128.load(zero, 32 * part), v128.load(zero, 32 * part + 16)),
        countedAddress + 16 * part,
      ),
    ).flat(),
    ...loop(
      v128.store(
        get(offset),
        v128.load16Splat(i32.shiftRight(get(offset), i32.const(3)), countedAddress),
        spreadAddress,
      ),
      set(offset, i32.add(get(offset), i32.const(16))),
      branchIf(0, i32.less(get(offset), spreadBytes)),
    ),
    ...when(
      i32.less(get(at), get(end)),
      loop(
        set(limit, i16x8.subSaturated(i16x8.splat(get(allowed)), v128.load(get(at)))),
        set(surplus, i16x8.splat(zero)),
        set(offset, zero),
        block(
          loop(
            ...Array.from({ length: step }, (_, group) =>
              set(surplus, i16x8.addSaturated(get(surplus), surplusOf(group))),
            ),
            branchIf(1, i32.isZero(v128.any(within))),
            set(offset, i32.add(get(offset), i32.const(16 * step))),
            branchIf(0, i32.less(get(offset), spreadBytes)),
          ),
          i32.store(get(out), i32.or(i32.shiftLeft(get(number), i32.const(8)), i16x8.bits(within))),
          set(out, i32.add(get(out), i32.const(4))),
        ),
        set(number, i32.add(get(number), i32.const(1))),
        set(at, i32.add(get(at), i32.const(blockBytes))),
        branchIf(0, i32.less(get(at), get(end))),
      ),
    ),
    ...get(out),
  ];
}

const kernel = new Kernel<TallyScan>({
  tally: { parameters: ['i32', 'i32'], locals: ['i32'], body: tallyBody() },
  scan: {
    parameters: ['i32', 'i32', 'i32', 'i32'],
    result: 'i32',
    locals: ['i32', 'i32', 'v128', 'v128'],
    body: scanBody(),
  },
});
