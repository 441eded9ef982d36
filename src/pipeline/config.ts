import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parse, parseDocument } from 'yaml';
import { z } from 'zod';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { nearestName } from '../text/nearest-name.js';
import { explainIssue, keysAt } from './config-issues.js';
import type { StageName } from './stage.js';
import { type AnyStage, stages } from './stages.js';

/** A pipeline file, checked and resolved: every default filled in, `${NAME}` still unexpanded. Plain JSON. */
export interface Pipeline {
  /** Absolute path of the file and of its folder, to which the paths in it are relative. */
  file: string;
  folder: string;
  name: string;
  seed: number;
  compute: 'native' | 'portable';
  /** Options of the stages that run, by name. */
  stages: Partial<Record<StageName, Json>>;
}

const header = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore, as it names the run folder'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(42),
  compute: z.enum(['native', 'portable']).default('native'),
});

/** Keys of the file's first level that are the ingest stage's options. */
const ingestKeys = ['sources', 'duplicates'];

/** Whether every `${NAME}` must be set, as a run needs it, or may be missing, as for a plan. */
type Environment = 'needed' | 'may be missing';

/**
 * Reads a pipeline file. `set` are `key.path=value` overrides, the value written as YAML. Throws one Problem that names
 * all mistakes, each with file, line and column.
 */
export function readPipeline(path: string, set: readonly string[] = [], environment: Environment = 'needed'): Pipeline {
  const file = resolve(path);
  return resolvePipeline(readText(path), file, path, set, environment);
}

/** `readPipeline` for text at hand; `shown` is how messages call the file. */
export function resolvePipeline(
  text: string,
  file: string,
  shown: string,
  set: readonly string[] = [],
  environment: Environment = 'needed',
): Pipeline {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const first = document.errors[0];
  if (first !== undefined) {
    const at = lines.linePos(first.pos[0]);
    throw new Problem(`${shown} is not valid YAML`, {
      where: `${shown}:${at.line}:${at.col}`,
      found: first.message,
      try: 'check indentation and quotes on that line; a text with ": " or "#" needs quotes',
    });
  }
  const overridden = applySets(document, set);
  const problems = new ConfigProblems(document, lines, shown, overridden);
  const content = contentOf(document, shown);
  if (content === null || typeof content !== 'object' || Array.isArray(content)) {
    throw new Problem(`${shown} is no pipeline: it holds no keys`, {
      where: `${shown}:1:1`,
      try: 'curate init writes one',
    });
  }
  const value = content as Record<string, unknown>;
  if (environment === 'needed') {
    for (const { name, at } of unsetVariables(value)) problems.add(at, `environment variable ${name} is not set`);
  }

  const names = [...Object.keys(header.shape), ...ingestKeys, ...stages.map((stage) => stage.name).slice(1)];
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const why =
      key === 'generate'
        ? 'kept for answers written through an endpoint, which this version does not do'
        : 'unknown key';
    const near = nearestName(key, names);
    problems.add([key], near === null ? why : `${why}; did you mean ${near}?`, true);
  }
  const head = problems.parse(header, pick(value, Object.keys(header.shape)), []);
  const options: Partial<Record<StageName, Json>> = {};
  for (const stage of stages) {
    const spec = stage.name === 'ingest' ? pick(value, ingestKeys) : value[stage.name];
    if (stage.name !== 'ingest' && !(stage.name in value)) continue;
    const parsed = problems.parse(stage.options, spec ?? {}, stage.name === 'ingest' ? [] : [stage.name]);
    if (parsed !== undefined) options[stage.name] = parsed as Json;
  }
  checkOrder(value, problems);
  problems.throwIfAny();
  if (head === undefined) throw new Error('a pipeline without problems has its header');
  return { file, folder: dirname(file), ...head, stages: options };
}

/** The stages of a pipeline in their order, each with its resolved options. */
export function stagesOf(pipeline: Pipeline): { stage: AnyStage; options: Json }[] {
  return stages.flatMap((stage) => {
    const options = pipeline.stages[stage.name];
    return options === undefined ? [] : [{ stage, options }];
  });
}

