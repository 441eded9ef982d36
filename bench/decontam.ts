import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openPool } from '../src/compute/pool.js';
import { findBenchmarks } from '../src/decontam/benchmarks.js';
import { shareItems } from '../src/decontam/item-memory.js';
import { type Item, type LoadedBenchmark, loadBenchmarks } from '../src/decontam/items.js';
import { Judge } from '../src/decontam/judge.js';
import type { JudgeTask } from '../src/decontam/judge-worker.js';
import { leakKinds, worstKind } from '../src/decontam/leaks.js';
import { Random } from '../src/decontam/random.js';
import { strictMethod } from '../src/decontam/strict.js';
import { workerFile } from '../src/product.js';
import { sha256 } from '../src/store/fingerprint.js';
import { Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
import { changed, lossyForms } from './decontam-changed.js';
import { realPrompts, scaled, writeItems, writePrompts } from './decontam-data.js';
import { wrapped } from './decontam-wrapped.js';
import { pythonWith, runPython } from './python.js';
import { optionOf } from './vectors.js';

const benchmarks = ['medmcqa', 'medqa', 'pubmedqa', 'mmlu-pro-health', 'mmlu-pro-biology', 'medxpertqa'];
const cache = join(import.meta.dirname, '.cache', 'decontam');

interface Rival {
  seconds: number;
  cpu: number;
  flagged: number[];
  error?: string;
}

/** A command in a process of its own, as a person would start it. */
interface Measured {
  seconds: number;
  cpu: number;
  megabytes: number;
  flagged: number;
}

/** Pythons of the rivals, or null where they cannot be had. */
interface Rivals {
  rapidfuzz: string | null;
  datatrove: string | null;
}

/**
 * `curate decontam` against its peers in one run: seconds, equal sets, then recall on planted leaks of each kind.
 * `npm run bench -- decontam [--data FOLDER] [--rows 25960] [--leaks 200] [--rivals none]`: without a folder
 * (medical_traces.parquet and prompts.parquet) the prompts that ship, and beyond their number the same with other words.
 * `npm run bench -- decontam --scale [--rows 2000000] [--items 12000]`: ours alone, on that many. Build first.
 */
export async function run(args: string[]): Promise<void> {
  const isScale = args.includes('--scale');
  const data = optionOf(args, '--data');
  const rows = Number(optionOf(args, '--rows') ?? (isScale ? 2_000_000 : 25_960));
  const workers = availableParallelism();
  mkdirSync(cache, { recursive: true });
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp'), memoryMegabytes: 1_000 });
  const loaded = await loadBenchmarks(
    findBenchmarks(benchmarks, (path) => path),
    tables,
  );
  const items = loaded.flatMap((each) => each.items);
  const real = await realPrompts(tables, data, Math.min(rows, 100_000));
  console.log(conditions());
  console.log(
    `${number(real.length)} prompts ${data === null ? 'that ship' : 'of --data'}, ${number(Math.max(0, rows - real.length))} with other words`,
  );
  const folder = join(cache, `prompts-${rows}-${sha256(JSON.stringify(real)).slice(0, 8)}`);
  await writePrompts(tables, scaled(real, rows, 42), folder);
  tables.close();
  if (isScale) {
    scale(folder, rows, items, Number(optionOf(args, '--items') ?? 12_000));
    return;
  }
  const texts = [...scaled(real, rows, 42)].map((text) => text.toWellFormed());
  const none = optionOf(args, '--rivals') === 'none';
  const rivals: Rivals = {
    rapidfuzz: none ? null : pythonWith('decontam', ['numpy', 'rapidfuzz']),
    datatrove: none ? null : pythonWith('datatrove', ['numpy', 'datatrove', 'regex', 'xxhash', 'spacy', 'orjson']),
  };
  for (const [name, python] of Object.entries(rivals)) if (python === null) console.log(`without ${name}`);
  await speed(folder, loaded, texts, rivals, workers);
  const perKind = Number(optionOf(args, '--leaks') ?? 200);
  await quality(items, texts, perKind, rivals, workers);
  heldOut(items, texts, Math.ceil(perKind / 2));
}

// ---------------------------------------------------------------------------------------------------------------------

async function speed(
  folder: string,
  loaded: LoadedBenchmark[],
  texts: readonly string[],
  rivals: Rivals,
  workers: number,
): Promise<void> {
  const items = loaded.flatMap((each) => each.items);
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.log(
    `${number(texts.length)} prompts (${(characters / 1e6).toFixed(1)} M characters) × ${number(items.length)} items, ${workers} cores`,
  );
  const table: (string | number)[][] = [];
  const json = join(cache, 'prompts.json');
  writeFileSync(json, JSON.stringify(texts));
  const leaks = verbatim(items, texts);
  const judged = (flagged: readonly number[]) => {
    const found = flagged.filter((row) => leaks.has(row)).length;
    return [flagged.length, `${found} of ${leaks.size}`, flagged.length - found];
  };
  const answers = rivalsOn(rivals, json, items, workers);
  for (const [name, rival] of Object.entries(answers))
    table.push([name, rival.seconds.toFixed(2), rival.cpu.toFixed(2), '', '', ...judged(rival.flagged)]);
  const cdist = answers['RapidFuzz cdist, all pairs'];
  const judge = await Judge.of(items, [
    { kind: 'ngram', size: 10 },
    { kind: 'fuzzy', threshold: 90 },
    { kind: 'strict' },
  ]);
  const flaggedBy = judge.methods.map(({ find }) => texts.flatMap((text, row) => (find(text).length > 0 ? [row] : [])));
  const [ngram = [], fuzzy = [], strict = []] = flaggedBy;
  const union = (...lists: number[][]) => [...new Set(lists.flat())].sort((a, b) => a - b);
  for (const [presets, flagged] of [
    [['ii-medical'], union(ngram, fuzzy)],
    [['strict'], strict],
    [['ii-medical', 'strict'], union(ngram, fuzzy, strict)],
  ] as const) {
    const ours = command(folder, benchmarks, presets);
    if (ours.flagged !== flagged.length) throw new Error(`the command flags ${ours.flagged}, not ${flagged.length}`);
    const times = cdist === undefined ? '' : `${(cdist.seconds / ours.seconds).toFixed(1)}×`;
    const cpu = cdist === undefined ? '' : `${(cdist.cpu / ours.cpu).toFixed(1)}×`;
    const name = `curate decontam, ${presets.join(' + ')}`;
    table.push([name, ours.seconds.toFixed(2), ours.cpu.toFixed(2), times, cpu, ...judged(flagged)]);
  }
  printTable(
    ['', 'seconds', 'CPU s', 'to cdist', 'by CPU', 'rows flagged', 'of those that hold a question', 'others flagged'],
    table,
  );
  const same = (name: string, own: readonly number[]) => {
    const other = answers[name]?.flagged;
    if (other === undefined) return;
    const differing =
      own.filter((row) => !other.includes(row)).length + other.filter((row) => !own.includes(row)).length;
    console.log(`${name} and ours disagree about ${differing} of ${number(texts.length * items.length)} pairs' rows`);
  };
  same("open-r1's 10-gram rule", ngram);
  same('RapidFuzz cdist, all pairs', fuzzy);
  await ngramSpeed(loaded, texts, workers);
}

/** The 10-gram rule at work in threads as the product runs it, texts handed over and hits handed back included. */
async function ngramSpeed(loaded: LoadedBenchmark[], texts: readonly string[], workers: number): Promise<void> {
  const items = shareItems({ benchmarks: [], loaded });
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const batches: string[][] = [];
  for (let at = 0; at < texts.length; at += 1_024) batches.push(texts.slice(at, at + 1_024));
  for (const threads of new Set([1, workers])) {
    const pool = openPool<JudgeTask, unknown>(workerFile('decontam/judge-worker'), threads);
    const pass = (times: number) =>
      pool.run(
        Array.from({ length: times }, () => batches)
          .flat()
          .map((each): JudgeTask => ({ items, specs: [{ kind: 'ngram', size: 10 }], ask: 'texts', texts: each })),
      );
    // Indexes are built and loops are compiled; then what reading goes at.
    await pass(2);
    const begin = performance.now();
    const cpu = process.cpuUsage();
    await pass(10);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    await pool.close();
    console.log(
      `the 10-gram rule on ${threads} ${threads === 1 ? 'thread' : 'threads'}: ${((10 * megabytes) / seconds).toFixed(0)} MB/s of text (${((10e6 * megabytes) / (user + system)).toFixed(0)} MB a second of processor time)`,
    );
  }
}

/** Rows that hold an item's question as it is, in whatever they wrap it; short ones say nothing. */
function verbatim(items: readonly Item[], texts: readonly string[]): Set<number> {
  const head = 40;
  const questions = new Map<string, string[]>();
  for (const { question } of items) {
    const text = question.trim();
    if (text.length < head) continue;
    const key = text.slice(0, head);
    questions.set(key, [...(questions.get(key) ?? []), text]);
  }
  const holds = (text: string) => {
    for (let at = 0; at + head <= text.length; at += 1)
      if (questions.get(text.slice(at, at + head))?.some((question) => text.startsWith(question, at))) return true;
    return false;
  };
  return new Set(texts.flatMap((text, row) => (holds(text) ? [row] : [])));
}

function scale(folder: string, rows: number, items: readonly Item[], itemCount: number): void {
  const more = Math.max(0, itemCount - items.length);
  const names = more === 0 ? benchmarks : [...benchmarks, writeItems(items, more, join(cache, 'more-items.jsonl'))];
  const ours = command(folder, names, ['ii-medical']);
  printTable(
    ['', 'seconds', 'CPU s', 'MB at most', 'rows flagged'],
    [
      [
        `${number(rows)} prompts × ${number(items.length + more)} items`,
        ours.seconds.toFixed(1),
        ours.cpu.toFixed(1),
        ours.megabytes.toFixed(0),
        ours.flagged,
      ],
    ],
  );
}

function command(data: string, names: readonly string[], presets: readonly string[]): Measured {
  const out = join(cache, 'out');
  rmSync(out, { recursive: true, force: true });
  const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
  if (!existsSync(main)) throw new Error('npm run build first');
  // Says at its end what the process took: its parent cannot ask.
  // Required, not imported: every worker thread loads it too, and an import would start the loader of modules there first.
  const says = join(cache, 'says.cjs');
  writeFileSync(
    says,
    "if (require('node:worker_threads').isMainThread) process.on('exit', () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); process._rawDebug(`took ${userCPUTime} ${systemCPUTime} ${maxRSS}`); });",
  );
  const options = ['--out', out, '--quiet', ...presets.flatMap((preset) => ['--preset', preset])];
  const begin = performance.now();
  const result = spawnSync(
    process.execPath,
    [`--require=${says}`, main, 'decontam', data, '--benchmarks', ...names, ...options],
    { encoding: 'utf8' },
  );
  const seconds = (performance.now() - begin) / 1000;
  if (result.status !== 0) throw new Error(result.stderr);
  const [user = 0, system = 0, kilobytes = 0] = (/took (.*)/.exec(result.stderr)?.[1] ?? '').split(' ').map(Number);
  const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as { flagged: number };
  return { seconds, cpu: (user + system) / 1e6, megabytes: kilobytes / 1024, flagged: summary.flagged };
}

function rivalsOn(pythons: Rivals, json: string, items: readonly Item[], workers: number): Record<string, Rival> {
  const questions = join(cache, 'items.json');
  writeFileSync(questions, JSON.stringify([...new Set(items.map((item) => item.question.toWellFormed()))]));
  const ask = (python: string | null, script: string, ...more: string[]) =>
    python === null ? {} : runPython<Record<string, Rival>>(python, script, [json, questions, ...more]);
  const answers = {
    ...ask(pythons.rapidfuzz, 'decontam.py', '90', String(workers)),
    ...ask(pythons.datatrove, 'decontam_datatrove.py'),
  };
  return Object.fromEntries(Object.entries(answers).filter(([, answer]) => answer.error === undefined));
}

/** Planted leaks of each kind, found by each method alone; and real prompts that are no leaks, flagged by it. */
async function quality(
  items: readonly Item[],
  hosts: readonly string[],
  perKind: number,
  pythons: Rivals,
  workers: number,
): Promise<void> {
  const judge = await Judge.of(items, [
    { kind: 'ngram', size: 10 },
    { kind: 'fuzzy', threshold: 90 },
    { kind: 'strict' },
  ]);
  const kinds = [...leakKinds, worstKind];
  const planted = kinds.flatMap((kind, stream) => {
    const random = new Random(20_26, stream);
    const fitting = items.filter((item) => kind.takes(item));
    return Array.from({ length: perKind }, () =>
      kind.make(random.pick(fitting), random, random.pick(hosts), [random.pick(items), random.pick(items)]),
    );
  });
  const found = judge.methods.map((method) => planted.map((text) => method.find(text).length > 0));
  const names = judge.methods.map((method) => method.name);
  const json = join(cache, 'planted.json');
  writeFileSync(json, JSON.stringify(planted.map((text) => text.toWellFormed())));
  const rivals = rivalsOn(pythons, json, items, workers);
  for (const [name, rival] of Object.entries(rivals)) {
    const flagged = new Set(rival.flagged);
    names.push(name);
    found.push(planted.map((_, index) => flagged.has(index)));
  }
  const recall = (of: readonly boolean[], start: number, end: number) =>
    (of.slice(start, end).filter(Boolean).length / (end - start)).toFixed(4);
  console.log(`\nrecall on planted leaks, ${perKind} of each kind`);
  printTable(
    ['', ...names],
    [
      ...kinds.map((kind, index) => [
        kind.name,
        ...found.map((each) => recall(each, index * perKind, (index + 1) * perKind)),
      ]),
      ['all', ...found.map((each) => recall(each, 0, planted.length))],
    ],
  );
}

/** Forms of questions that the product's own kinds do not have, and which of them `strict` misses. */
function heldOut(items: readonly Item[], hosts: readonly string[], perForm: number): void {
  const strict = strictMethod(items);
  const fitting = items.filter((_, index) => strict.limitOf?.(index) === null);
  const all = { whole: [0, 0], lossy: [0, 0] };
  const rows = Object.entries({ ...wrapped, ...changed }).flatMap(([name, make], stream) => {
    const random = new Random(31_07, stream);
    const draw = <Each>(count: number, from: readonly Each[]) => Array.from({ length: count }, () => random.pick(from));
    let found = 0;
    for (let leak = 0; leak < perForm; leak += 1) {
      const item = random.pick(fitting);
      const text = make(item, random, draw(9, fitting), draw(12, hosts));
      const isLeak = (other: Item | undefined) => other?.question === item.question || other?.stem === item.stem;
      if (strict.find(text).some((finding) => isLeak(items[finding.item]))) found += 1;
    }
    const sum = lossyForms.has(name) ? all.lossy : all.whole;
    sum[0] = (sum[0] ?? 0) + found;
    sum[1] = (sum[1] ?? 0) + perForm;
    return found === perForm
      ? []
      : [[name, lossyForms.has(name) ? 'less than whole' : 'whole', `${found} of ${perForm}`]];
  });
  console.log(`\nstrict on ${Object.keys({ ...wrapped, ...changed }).length} further forms, ${perForm} of each`);
  printTable(['missed in', 'question', 'found'], rows);
  for (const [name, [found = 0, made = 0]] of Object.entries(all))
    console.log(`${name}: ${number(found)} of ${number(made)}`);
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
