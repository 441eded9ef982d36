/**
 * Assembles WebAssembly from its text format, for the few loops over bytes that need vector instructions or loads that
 * are not aligned. The subset: functions over one memory, instructions in their folded form. Two shorthands: `$x` where a
 * value is wanted is `(local.get $x)`, a number is `(i32.const …)`. Every function is exported under its name;
 * `(import $name (param $x …))` is a function that the program is given.
 */
export type Exports = Record<string, (...parameters: number[]) => number>;

/** A program's functions and the memory that they work on. */
export interface Assembled<Functions> {
  functions: Functions;
  memory: Memory;
}

/** Memory that can grow: whoever holds a view of its buffer then needs a new one. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export const pageBytes = 65_536;

/** The functions of a program, with at least `bytes` as their memory, and what `(import …)` names. */
export function assemble<Functions = Exports>(
  program: string,
  bytes: number,
  imported: Record<string, (value: number) => void> = {},
): Assembled<Functions> {
  const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyParts }).WebAssembly;
  const module = modules.get(program) ?? new Module(Uint8Array.from(moduleBytes(parse(program))));
  modules.set(program, module);
  const memory = new Memory({ initial: Math.ceil(bytes / pageBytes) });
  const { exports } = new Instance(module, { m: { memory, ...imported } });
  return { functions: exports as Functions, memory };
}

/** The text of an unrolled loop. */
export function repeated(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

// ---------------------------------------------------------------------------------------------------------------------

/** The little that is used of it: neither the language's nor Node's types declare it. */
interface WebAssemblyParts {
  Memory: new (size: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { m: Record<string, unknown> }) => { exports: unknown };
}

/** By program: what needs more memory is made again. */
const modules = new Map<string, object>();

type Node = string | Node[];

const types: Record<string, number> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };
const nothing = 0x40;

/** Instructions by their bytes. */
const plain: Record<string, number[]> = {
  return: [0x0f],
  drop: [0x1a],
  select: [0x1b],
  'i32.eqz': [0x45],
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_s': [0x48],
  'i32.lt_u': [0x49],
  'i32.gt_u': [0x4b],
  'i32.le_u': [0x4d],
  'i32.ge_u': [0x4f],
  'i64.eqz': [0x50],
  'i64.eq': [0x51],
  'i64.ne': [0x52],
  'i32.ctz': [0x68],
  'i32.popcnt': [0x69],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_u': [0x6e],
  'i32.rem_u': [0x70],
  'i32.and': [0x71],
  'i32.or': [0x72],
  'i32.xor': [0x73],
  'i32.shl': [0x74],
  'i32.shr_u': [0x76],
  'i64.clz': [0x79],
  'i64.ctz': [0x7a],
  'i64.add': [0x7c],
  'i64.sub': [0x7d],
  'i64.mul': [0x7e],
  'i64.and': [0x83],
  'i64.or': [0x84],
  'i64.xor': [0x85],
  'i64.shl': [0x86],
  'i64.shr_u': [0x88],
  'i64.rotl': [0x89],
  'i32.wrap_i64': [0xa7],
  'i64.extend_i32_u': [0xad],
  'i8x16.splat': [0xfd, 0x0f],
  'i16x8.splat': [0xfd, 0x10],
  'i8x16.eq': [0xfd, 0x23],
  'i8x16.lt_u': [0xfd, 0x26],
  'i16x8.lt_u': [0xfd, 0x30],
  'i16x8.le_u': [0xfd, 0x34],
  'v128.and': [0xfd, 0x4e],
  'v128.or': [0xfd, 0x50],
  'v128.any_true': [0xfd, 0x53],
  'i8x16.bitmask': [0xfd, 0x64],
  'i8x16.narrow_i16x8_u': [0xfd, 0x66],
  'i8x16.sub': [0xfd, 0x71],
  'i16x8.bitmask': [0xfd, 0x84, 0x01],
  'i16x8.narrow_i32x4_u': [0xfd, 0x86, 0x01],
  'i16x8.add': [0xfd, 0x8e, 0x01],
  'i16x8.add_sat_u': [0xfd, 0x90, 0x01],
  'i16x8.sub': [0xfd, 0x91, 0x01],
  'i16x8.sub_sat_u': [0xfd, 0x93, 0x01],
};

/** Loads and stores, with the logarithm of the alignment that they claim: none. */
const ofMemory: Record<string, number[]> = {
  'i32.load': [0x28],
  'i64.load': [0x29],
  'i32.load8_u': [0x2d],
  'i32.load16_u': [0x2f],
  'i32.store': [0x36],
  'i64.store': [0x37],
  'i32.store8': [0x3a],
  'i32.store16': [0x3b],
  'v128.load': [0xfd, 0x00],
  'v128.load16_splat': [0xfd, 0x08],
  'v128.store': [0xfd, 0x0b],
};

const ofLocals: Record<string, number> = { 'local.get': 0x20, 'local.set': 0x21, 'local.tee': 0x22 };

function parse(program: string): Node[] {
  const tokens = program.replace(/;;[^\n]*/g, '').match(/[()]|[^\s()]+/g) ?? [];
  const stack: Node[][] = [[]];
  for (const token of tokens) {
    if (token === '(') stack.push([]);
    else {
      const node = token === ')' ? stack.pop() : token;
      if (node === undefined || stack.length === 0) throw new Error('a bracket too many');
      (stack.at(-1) as Node[]).push(node);
    }
  }
  if (stack.length !== 1) throw new Error('a bracket is missing');
  return stack[0] as Node[];
}

interface Signature {
  name: string;
  parameters: number[];
  results: number[];
}