/** Each `${NAME}` in texts of `value` that the environment lacks; a value is looked at nowhere but in a stage's `expand`. */
export function unsetVariables(
  value: unknown,
  at: (string | number)[] = [],
): { name: string; at: (string | number)[] }[] {
  if (typeof value === 'string') {
    const names = [...value.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name);
    return names.filter((name) => process.env[name] === undefined).map((name) => ({ name, at }));
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, each]) =>
    unsetVariables(each, [...at, Array.isArray(value) ? Number(key) : key]),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new Problem(`no such file: ${path}`, {
        where: resolve(path),
        try: 'curate init writes a pipeline.yaml here',
      });
    if (code === 'EISDIR')
      throw new Problem(`${path} is a folder, not a pipeline file`, { try: `curate run ${path}/pipeline.yaml` });
    throw new Problem(`cannot read ${path}`, { where: resolve(path), found: code ?? String(error), cause: error });
  }
}

function contentOf(document: Document, shown: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    throw new Problem(`${shown} is not valid YAML`, {
      where: shown,
      found: (error as Error).message,
      try: 'fewer aliases (*name), or ones that exist',
      cause: error,
    });
  }
}

function applySets(document: Document, set: readonly string[]): string[] {
  return set.map((assignment) => {
    const equals = assignment.indexOf('=');
    if (equals < 1)
      throw new Problem(`--set ${assignment}: expected key.path=value`, { try: '--set filter.wait_count.at_most=30' });
    const key = assignment.slice(0, equals);
    const path = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    try {
      for (let length = 1; length < path.length; length += 1) {
        const parent = path.slice(0, length);
        if (document.getIn(parent) === null) document.setIn(parent, document.createNode({}));
      }
      document.setIn(path, document.createNode(parse(assignment.slice(equals + 1))));
    } catch (error) {
      throw new Problem(`--set ${assignment}: ${(error as Error).message}`, {
        try: '--set filter.wait_count.at_most=30',
        cause: error,
      });
    }
    return key;
  });
}

const needs: Partial<Record<StageName, StageName>> = { cluster: 'embed', classify: 'cluster' };

function checkOrder(value: Record<string, unknown>, problems: ConfigProblems): void {
  for (const [name, needed] of Object.entries(needs)) {
    if (name in value && !(needed in value))
      problems.add([name], `needs the stage ${needed}, which has no key here`, true);
  }
}

function pick(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => key in value).map((key) => [key, value[key]]));
}

/** Collects what is wrong, each with its place in the file. */
class ConfigProblems {
  private readonly found: { offset: number; text: string }[] = [];
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly shown: string;
  private readonly overridden: string[];

  constructor(document: Document, lines: LineCounter, shown: string, overridden: string[]) {
    this.document = document;
    this.lines = lines;
    this.shown = shown;
    this.overridden = overridden;
  }

  add(path: readonly (string | number)[], what: string, atKey = false): void {
    const key = path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
      .join('')
      .replace(/^\./, '');
    const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}.`);
    const set = this.overridden.find((each) => inside(key, each) || (atKey && inside(each, key)));
    const offset = this.offset(path, atKey);
    const at = this.lines.linePos(offset);
    const place = set === undefined ? `${this.shown}:${at.line}:${at.col}` : `--set ${set}`;
    this.found.push({ offset, text: `${place}  ${key}  ${what}` });
  }

  parse<T>(schema: z.ZodType<T, unknown>, value: unknown, prefix: readonly string[]): T | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      for (const { path, what, atKey } of explainIssue(issue, value, (where) => keysAt(schema, where))) {
        this.add([...prefix, ...path], what, atKey);
      }
    }
    return undefined;
  }

  throwIfAny(): void {
    if (this.found.length === 0) return;
    this.found.sort((a, b) => a.offset - b.offset);
    const count = this.found.length;
    throw new Problem(`${this.shown} has ${count === 1 ? '1 problem' : `${count} problems`}`, {
      items: this.found.map((each) => each.text),
      try: 'nothing was run; mend the lines above and type the same command again',
    });
  }

  /** Where the value (or its key) at a path begins; a path that is not there counts where its nearest parent does. */
  private offset(path: readonly (string | number)[], atKey: boolean): number {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = this.document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      if (isMap(parent)) {
        const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
        const node =
          pair === undefined ? undefined : atKey || !isNode(pair.value) || length < path.length ? pair.key : pair.value;
        if (isNode(node) && node.range) return node.range[0];
      }
      const node = this.document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }
}
