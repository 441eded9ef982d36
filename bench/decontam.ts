import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findBenchmarks } from '../src/decontam/benchmarks.js';
import { type Item, loadBenchmarks } from '../src/decontam/items.js';
import { Judge } from '../src/decontam/judge.js';
import { leakKinds, worstKind } from '../src/decontam/leaks.js';
import { Random } from '../src/decontam/random.js';
import { literal, Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
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

/**
 * `curate decontam` against its peers in one run: seconds on real prompts, then recall on planted leaks and false alarms
 * on real prompts that are none. `npm run bench -- decontam --data FOLDER [--rows 25960] [--leaks 200] [--rivals none]`;
 * FOLDER holds prompts.parquet (`prompt`, `source`) and medical_traces.parquet (`prompt`). Build first.
 */
export async function run(args: string[]): Promise<void> {
  const data = optionOf(args, '--data');
  if (data === null) throw new Error('--data FOLDER with prompts.parquet and medical_traces.parquet');
  const rows = Number(optionOf(args, '--rows') ?? 25_960);
  const leaksPerKind = Number(optionOf(args, '--leaks') ?? 200);
  const workers = availableParallelism();
  mkdirSync(cache, { recursive: true });
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp'), memoryMegabytes: 1_000 });
  const loaded = await loadBenchmarks(
    findBenchmarks(benchmarks, (path) => path),
    tables,
  );
  const items = loaded.flatMap((each) => each.items);
  const prompts = await samplePrompts(tables, data, rows);
  tables.close();
  const texts = JSON.parse(readFileSync(prompts.json, 'utf8')) as string[];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.log(conditions());
  console.log(
    `${texts.length.toLocaleString('en-US')} prompts (${(characters / 1e6).toFixed(1)} M characters) × ${items.length.toLocaleString('en-US')} items, ${workers} cores`,
  );
  const python = optionOf(args, '--rivals') === 'none' ? null : pythonWith('decontam', ['numpy', 'rapidfuzz==3.14.6']);
  if (python === null) console.log('no rivals: RapidFuzz cannot be had here, or --rivals none');
  speed(prompts, items, texts, characters, python, workers);
  quality(items, texts, leaksPerKind, python, workers);
}

// -- private

async function samplePrompts(tables: Tables, data: string, rows: number): Promise<{ parquet: string; json: string }> {
  const parquet = join(cache, `prompts-${rows}.parquet`);
  const json = join(cache, `prompts-${rows}.json`);
  // Long case questions first, which cost most, then prompts of all lengths.
  const from = (file: string) => `read_parquet(${literal(join(data, file))})`;
  await tables.run(
    `COPY (SELECT row_number() OVER () AS id, prompt FROM (
       (SELECT prompt FROM ${from('medical_traces.parquet')})
       UNION ALL (SELECT prompt FROM ${from('prompts.parquet')} WHERE length(prompt) > 400 ORDER BY hash(id) LIMIT ${Math.floor(rows / 5)})
       UNION ALL (SELECT prompt FROM ${from('prompts.parquet')} WHERE length(prompt) <= 400 ORDER BY hash(id) LIMIT ${rows})
     ) LIMIT ${rows}) TO ${literal(parquet)} (FORMAT parquet)`,
  );
  const texts = await tables.rows<{ prompt: string }>(`SELECT prompt FROM read_parquet(${literal(parquet)})`);
  writeFileSync(json, JSON.stringify(texts.map((row) => row.prompt)));
  return { parquet, json };
}

function speed(
  prompts: { parquet: string; json: string },
  items: readonly Item[],
  texts: readonly string[],
  characters: number,
  python: string | null,
  workers: number,
): void {
  const table: (string | number)[][] = [];
  const rivals = python === null ? {} : rivalsOn(python, prompts.json, items, workers);
  for (const [name, rival] of Object.entries(rivals))
    table.push([name, rival.seconds.toFixed(2), rival.cpu.toFixed(2), '', rival.flagged.length]);
  const cdist = rivals['RapidFuzz cdist, all pairs'];
  for (const presets of [['ii-medical'], ['strict'], ['ii-medical', 'strict']]) {
    const ours = command(prompts.parquet, presets);
    const times = cdist === undefined ? '' : `${(cdist.seconds / ours.seconds).toFixed(1)}×`;
    table.push([
      `curate decontam, ${presets.join(' + ')}`,
      ours.seconds.toFixed(2),
      ours.cpu.toFixed(2),
      times,
      ours.flagged,
    ]);
  }
  const judge = new Judge(items, [{ kind: 'ngram', size: 10 }]);
  for (const text of texts.slice(0, 2000)) judge.find(text);
  const begin = process.cpuUsage().user;
  for (const text of texts) judge.methods[0]?.find(text);
  const seconds = (process.cpuUsage().user - begin) / 1e6;
  printTable(['', 'seconds', 'CPU s', 'to cdist', 'rows flagged'], table);
  console.log(
    `the 10-gram rule alone, one thread: ${(characters / 1e6 / seconds).toFixed(0)} M characters/s of CPU time`,
  );
}

/** The whole command in a process of its own, as a person would start it. */
function command(parquet: string, presets: readonly string[]): { seconds: number; cpu: number; flagged: number } {
  const out = join(cache, 'out');
  rmSync(out, { recursive: true, force: true });
  const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
  if (!existsSync(main)) throw new Error('npm run build first');
  const begin = performance.now();
  const result = spawnSync(
    '/usr/bin/env',
    [
      'bash',
      '-c',
      `TIMEFORMAT='%U %S'; time "$@"`,
      'bash',
      process.execPath,
      main,
      'decontam',
      parquet,
      '--benchmarks',
      ...benchmarks,
      ...presets.flatMap((preset) => ['--preset', preset]),
      '--out',
      out,
      '--quiet',
    ],
    { encoding: 'utf8' },
  );
  const seconds = (performance.now() - begin) / 1000;
  if (result.status !== 0) throw new Error(result.stderr);
  const [user = 0, system = 0] = (result.stderr.trim().split('\n').pop() ?? '').split(' ').map(Number);
  const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as { flagged: number };
  return { seconds, cpu: user + system, flagged: summary.flagged };
}

function rivalsOn(python: string, json: string, items: readonly Item[], workers: number): Record<string, Rival> {
  const questions = join(cache, 'items.json');
  writeFileSync(questions, JSON.stringify([...new Set(items.map((item) => item.question))]));
  const answers = runPython<Record<string, Rival>>(python, 'decontam.py', [json, questions, '90', String(workers)]);
  return Object.fromEntries(Object.entries(answers).filter(([, answer]) => answer.error === undefined));
}

/** Planted leaks of each kind, found by each method alone; and real prompts that are no leaks, flagged by it. */
function quality(
  items: readonly Item[],
  hosts: readonly string[],
  perKind: number,
  python: string | null,
  workers: number,
): void {
  const judge = new Judge(items, [{ kind: 'ngram', size: 10 }, { kind: 'fuzzy', threshold: 90 }, { kind: 'strict' }]);
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
  writeFileSync(json, JSON.stringify(planted));
  const rivals = python === null ? {} : rivalsOn(python, json, items, workers);
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
