import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openPool } from '../compute/pool.js';
import { Problem } from '../problem.js';
import { workerFile } from '../product.js';
import { writeFileAtomic } from '../store/atomic.js';

import { type Json, sha256 } from '../store/fingerprint.js';
import { Tables } from '../store/tables.js';
import { type Allowed, allows } from './allow.js';
import { type Batch, batches } from './batches.js';
import { findBenchmarks } from './benchmarks.js';
import { writeClean } from './clean.js';
import { type BenchmarkCoverage, coverageWarnings } from './coverage.js';
import { type DataFile, dataPaths, openDataFile } from './data-file.js';
import { hitColumns } from './hit-columns.js';
import { shareItems } from './item-memory.js';
import { loadBenchmarks } from './items.js';
import type { JudgedTexts, JudgeTask } from './judge-worker.js';
import { type MethodSpec, methodName } from './method-name.js';
import { type BenchmarkEntry, rewordedOptions } from './options.js';
import type { RewordedHits } from './reworded/any-file.js';
import { uncertainName } from './reworded/limits.js';
import { brokenMethods, type SelfTestResult } from './self-test.js';

export interface StandAloneOptions {
  data: readonly string[];
  benchmarks: readonly BenchmarkEntry[];
  specs: MethodSpec[];
  out: string;
  textColumn?: string | undefined;
  idColumn?: string | undefined;
  traces: boolean;
  allowed: readonly Allowed[];
  workers: number;
  seed: number;
  /** More planted leaks than the few that every run plants. */
  selfTest: boolean;
}

export interface StandAloneSummary {
  rows: number;
  kept: number;
  flagged: number;
  /** Rows by the first method that flagged them, and rows that a method flags whatever the others say. */
  flagged_first: Record<string, number>;
  flagged_by_method: Record<string, number>;
  flagged_by_benchmark: Record<string, number>;
  hits: number;
  allowed_hits: number;
  /** A person's verdicts, in their order, each with the hits that it allowed and the first row of those. */
  allowed: HonouredVerdict[];
  /** Places of the input that are no row, by reason: they are neither looked into nor kept. */
  unreadable: Record<string, number>;
  files: { file: string; text_column: string; id_column: string; rows: number; flagged: number }[];
  seconds: Record<string, number>;
}

export type HonouredVerdict = Allowed & { hits: number; id: string | null };

export interface StandAloneEffects {
  progress(done: number): void;
}

const bytesPerThread = 8 << 20;

/** Prompts of the user's own among which leaks are planted, and leaks of each kind in every run. */
const mostHosts = 500;
const leaksPerKind = 20;

type Question = JudgeTask extends infer Task ? (Task extends JudgeTask ? Omit<Task, 'items' | 'specs'> : never) : never;

