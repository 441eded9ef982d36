/**
 * The one loop that runs for every pair of a text and a document of about its length, as WebAssembly: its vector
 * instructions compare sixteen counts at a time, which JavaScript cannot. Written by the instruction, in the notation of
 * the WebAssembly text format; integers only, so the same on every machine.
 */

/** Of each record: 16 counts of 16 bits, 48 of 8 bits, `threshold · length` as a float (exact up to 2^53), and padding. */
export const recordBytes = 96;
export const wideCount = 16;
export const narrowCount = 48;
export const scoreOffset = 80;

export interface TallyScan {
  memory: ArrayBuffer;
  /**
   * Compares the record at address 0 (the text) with those from `at` to `end`, and writes to `out` the addresses of those
   * for which `200 · surplus + threshold · length <= budget`; `surplus` is what the text has more of, count by count.
   * Returns the address behind the last that was written.
   */
  scan(at: number, end: number, budget: number, out: number): number;
}

export function makeTallyScan(bytes: number): TallyScan {
  const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyParts }).WebAssembly;
  compiled ??= new Module(moduleBytes());
  const memory = new Memory({ initial: Math.ceil(bytes / 65_536) });
  const { exports } = new Instance(compiled, { m: { m: memory } });
  return { memory: memory.buffer, scan: exports.s };
}

// ---------------------------------------------------------------------------------------------------------------------

/** The little that is used of it: neither the language's nor Node's types declare it. */
interface WebAssemblyParts {
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { m: { m: object } }) => { exports: { s: TallyScan['scan'] } };
}

let compiled: object | null = null;

const [i32, f64, v128, nothing, func] = [0x7f, 0x7c, 0x7b, 0x40, 0x60];

/** Parameters, then five vectors of the text. */
const [at, end, budget, out, text] = [0, 1, 2, 3, 4];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const i32Const = (value: number) => [0x41, ...signed(value)];
const i32Add = [0x6a];
const i32LessU = [0x49];
const i32Store = [0x36, 2, 0];
const f64Load = (offset: number) => [0x2b, 3, offset];
const f64Const = (value: number) => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)];
const f64Add = [0xa0];
const f64Mul = [0xa2];
const f64LessOrEqual = [0x65];
const f64FromI32U = [0xb8];
const v128Load = (offset: number) => [0xfd, 0x00, 4, offset];
const i8x16SubSatU = [0xfd, 0x73];
const i16x8SubSatU = [0xfd, 0x93, 0x01];
const i16x8Add = [0xfd, 0x8e, 0x01];
const i32x4Add = [0xfd, 0xae, 0x01];
const i16x8AddPairsOfI8x16U = [0xfd, 0x7d];
const i32x4AddPairsOfI16x8U = [0xfd, 0x7f];
const i32x4ExtractLane = (lane: number) => [0xfd, 0x1b, lane];
const loop = [0x03, nothing];
const ifThen = [0x04, nothing];
const branchIf = [0x0d, 0];
const endBlock = [0x0b];

/** What the text has more of in one vector of the record, as four sums. */
function wideSurplus(vector: number): number[] {
  return [...get(text + vector), ...get(at), ...v128Load(16 * vector), ...i16x8SubSatU, ...i32x4AddPairsOfI16x8U];
}

/** The same as eight sums. */
function narrowSurplus(vector: number): number[] {
  return [...get(text + vector), ...get(at), ...v128Load(16 * vector), ...i8x16SubSatU, ...i16x8AddPairsOfI8x16U];
}

function scanBody(): number[] {
  const sums = text + 5;
  return [
    ...[0, 1, 2, 3, 4].flatMap((vector) => [...i32Const(0), ...v128Load(16 * vector), ...set(text + vector)]),
    ...[...get(at), ...get(end), ...i32LessU, ...ifThen],
    ...loop,
    ...[...wideSurplus(0), ...wideSurplus(1), ...i32x4Add],
    ...[...narrowSurplus(2), ...narrowSurplus(3), ...i16x8Add, ...narrowSurplus(4), ...i16x8Add],
    ...[...i32x4AddPairsOfI16x8U, ...i32x4Add, ...set(sums)],
    ...[0, 1, 2, 3].flatMap((lane) => [...get(sums), ...i32x4ExtractLane(lane), ...(lane === 0 ? [] : i32Add)]),
    ...[...f64FromI32U, ...f64Const(200), ...f64Mul, ...get(at), ...f64Load(scoreOffset), ...f64Add],
    ...[...get(budget), ...f64LessOrEqual, ...ifThen],
    ...[...get(out), ...get(at), ...i32Store, ...get(out), ...i32Const(4), ...i32Add, ...set(out)],
    ...endBlock,
    ...[...get(at), ...i32Const(recordBytes), ...i32Add, ...set(at)],
    ...[...get(at), ...get(end), ...i32LessU, ...branchIf],
    ...endBlock,
    ...endBlock,
    ...get(out),
    ...endBlock,
  ];
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const locals = [1, 6, v128];
  const body = [...locals, ...scanBody()];
  const name = (letter: string) => [1, letter.charCodeAt(0)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, func, 4, i32, i32, f64, i32, 1, i32]),
    ...section(2, [1, ...name('m'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('s'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const low = value & 0x7f;
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7)];
}
