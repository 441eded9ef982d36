import type { z } from 'zod';
import { nearestName } from '../text/nearest-name.js';

type Issue = z.core.$ZodIssue;
type Path = (string | number)[];

/** A zod issue as sentences, each with the path it is about: one per unknown key, the likeliest branch of a union. */
export function explainIssue(
  issue: Issue,
  value: unknown,
  keys: (path: Path) => string[],
): { path: Path; what: string; atKey: boolean }[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keys(path);
      return issue.keys.map((key) => {
        const near = nearestName(key, known);
        const hint =
          near !== null ? `; did you mean ${near}?` : known.length > 0 ? `; known here: ${known.join(', ')}` : '';
        return { path: [...path, key], what: `unknown key${hint}`, atKey: true };
      });
    }
    case 'invalid_union': {
      const branches = issue.errors.filter((branch) => branch.length > 0);
      const best = branches.sort((a, b) => distance(a) - distance(b))[0];
      if (best === undefined || (best.length === 1 && best[0]?.code === 'invalid_type' && best[0].path.length === 0)) {
        const expected = [...new Set(branches.flatMap((branch) => branch.map(expectation)))].join(', or ');
        return [{ path, what: expected === '' ? issue.message : `expected ${expected}`, atKey: false }];
      }
      return best.flatMap((each) =>
        explainIssue({ ...each, path: [...issue.path, ...each.path] } as Issue, value, keys),
      );
    }
    case 'invalid_value': {
      const found = valueAt(value, path);
      const values = issue.values.map(String);
      const near = typeof found === 'string' ? nearestName(found, values) : null;
      const hint = near === null ? `expected ${values.join(', ')}` : `did you mean ${near}? (${values.join(', ')})`;
      return [{ path, what: `${shown(found)} is not possible; ${hint}`, atKey: false }];
    }
    case 'invalid_type': {
      const found = valueAt(value, path);
      if (found === undefined) return [{ path, what: `missing; expected ${issue.expected}`, atKey: false }];
      return [{ path, what: `expected ${issue.expected}, found ${shown(found)}`, atKey: false }];
    }
    default:
      return [{ path, what: issue.message, atKey: false }];
  }
}

/** The keys that a schema knows at a path, through optionals, defaults, pipes, arrays and unions. */
export function keysAt(schema: unknown, path: readonly (string | number)[]): string[] {
  const [next, ...rest] = path;
  const keys = new Set<string>();
  for (const each of unwrap(schema)) {
    const { shape, element } = each;
    if (next === undefined) for (const key of Object.keys(shape ?? {})) keys.add(key);
    else if (typeof next === 'number' && element !== undefined) for (const key of keysAt(element, rest)) keys.add(key);
    else if (shape !== undefined && next in shape) for (const key of keysAt(shape[next], rest)) keys.add(key);
  }
  return [...keys];
}

interface Definition {
  type: string;
  shape?: Record<string, unknown>;
  element?: unknown;
  innerType?: unknown;
  in?: unknown;
  out?: unknown;
  options?: unknown[];
}

function unwrap(schema: unknown): Definition[] {
  const definition = (schema as { _zod?: { def?: Definition } } | undefined)?._zod?.def;
  if (definition === undefined) return [];
  if (definition.options !== undefined) return definition.options.flatMap(unwrap);
  if (definition.innerType !== undefined) return unwrap(definition.innerType);
  if (definition.type === 'pipe') return [...unwrap(definition.in), ...unwrap(definition.out)];
  return [definition];
}

/** A union's branch is the likelier meant the deeper its first complaint lies and the fewer it has. */
function distance(branch: readonly Issue[]): number {
  const deepest = Math.max(...branch.map((issue) => issue.path.length));
  const wrongType = branch.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0) ? 100 : 0;
  return wrongType + branch.length - deepest;
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'invalid_value') return issue.values.map(String).join(' | ');
  return issue.message;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const part of path) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

/** The beginning of a value as JSON. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