function moduleBytes(program: Node[]): number[] {
  const parsed = program.filter((each) => each[0] !== 'import').map((each) => readFunction(each as Node[]));
  const imports = program
    .filter((each) => each[0] === 'import')
    .map((each) => readFunction(['func', ...each.slice(1)]));
  const signatures = [...imports, ...parsed].map(({ signature }) => signature);
  const names = signatures.map(({ name }) => name);
  const bodies = parsed.map(({ locals, localTypes, body }) => {
    const code = [
      ...unsigned(localTypes.length),
      ...localTypes.flatMap((type) => [1, type]),
      ...body.flatMap((node) => new Coder(locals, names).code(node, [])),
      0x0b,
    ];
    return [...unsigned(code.length), ...code];
  });
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      signatures.map(({ parameters, results }) => [
        0x60,
        ...unsigned(parameters.length),
        ...parameters,
        ...unsigned(results.length),
        ...results,
      ]),
    ),
    ...section(2, [
      [...text('m'), ...text('memory'), 2, 0, 1],
      ...imports.map(({ signature: { name } }, at) => [...text('m'), ...text(name.slice(1)), 0, ...unsigned(at)]),
    ]),
    ...section(
      3,
      parsed.map((_, at) => unsigned(imports.length + at)),
    ),
    ...section(
      7,
      parsed.map(({ signature: { name } }, at) => [...text(name.slice(1)), 0, ...unsigned(imports.length + at)]),
    ),
    ...section(10, bodies),
  ];
}

/** `(func $name (param $a i32)… (result i32) (local $b i32)… instruction…)` */
function readFunction([word, name, ...rest]: Node[]) {
  if (word !== 'func' || typeof name !== 'string') throw new Error('a function begins with (func $name');
  const signature: Signature = { name, parameters: [], results: [] };
  const locals: string[] = [];
  const localTypes: number[] = [];
  let at = 0;
  for (; at < rest.length; at += 1) {
    const [kind, ...of] = rest[at] as string[];
    if (kind === 'result') signature.results.push(typeOf(of[0]));
    else if (kind === 'param' || kind === 'local') {
      locals.push(of[0] ?? '');
      (kind === 'param' ? signature.parameters : localTypes).push(typeOf(of[1]));
    } else break;
  }
  return { signature, locals, localTypes, body: rest.slice(at) };
}

class Coder {
  private readonly locals: string[];
  private readonly functions: string[];

  constructor(locals: string[], functions: string[]) {
    this.locals = locals;
    this.functions = functions;
  }

  /** `labels`: of the blocks around, the innermost last. */
  code(node: Node, labels: string[]): number[] {
    if (typeof node === 'string') {
      return node.startsWith('$') ? [0x20, ...this.index(this.locals, node)] : [0x41, ...signed(Number(node))];
    }
    const [operation, ...rest] = node;
    if (typeof operation !== 'string') throw new Error('an instruction begins with its name');
    const codes = (nodes: Node[]) => nodes.flatMap((each) => this.code(each, labels));
    const [first, ...others] = rest;
    if (operation in ofLocals) {
      return [...codes(others), ofLocals[operation] as number, ...this.index(this.locals, first as string)];
    }
    if (operation in ofMemory) {
      const offset = typeof first === 'string' && first.startsWith('offset=') ? Number(first.slice(7)) : null;
      return [
        ...codes(offset === null ? rest : others),
        ...(ofMemory[operation] as number[]),
        0,
        ...unsigned(offset ?? 0),
      ];
    }
    if (operation in plain) return [...codes(rest), ...(plain[operation] as number[])];
    if (operation === 'i32.const') return [0x41, ...signed(Number(first))];
    if (operation === 'i64.const') return [0x42, ...signedLong(BigInt.asIntN(64, BigInt(first as string)))];
    if (operation === 'i64x2.extract_lane') return [...codes(others), 0xfd, 0x1d, Number(first)];
    if (operation === 'call') return [...codes(others), 0x10, ...this.index(this.functions, first as string)];
    if (operation === 'br' || operation === 'br_if') {
      const depth = labels.length - 1 - labels.lastIndexOf(first as string);
      if (depth >= labels.length) throw new Error(`no block ${String(first)}`);
      return [...codes(others), operation === 'br' ? 0x0c : 0x0d, ...unsigned(depth)];
    }
    if (operation === 'block' || operation === 'loop') {
      const inner = [...labels, first as string];
      return [operation === 'block' ? 0x02 : 0x03, nothing, ...others.flatMap((each) => this.code(each, inner)), 0x0b];
    }
    if (operation === 'if') {
      const [condition, then, otherwise] = rest as [Node, Node[], Node[]?];
      const inner = [...labels, ''];
      const branch = (nodes: Node[]) => nodes.slice(1).flatMap((each) => this.code(each, inner));
      return [
        ...this.code(condition, labels),
        0x04,
        nothing,
        ...branch(then),
        ...(otherwise === undefined ? [] : [0x05, ...branch(otherwise)]),
        0x0b,
      ];
    }
    throw new Error(`no instruction ${operation}`);
  }

  private index(names: string[], name: string): number[] {
    const at = names.indexOf(name);
    if (at === -1) throw new Error(`nothing is called ${name}`);
    return unsigned(at);
  }
}

function typeOf(name: string | undefined): number {
  const type = types[name ?? ''];
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

function section(id: number, items: number[][]): number[] {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(name: string): number[] {
  return [name.length, ...Buffer.from(name, 'latin1')];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const low = value & 0x7f;
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7)];
}

function signedLong(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const isLast = value >= -0x40n && value < 0x40n;
  return isLast ? [low] : [low | 0x80, ...signedLong(value >> 7n)];
}
