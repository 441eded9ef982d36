import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BIGINT, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { openPool } from '../src/compute/pool.js';
import { embed } from '../src/embed/embed.js';
import type { ContextParts } from '../src/pipeline/context.js';
import type { WorkerTask } from '../src/pipeline/worker.js';
import { workerFile } from '../src/product.js';
import { fingerprint, sha256 } from '../src/store/fingerprint.js';
import { RunFolder } from '../src/store/folder.js';
import { identifier, literal, Tables } from '../src/store/tables.js';
import { VectorFile, writeVectors } from '../src/store/vectors.js';

const cache = join(import.meta.dirname, '.cache');
/** Questions of the benchmarks that ship: short ones and vignettes. */
export const shipped = 'data/samples/benchmarks/*/*.json.gz';

export interface BenchVectors {
  description: string;
  files: string[];
  count: number;
  dimensions: number;
}

/**
 * The first `count` vectors of `--vectors FOLDER` (`.arrow`, or `.f32`: bare float32 of 384 columns), else of the distinct
 * prompts of `--data FILE` (Parquet or JSONL with a column `prompt` or `question`; default: what ships) in a drawn order.
 * With `noise` more than there are: the same again with noise, of length 1.
 */
export async function benchVectors(args: readonly string[], count: number): Promise<BenchVectors> {
  const given = optionOf(args, '--vectors');
  const data = optionOf(args, '--data');
  const files = given === null ? await embedded(data) : filesOf(given);
  const dimensions = 384;
  const folder = join(cache, 'vectors', fingerprint([files, count]).slice(0, 16));
  const wanted = join(folder, '00000.arrow');
  const real = await readAll(files, dimensions, count);
  const realCount = real.length / dimensions;
  if (!existsSync(wanted)) {
    for (let start = 0, shard = 0; start < count; start += 65_536, shard += 1) {
      const end = Math.min(count, start + 65_536);
      const vectors = new Float32Array((end - start) * dimensions);
      for (let row = start; row < end; row += 1) copyRow(real, realCount, row, vectors, row - start, dimensions);
      await writeVectors(join(folder, `${String(shard).padStart(5, '0')}.arrow`), join(folder, 'tmp'), {
        keys: Array.from({ length: end - start }, (_, row) => sha256(String(start + row)).slice(0, 32)),
        vectors,
        dimensions,
      });
    }
  }
  const made = count > realCount ? `, the rest the same with noise` : '';
  return {
    description: `${count} vectors, ${Math.min(count, realCount)} of ${given ?? data ?? shipped}${made}`,
    files: filesOf(folder),
    count,
    dimensions,
  };
}

export function optionOf(args: readonly string[], name: string): string | null {
  const place = args.indexOf(name);
  return place < 0 ? null : (args[place + 1] ?? null);
}

/** Distinct prompts in an order drawn by their hashes: of a Parquet or JSONL file, or the questions that ship. */
export async function benchPrompts(data: string | null): Promise<string[]> {
  const prompts = new Set(data === null ? shippedQuestions() : await promptsOf(data));
  return [...prompts]
    .map((text) => ({ text, hash: sha256(text) }))
    .sort(byHash)
    .map(({ text }) => text);
}

// ---------------------------------------------------------------------------------------------------------------------

function byHash(a: { hash: string }, b: { hash: string }): number {
  return a.hash < b.hash ? -1 : 1;
}

function shippedQuestions(): string[] {
  return shippedFiles().flatMap((path) => {
    const sets = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Record<string, { question: string }[]>;
    return Object.values(sets).flatMap((items) => items.map((item) => item.question));
  });
}

function shippedFiles(): string[] {
  const root = join('data', 'samples', 'benchmarks');
  return readdirSync(root).flatMap((name) =>
    readdirSync(join(root, name))
      .filter((file) => file.endsWith('.json.gz'))
      .map((file) => join(root, name, file)),
  );
}

