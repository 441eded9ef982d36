/**
 * WebAssembly written by the instruction, for the few loops that need vectors or numbers of 64 bits, which JavaScript
 * has not. An expression is its operands' bytes and then its own; integers only, so the same on every machine.
 */

export type Code = readonly number[];
export type Type = 'i32' | 'i64' | 'v128';

export interface Func {
  parameters: Type[];
  result?: Type;
  /** Of locals beyond the parameters, which are numbered first. */
  locals: Type[];
  body: Code;
}

/** Memory that can grow: whoever holds a view of its buffer then needs a new one. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export const pageBytes = 65_536;

export interface Instance<Exports> {
  memory: Memory;
  exports: Exports;
}

/** A module of functions over a memory of their own; `imported` take one i32 and return nothing, and are numbered first. */
export class Kernel<Exports> {
  private readonly functions: Record<string, Func>;
  private readonly imported: readonly string[];
  private module: object | null = null;

  constructor(functions: Record<string, Func>, imported: readonly string[] = []) {
    this.functions = functions;
    this.imported = imported;
  }

  instance(bytes: number, imported: Record<string, (value: number) => void> = {}): Instance<Exports> {
    const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyParts }).WebAssembly;
    this.module ??= new Module(moduleBytes(this.functions, this.imported));
    const memory = new Memory({ initial: Math.ceil(bytes / pageBytes) });
    const { exports } = new Instance(this.module, { m: { memory, ...imported } });
    return { memory, exports: exports as Exports };
  }
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const tee = (local: number, value: Code): Code => [...value, 0x22, ...unsigned(local)];
export const call = (func: number, ...values: Code[]): Code => [...values.flat(), 0x10, ...unsigned(func)];
export const returns = (value: Code): Code => [...value, 0x0f];

/** Repeats while it reaches a `branchIf` that leads to it; `depth` 0 is the innermost of loops, blocks and conditions. */
export const loop = (...body: Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b];
/** A `branchIf` that leads to it goes to its end. */
export const block = (...body: Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, depth];

const unary =
  (...operator: number[]) =>
  (value: Code): Code => [...value, ...operator];
const binary =
  (...operator: number[]) =>
  (left: Code, right: Code): Code => [...left, ...right, ...operator];
const load =
  (align: number, ...operator: number[]) =>
  (address: Code, offset = 0): Code => [...address, ...operator, align, ...unsigned(offset)];
const store =
  (align: number, ...operator: number[]) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...operator, align, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(BigInt(value))],
  load: load(2, 0x28),
  load8: load(0, 0x2d),
  load16: load(1, 0x2f),
  store: store(2, 0x36),
  store16: store(1, 0x3b),
  isZero: unary(0x45),
  equal: binary(0x46),
  less: binary(0x49),
  greater: binary(0x4b),
  minimum: (left: Code, right: Code): Code => [...left, ...right, ...left, ...right, 0x49, 0x1b],
  add: binary(0x6a),
  sub: binary(0x6b),
  and: binary(0x71),
  or: binary(0x72),
  shiftLeft: binary(0x74),
  shiftRight: binary(0x76),
  fromI64: unary(0xa7),
};

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
  load: load(3, 0x29),
  store: store(3, 0x37),
  isZero: unary(0x50),
  trailingZeros: unary(0x7a),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shiftLeft: binary(0x86),
  shiftRight: binary(0x88),
  rotateLeft: binary(0x89),
  fromI32: unary(0xad),
};

export const v128 = {
  load: load(4, 0xfd, 0x00),
  load16Splat: load(1, 0xfd, 0x08),
  store: store(4, 0xfd, 0x0b),
  and: binary(0xfd, 0x4e),
  or: binary(0xfd, 0x50),
  any: unary(0xfd, 0x53),
  i64Lane: (value: Code, lane: number): Code => [...value, 0xfd, 0x1d, lane],
};

export const i8x16 = {
  splat: unary(0xfd, 0x0f),
  less: binary(0xfd, 0x26),
  sub: binary(0xfd, 0x71),
  bits: unary(0xfd, 0x64),
  /** Units of 16 bits as bytes: of each half eight. What is no byte becomes 0 or 255. */
  narrow: binary(0xfd, 0x66),
};

export const i16x8 = {
  splat: unary(0xfd, 0x10),
  /** Numbers of 32 bits as 16, cut where they are more. */
  narrow: binary(0xfd, 0x86, 0x01),
  less: binary(0xfd, 0x30),
  lessOrEqual: binary(0xfd, 0x34),
  add: binary(0xfd, 0x8e, 0x01),
  addSaturated: binary(0xfd, 0x90, 0x01),
  sub: binary(0xfd, 0x91, 0x01),
  subSaturated: binary(0xfd, 0x93, 0x01),
  bits: unary(0xfd, 0x84, 0x01),
};

// ---------------------------------------------------------------------------------------------------------------------

/** The little that is used of it: neither the language's nor Node's types declare it. */
interface WebAssemblyParts {
  Memory: new (size: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { m: Record<string, unknown> }) => { exports: unknown };
}

const typeBytes: Record<Type, number> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };

function moduleBytes(functions: Record<string, Func>, imported: readonly string[]): Uint8Array<ArrayBuffer> {
  const funcs = Object.values(functions);
  const ofImported = [0x60, 1, typeBytes.i32, 0];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [ofImported, ...funcs.map(typeOf)]),
    ...section(2, [
      [...name('m'), ...name('memory'), 2, 0, 1],
      ...imported.map((each) => [...name('m'), ...name(each), 0, 0]),
    ]),
    ...section(
      3,
      funcs.map((_, index) => [index + 1]),
    ),
    ...section(
      7,
      Object.keys(functions).map((each, index) => [...name(each), 0, imported.length + index]),
    ),
    ...section(10, funcs.map(bodyOf)),
  ]);
}

function typeOf({ parameters, result }: Func): number[] {
  const results = result === undefined ? [] : [typeBytes[result]];
  return [0x60, parameters.length, ...parameters.map((type) => typeBytes[type]), results.length, ...results];
}

function bodyOf({ locals, body }: Func): number[] {
  const code = [locals.length, ...locals.flatMap((type) => [1, typeBytes[type]]), ...body, 0x0b];
  return [...unsigned(code.length), ...code];
}

function section(id: number, entries: readonly number[][]): number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, 'latin1')];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const isLast = value >= -0x40n && value < 0x40n;
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7n)];
}
