import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BIGINT, BOOLEAN, DOUBLE, LIST, listValue, STRUCT, structValue, VARCHAR } from '../store/duckdb.js';

/** The shape of the values of a column of JSON rows, as narrow as all of them allow. */
export type Shape =
  | { kind: 'nothing' }
  | { kind: 'boolean' | 'integer' | 'number' | 'text' | 'mixed' }
  | { kind: 'list'; of: Shape }
  | { kind: 'struct'; fields: Map<string, Shape> };

/** Objects with more keys than this are maps in disguise and stay JSON. */
const mostFields = 200;

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
      return BigInt(value as number);
    case 'number':
      return Number(value);
    case 'text':
      return (value as string).toWellFormed();
    case 'list':
      return listValue((value as unknown[]).map((each) => toDuckDb(shape.of, each)));
    case 'struct': {
      const fields = value as Record<string, unknown>;
      return structValue(
        Object.fromEntries([...shape.fields].map(([name, field]) => [name, toDuckDb(field, fields[name])])),
      );
    }
    default:
      return JSON.stringify(value);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return { kind: 'nothing' };
  if (typeof value === 'string') return { kind: 'text' };
  if (typeof value === 'boolean') return { kind: 'boolean' };
  if (typeof value === 'number') return { kind: Number.isSafeInteger(value) ? 'integer' : 'number' };
  if (Array.isArray(value)) return { kind: 'list', of: value.reduce<Shape>(widen, { kind: 'nothing' }) };
  if (typeof value !== 'object') return { kind: 'mixed' };
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > mostFields) return { kind: 'mixed' };
  return { kind: 'struct', fields: new Map(entries.map(([name, each]) => [name, shapeOf(each)])) };
}

function join(a: Shape, b: Shape): Shape {
  if (a.kind === 'nothing') return b;
  if (b.kind === 'nothing') return a;
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', of: join(a.of, b.of) };
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields);
    for (const [name, shape] of b.fields) fields.set(name, join(fields.get(name) ?? { kind: 'nothing' }, shape));
    return fields.size > mostFields ? { kind: 'mixed' } : { kind: 'struct', fields };
  }
  const numbers = ['integer', 'number'];
  if (numbers.includes(a.kind) && numbers.includes(b.kind))
    return { kind: a.kind === b.kind ? a.kind : 'number' } as Shape;
  return a.kind === b.kind ? a : { kind: 'mixed' };
}