async function promptsOf(data: string): Promise<string[]> {
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp'), memoryMegabytes: 4_000 });
  try {
    const from = `${data.endsWith('.parquet') ? 'read_parquet' : 'read_json'}(${literal(data)})`;
    const columns = (await tables.describe(`SELECT * FROM ${from}`)).map((column) => column.name);
    const column = identifier(columns.includes('prompt') ? 'prompt' : 'question');
    const rows = await tables.rows<{ prompt: string }>(
      `SELECT DISTINCT ${column} AS prompt FROM ${from} WHERE ${column} <> ''`,
    );
    return rows.map((row) => row.prompt);
  } finally {
    tables.close();
  }
}

/** Embeds as a run does: the stage's tasks in worker threads. */
async function embedded(data: string | null): Promise<string[]> {
  const prompts = await benchPrompts(data);
  const run = new RunFolder(join(cache, 'embedded', sha256(prompts.join('\n')).slice(0, 16)));
  if (run.files('vectors', '.arrow').length > 0) return run.files('vectors', '.arrow');
  mkdirSync(run.path, { recursive: true });
  const tables = await Tables.open({ temporaryFolder: run.temporary, memoryMegabytes: 2_000 });
  const rows = await tables.writer({ source: VARCHAR, prompt: VARCHAR });
  const list = await tables.writer({ prompt_key: VARCHAR, file: VARCHAR, row: BIGINT, groups: LIST(VARCHAR) });
  for (const [row, prompt] of prompts.entries()) {
    await rows.append({ source: 'bench', prompt });
    const key = sha256(prompt).slice(0, 32);
    await list.append({ prompt_key: key, file: 'a.parquet', row: BigInt(row), groups: listValue(['bench']) });
  }
  await rows.writeTo(run.file('rows', 'a.parquet'));
  await list.writeTo(run.file('prompts', 'prompts.parquet'));
  tables.close();
  const options = embed.options.parse({ groups: ['bench'] });
  const parts = {
    folder: run.path,
    pipeline: { folder: run.path, seed: 42, compute: 'native', stages: { embed: options } },
    stage: 'embed',
    workers: 2,
    limit: null,
  } as unknown as ContextParts;
  const { makeContext } = await import('../src/pipeline/context.js');
  const effects = { progress: () => {}, warn: () => {}, signal: new AbortController().signal };
  const tasks = await embed.tasks(options, makeContext(parts, effects));
  const pool = openPool<WorkerTask, unknown>(workerFile('pipeline/worker'), 2);
  await pool.run(tasks.map((task, index) => ({ parts, task, index, channel: 'bench' })));
  await pool.close();
  return run.files('vectors', '.arrow');
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /\.(arrow|f32)$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

async function readAll(files: readonly string[], dimensions: number, count: number): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  let rows = 0;
  for (const path of files) {
    if (rows >= count) break;
    let vectors: Float32Array;
    if (path.endsWith('.f32')) {
      const bytes = readFileSync(path);
      vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    } else {
      const file = new VectorFile(path);
      vectors = new Float32Array(file.rowCount * dimensions);
      file.read(0, file.rowCount, vectors);
      file.close();
    }
    vectors = vectors.subarray(0, (count - rows) * dimensions);
    parts.push(vectors);
    rows += vectors.length / dimensions;
  }
  const all = new Float32Array(rows * dimensions);
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

function copyRow(
  real: Float32Array,
  realCount: number,
  row: number,
  into: Float32Array,
  place: number,
  dimensions: number,
): void {
  const source = (row % realCount) * dimensions;
  const target = place * dimensions;
  if (row < realCount) {
    into.set(real.subarray(source, source + dimensions), target);
    return;
  }
  let length = 0;
  for (let each = 0; each < dimensions; each += 1) {
    // A fixed wave instead of chance, 0.3 of the vector's length.
    const value =
      (real[source + each] ?? 0) + 0.3 * Math.sqrt(2 / dimensions) * Math.sin(row * 12.9898 + each * 78.233);
    into[target + each] = value;
    length += value * value;
  }
  for (let each = 0; each < dimensions; each += 1) {
    into[target + each] = (into[target + each] ?? 0) / Math.sqrt(length);
  }
}