/** Checks any files against benchmarks and writes hits, the rows that none flagged, coverage and a summary. */
export async function checkData(
  options: StandAloneOptions,
  effects: StandAloneEffects,
): Promise<{
  summary: StandAloneSummary;
  coverage: BenchmarkCoverage[];
  selfTest: SelfTestResult[];
  warnings: string[];
}> {
  const clock = stopwatch();
  const benchmarks = findBenchmarks(options.benchmarks, (path) => path);
  const temporaryFolder = prepareFolder(options.out);
  const tables = await Tables.open({ temporaryFolder, memoryMegabytes: 768 });
  const output = await Tables.open({ temporaryFolder });
  const paths = dataPaths(options.data);
  // Threads start while the benchmarks are read.
  const pool = openPool<JudgeTask, unknown>(workerFile('decontam/judge-worker'), threadsFor(paths, options));
  try {
    const read = { benchmarks, loaded: await loadBenchmarks(benchmarks, tables) };
    const items = shareItems(read);
    const ask = async <Answer>(question: Question): Promise<Answer> => {
      const [answer] = await pool.run([{ items, specs: options.specs, ...question }]);
      return answer as Answer;
    };
    const files: DataFile[] = [];
    for (const path of paths) files.push(await openDataFile(path, options, tables));
    const hosts = new Hosts();
    const reworded = options.specs.some((spec) => spec.kind === 'reworded')
      ? await (await import('./reworded/any-file.js')).findReworded(
          files,
          read,
          rewordedOptions({}),
          { ...options, temporaryFolder },
          tables,
        )
      : null;
    const judging = async () => {
      const judge = async (texts: string[]) => {
        hosts.offer(texts);
        return withReworded(await ask<JudgedTexts>({ ask: 'texts', texts }), texts, reworded);
      };
      const judged = await judgeFiles(files, options, tables, output, judge, effects);
      hosts.close();
      return judged;
    };
    const testing = async () => {
      const perKind = options.selfTest ? 100 : leaksPerKind;
      return ask<SelfTestResult[]>({ ask: 'self-test', hosts: await hosts.chosen, seed: options.seed, perKind });
    };
    const [coverage, { summary, flagged }, tested] = await Promise.all([
      ask<BenchmarkCoverage[]>({ ask: 'coverage' }),
      judging(),
      testing(),
    ]);
    clock.lap('judge');
    const broken = brokenMethods(tested);
    let kept = 0;
    for (const [index, file] of files.entries())
      kept += await writeClean(file, index, flagged[index] ?? new Set(), join(options.out, 'clean'), tables);
    clock.lap('clean');
    const whole: StandAloneSummary = { ...summary, kept, seconds: clock.laps() };
    await writeJson(options.out, temporaryFolder, 'coverage.json', {
      benchmarks: coverage,
      self_test: tested as unknown as Json,
      ...(reworded === null ? {} : { reworded: reworded.coverage }),
    });
    await writeJson(options.out, temporaryFolder, 'summary.json', whole as unknown as Json);
    if (broken.length > 0)
      throw new Problem(`${broken.join(' and ')} did not find verbatim copies of its own benchmark items`, {
        where: join(options.out, 'coverage.json'),
        try: 'curate decontam --self-test says which kinds of leaks are found; please report it',
      });
    return {
      summary: whole,
      coverage,
      selfTest: tested,
      warnings: [
        ...coverageWarnings(coverage),
        ...(reworded === null ? [] : (await import('./reworded/conclude.js')).rewordedWarnings(reworded.coverage)),
      ],
    };
  } finally {
    await pool.close();
    output.close();
    tables.close();
    rmSync(temporaryFolder, { recursive: true, force: true });
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** As in a run folder, but that a row is named by its own id, first. */
const { prompt_key: _, id, ...columns } = hitColumns;
const rowHitColumns = { id, ...columns };

/** The first texts of the data, among which leaks are planted as soon as there are enough of them. */
class Hosts {
  readonly chosen: Promise<string[]>;
  private readonly texts: string[] = [];
  private choose: (texts: string[]) => void = () => {};

  constructor() {
    this.chosen = new Promise((resolve) => {
      this.choose = resolve;
    });
  }

  offer(texts: readonly string[]): void {
    if (this.texts.length < mostHosts) this.texts.push(...texts.slice(0, mostHosts - this.texts.length));
    if (this.texts.length === mostHosts) this.choose(this.texts);
  }

  /** There are no more. */
  close(): void {
    this.choose(this.texts);
  }
}

/** A thread builds its own indexes first: for the fast methods a second one pays from some megabytes of data on. */
function threadsFor(paths: readonly string[], { specs, workers }: StandAloneOptions): number {
  if (specs.some((spec) => spec.kind !== 'ngram' && spec.kind !== 'fuzzy')) return workers;
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return Math.max(1, Math.min(workers, Math.ceil(bytes / bytesPerThread)));
}

type Judged = Omit<StandAloneSummary, 'kept' | 'seconds'>;

/** Reads, judges in threads and writes hits in the order of the input; a few batches are under way at a time. */
async function judgeFiles(
  files: readonly DataFile[],
  options: StandAloneOptions,
  tables: Tables,
  output: Tables,
  judge: (texts: string[]) => Promise<JudgedTexts>,
  effects: StandAloneEffects,
): Promise<{ summary: Judged; flagged: Set<number>[] }> {
  const methods = options.specs.map(methodName);
  const none = () => Object.fromEntries(methods.map((name) => [name, 0]));
  const summary: Judged = {
    rows: 0,
    flagged: 0,
    flagged_first: none(),
    flagged_by_method: none(),
    flagged_by_benchmark: {},
    hits: 0,
    allowed_hits: 0,
    allowed: options.allowed.map((verdict) => ({ ...verdict, hits: 0, id: null })),
    unreadable: {},
    files: files.map(({ path, textColumn, idColumn }) => ({
      file: path,
      text_column: textColumn,
      id_column: idColumn ?? '(row number)',
      rows: 0,
      flagged: 0,
    })),
  };
  const verdictOn = allows(options.allowed);
  const writer = await output.writer(rowHitColumns);
  // Per row the methods and benchmarks that hit it.
  const hitsOf = files.map(() => new Map<number, { methods: Set<string>; benchmarks: Set<string> }>());
  const record = async (batch: Batch, judged: JudgedTexts) => {
    for (const { text, hit } of judged) {
      const { row, id, field } = batch.places[text] as Batch['places'][number];
      await writer.append({
        id,
        field,
        method: hit.method,
        benchmark: hit.benchmark,
        item: hit.item,
        score: hit.score,
        span_start: hit.start,
        span_end: hit.end,
        span_count: hit.count,
        text: hit.text,
      });
      summary.hits += 1;
      // What is in doubt is reported and stays.
      if (hit.method === uncertainName) continue;
      if (options.allowed.length > 0) {
        const verdict = verdictOn({ promptKey: sha256(batch.texts[text] as string).slice(0, 32), ...hit });
        const honoured = verdict === null ? undefined : summary.allowed[options.allowed.indexOf(verdict)];
        if (honoured !== undefined) {
          summary.allowed_hits += 1;
          honoured.hits += 1;
          honoured.id ??= id;
          continue;
        }
      }
      const rows = hitsOf[batch.file] as Map<number, { methods: Set<string>; benchmarks: Set<string> }>;
      const known = rows.get(row) ?? { methods: new Set(), benchmarks: new Set() };
      known.methods.add(hit.method);
      known.benchmarks.add(hit.benchmark);
      rows.set(row, known);
    }
    effects.progress(summary.rows);
  };
  const underWay: { batch: Batch; judged: Promise<JudgedTexts> }[] = [];
  const settle = async () => {
    const first = underWay.shift();
    if (first !== undefined) await record(first.batch, await first.judged);
  };
  for await (const batch of batches(files, options, tables, summary)) {
    underWay.push({ batch, judged: judge(batch.texts) });
    if (underWay.length > options.workers * 2) await settle();
  }
  while (underWay.length > 0) await settle();
  await writer.writeTo(join(options.out, 'hits.parquet'));
  for (const [index, rows] of hitsOf.entries()) {
    const file = summary.files[index];
    if (file !== undefined) file.flagged = rows.size;
    summary.flagged += rows.size;
    for (const { methods: found, benchmarks } of rows.values()) {
      const first = methods.find((name) => found.has(name)) as string;
      summary.flagged_first[first] = (summary.flagged_first[first] ?? 0) + 1;
      for (const name of found) summary.flagged_by_method[name] = (summary.flagged_by_method[name] ?? 0) + 1;
      for (const name of benchmarks) summary.flagged_by_benchmark[name] = (summary.flagged_by_benchmark[name] ?? 0) + 1;
    }
  }
  summary.flagged_by_benchmark = Object.fromEntries(Object.entries(summary.flagged_by_benchmark).sort());
  return { summary, flagged: hitsOf.map((rows) => new Set(rows.keys())) };
}

/** With the hits of `reworded`: those in doubt where nothing flags the text. */
function withReworded(judged: JudgedTexts, texts: readonly string[], reworded: RewordedHits | null): JudgedTexts {
  if (reworded === null) return judged;
  const flagged = new Set(judged.map((each) => each.text));
  const further = texts.flatMap((prompt, text) =>
    reworded
      .of(prompt)
      .filter((hit) => hit.method !== uncertainName || !flagged.has(text))
      .map((hit) => ({ text, hit })),
  );
  return [...judged, ...further].sort((a, b) => a.text - b.text);
}

/** An empty or new folder, or one that holds an earlier result and nothing else. */
function prepareFolder(out: string): string {
  const own = ['clean', 'hits.parquet', 'candidates.parquet', 'coverage.json', 'summary.json', '.tmp'];
  const present = existsSync(out) ? readdirSync(out) : [];
  const foreign = present.filter((name) => !own.includes(name));
  if (foreign.length > 0)
    throw new Problem('the output folder holds other files', {
      where: out,
      found: foreign.slice(0, 5).join(', '),
      try: '--out with a new folder',
    });
  for (const name of present) rmSync(join(out, name), { recursive: true, force: true });
  mkdirSync(join(out, 'clean'), { recursive: true });
  return join(out, '.tmp');
}

async function writeJson(out: string, temporary: string, name: string, value: Json): Promise<void> {
  await writeFileAtomic(join(out, name), temporary, `${JSON.stringify(value, null, 2)}\n`);
}

function stopwatch(): { lap(name: string): void; laps(): Record<string, number> } {
  const laps: Record<string, number> = {};
  let last = performance.now();
  return {
    lap(name) {
      const now = performance.now();
      laps[name] = Number(((now - last) / 1000).toFixed(3));
      last = now;
    },
    laps: () => laps,
  };
}
