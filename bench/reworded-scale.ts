import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openVectorCache } from '../src/compute/vector-cache.js';
import { ensureModel, miniLm } from '../src/compute/weights.js';
import { findBenchmarks } from '../src/decontam/benchmarks.js';
import { loadBenchmarks } from '../src/decontam/items.js';
import { Random } from '../src/decontam/random.js';
import { embeddedTexts } from '../src/decontam/reworded/finder.js';
import { windowsOf } from '../src/decontam/reworded/sentences.js';
import { sha256 } from '../src/store/fingerprint.js';
import { parquet, Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
import { realPrompts, scaled, writePrompts } from './decontam-data.js';
import { optionOf } from './vectors.js';

const cache = join(import.meta.dirname, '.cache', 'reworded-scale');
const cli = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
const segmentSize = 4_096;

/**
 * The whole stage on many prompts, vectors in the cache already: `npm run bench -- reworded-scale [--rows 100000,400000]
 * [--items 12000] [--data FOLDER]`. Vectors are drawn (unit length, around two thousand centres), so that nothing is
 * embedded; texts are real ones with words of others. Build first.
 */
export async function run(args: string[]): Promise<void> {
  const counts = (optionOf(args, '--rows') ?? '100000,400000').split(',').map(Number);
  const itemCount = Number(optionOf(args, '--items') ?? 12_000);
  const data = optionOf(args, '--data');
  const models = await ensureModel(miniLm);
  console.log(conditions());
  const rows: (string | number)[][] = [];
  for (const count of counts) {
    const folder = join(cache, String(count));
    if (process.env.KEEP === undefined) rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const env = { ...process.env, CURATE_CACHE: join(folder, 'cache'), CURATE_MODELS: models };
    await prepare(folder, count, itemCount, data);
    await measured(['ingest', join(folder, 'pipeline.yaml'), '--out', join(folder, 'run'), '--quiet'], env);
    await drawVectors(folder, env.CURATE_CACHE);
    const took = await measured(
      ['decontam', join(folder, 'pipeline.yaml'), '--out', join(folder, 'run'), '--quiet'],
      env,
    );
    rows.push([
      count,
      itemCount,
      took.wall.toFixed(0),
      took.cpu.toFixed(0),
      ((took.cpu * 1e6) / count).toFixed(0),
      took.megabytes.toFixed(0),
    ]);
    if (process.env.KEEP === undefined) rmSync(folder, { recursive: true, force: true });
  }
  printTable(['prompts', 'items', 'wall s', 'CPU s', 'µs of CPU each', 'peak MB'], rows);
}

// ---------------------------------------------------------------------------------------------------------------------

async function prepare(folder: string, count: number, itemCount: number, data: string | null): Promise<void> {
  const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
  const real = await realPrompts(tables, data, Math.min(count, 20_000));
  await writePrompts(tables, scaled(real, count, 42), join(folder, 'prompts'));
  const shipped = await loadBenchmarks(
    findBenchmarks(['medmcqa', 'medqa', 'pubmedqa', 'mmlu-pro-health', 'medxpertqa'].filter(isThere), (path) => path),
    tables,
  );
  const questions = shipped.flatMap((each) => each.items);
  const texts = [
    ...scaled(
      questions.map((item) => item.question),
      itemCount,
      7,
    ),
  ];
  const items = texts.map((question, at) => ({
    item: String(at),
    question,
    options: questions[at % questions.length]?.options ?? [],
  }));
  writeFileSync(join(folder, 'items.json'), JSON.stringify(items));
  writeFileSync(
    join(folder, 'pipeline.yaml'),
    [
      'name: scale',
      'sources: [{ path: ./prompts/*.parquet, adapter: columns, map: { prompt: prompt, answer: id }, group: mine, name: mine }]',
      'decontam: { benchmarks: [{ use: scale, path: ./items.json }], presets: [reworded] }',
      'export: {}',
    ].join('\n'),
  );
  tables.close();
}

/** For every text that the stage embeds, as ingest left it. */
async function drawVectors(folder: string, vectorFolder: string): Promise<void> {
  const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
  const own = await loadBenchmarks(
    findBenchmarks([{ path: join(folder, 'items.json'), optional: false }], (path) => path),
    tables,
  );
  process.env.CURATE_CACHE = vectorFolder;
  const vectors = await openVectorCache(miniLm, 'native');
  const random = new Random(3, 0);
  const centres = Array.from({ length: 2_000 }, () => drawn(random));
  let keys: string[] = [];
  let batch: number[] = [];
  const put = async (text: string) => {
    keys.push(sha256(text).slice(0, 32));
    const centre = random.pick(centres);
    const noise = drawn(random);
    const sum = centre.map((value, at) => value + 0.9 * (noise[at] as number));
    const length = Math.hypot(...sum);
    for (const value of sum) batch.push(value / length);
    if (keys.length < segmentSize) return;
    await vectors.add(keys, Float32Array.from(batch));
    keys = [];
    batch = [];
  };
  for (const item of own.flatMap((each) => each.items))
    for (const text of new Set([...embeddedTexts(item), ...windowsOf(item.question)])) await put(text);
  for await (const rows of tables.stream(
    `SELECT DISTINCT prompt FROM ${parquet([join(folder, 'run', 'rows', '*.parquet')])}`,
  ))
    for (const { prompt } of rows) for (const window of windowsOf(String(prompt))) await put(window);
  await vectors.add(keys, Float32Array.from(batch));
  tables.close();
}

function isThere(name: string): boolean {
  return existsSync(join(import.meta.dirname, '..', 'data', 'benchmarks', `${name}.yaml`));
}

function drawn(random: Random): number[] {
  const values = Array.from({ length: 384 }, () => random.below(2_000_001) / 1_000_000 - 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

/** Time and the most memory of a command, its threads included: from /proc, so on Linux alone. */
async function measured(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ wall: number; cpu: number; megabytes: number }> {
  const begin = performance.now();
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const most = { cpu: 0, megabytes: 0 };
  const look = () => {
    try {
      const [, , ...fields] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/\(.*\)/, 'x')
        .split(' ');
      most.cpu = (Number(fields[11]) + Number(fields[12])) / 100;
      const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      most.megabytes = Math.max(most.megabytes, Number(peak ?? 0) / 1_000);
    } catch {
      // It has ended between two looks.
    }
  };
  const watch = setInterval(look, 200);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`curate ${args[0]} ended with ${code}`);
  return { wall: (performance.now() - begin) / 1_000, ...most };
}
