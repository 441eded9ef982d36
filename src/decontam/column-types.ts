import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BIGINT, BOOLEAN, DOUBLE, LIST, listValue, STRUCT, structValue, VARCHAR } from '../store/duckdb.js';
import { jsonText } from '../store/readers/exact-integers.js';

/** The shape of the values of a column of JSON rows, as narrow as all of them allow. */
export type Shape =
  | { kind: 'nothing' }
  /** `long`: integers that a number would round. */
  | { kind: 'boolean' | 'integer' | 'long' | 'number' | 'text' | 'mixed' }
  | { kind: 'list'; of: Shape }
  | { kind: 'struct'; fields: Map<string, Shape> };

export const nothing: Shape = { kind: 'nothing' };

/** Objects with more keys than this are maps in disguise and stay JSON, as does what is nested deeper. */
const mostFields = 200;
const mostLevels = 20;

/** The shape of `before` widened so that it also holds `value`. */
export function widen(before: Shape, value: unknown): Shape {
  return join(before, shapeOf(value));
}

/** The column type for a shape; what has no common type is kept as JSON text. */
export function typeOf(shape: Shape): DuckDBType {
  switch (shape.kind) {
    case 'boolean':
      return BOOLEAN;
    case 'integer':
    case 'long':
      return BIGINT;
    case 'number':
      return DOUBLE;
    case 'list':
      return LIST(typeOf(shape.of));
    case 'struct':
      return STRUCT(Object.fromEntries([...shape.fields].map(([name, field]) => [name, typeOf(field)])));
    default:
      return VARCHAR;
  }
}

/** A value as the type of the shape holds it. */
export function toDuckDb(shape: Shape, value: unknown): DuckDBValue {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case 'boolean':
      return value as boolean;
    case 'integer':
    case 'long':
      return BigInt(value as number | bigint);
    case 'number':
      return Number(value);
    case 'text':
      return value as string;
    case 'list':
      return listValue((value as unknown[]).map((each) => toDuckDb(shape.of, each)));
    case 'struct': {
      const fields = value as Record<string, unknown>;
      return structValue(
        Object.fromEntries([...shape.fields].map(([name, field]) => [name, toDuckDb(field, fieldAt(fields, name))])),
      );
    }
    default:
      return jsonText(value);
  }
}

/** A field of a row, which may be called like something that every object inherits. */
export function fieldAt(fields: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Whether a struct can have fields of these names: the database tells them apart without regard to case. */
function areFields(names: readonly string[]): boolean {
  if (names.length === 0 || names.length > mostFields || names.includes('')) return false;
  return new Set(names.map((name) => name.toLowerCase())).size === names.length;
}

function shapeOf(value: unknown, level = 0): Shape {
  if (value === null || value === undefined) return { kind: 'nothing' };
  if (typeof value === 'string') return { kind: 'text' };
  if (typeof value === 'boolean') return { kind: 'boolean' };
  if (typeof value === 'number') return { kind: Number.isSafeInteger(value) ? 'integer' : 'number' };
  if (typeof value === 'bigint') return { kind: BigInt.asIntN(64, value) === value ? 'long' : 'mixed' };
  if (typeof value !== 'object' || level > mostLevels) return { kind: 'mixed' };
  if (Array.isArray(value))
    return { kind: 'list', of: value.reduce<Shape>((of, each) => join(of, shapeOf(each, level + 1)), nothing) };
  const entries = Object.entries(value);
  if (!areFields(entries.map(([name]) => name))) return { kind: 'mixed' };
  return { kind: 'struct', fields: new Map(entries.map(([name, each]) => [name, shapeOf(each, level + 1)])) };
}

function join(a: Shape, b: Shape): Shape {
  if (a.kind === 'nothing') return b;
  if (b.kind === 'nothing') return a;
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', of: join(a.of, b.of) };
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields);
    for (const [name, shape] of b.fields) fields.set(name, join(fields.get(name) ?? nothing, shape));
    return areFields([...fields.keys()]) ? { kind: 'struct', fields } : { kind: 'mixed' };
  }
  const integers = ['integer', 'long'];
  if (integers.includes(a.kind) && integers.includes(b.kind))
    return { kind: a.kind === b.kind ? a.kind : 'long' } as Shape;
  const numbers = ['integer', 'number'];
  if (numbers.includes(a.kind) && numbers.includes(b.kind))
    return { kind: a.kind === b.kind ? a.kind : 'number' } as Shape;
  return a.kind === b.kind ? a : { kind: 'mixed' };
}
