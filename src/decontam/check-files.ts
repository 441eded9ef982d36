import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import { type Json, sha256 } from '../store/fingerprint.js';
import { Tables, type TableWriter } from '../store/tables.js';
import { allows } from './allowed.js';
import { type Batch, batches } from './batches.js';
import { writeClean } from './clean.js';
import { coverageWarnings } from './coverage.js';
import { type DataFile, openDataFile } from './data-file.js';
import { hitColumns, hitValues } from './hit-columns.js';
import type { JudgedItems } from './item-memory.js';
import type { JudgeThreads } from './judge-threads.js';
import type { JudgedTexts } from './judge-worker.js';
import { methodName } from './method-name.js';
import { earlierResults } from './output-folder.js';
import type { RewordedHits } from './reworded/any-file.js';
import { brokenMethods } from './self-test.js';
import type { Checked, StandAloneEffects, StandAloneOptions, StandAloneSummary } from './stand-alone.js';

/** Prompts of the user's own among which leaks are planted, and leaks of each kind in every run. */
const mostHosts = 500;
const leaksPerKind = 20;

/** `checkData` with threads that run already and have the items, which the caller ends. */
export async function checkFiles(
  paths: readonly string[],
  read: JudgedItems,
  threads: JudgeThreads,
  options: StandAloneOptions,
  effects: StandAloneEffects,
): Promise<Checked> {
  const clock = stopwatch();
  const inputs = [...paths, ...read.benchmarks.flatMap(({ file }) => file ?? [])];
  const earlier = earlierResults(options.out, inputs);
  const temporaryFolder = join(options.out, '.tmp');
  const tables = await Tables.open({ temporaryFolder, memoryMegabytes: 768 });
  const output = await tables.beside();
  try {
    const files: DataFile[] = [];
    for (const path of paths) files.push(await openDataFile(path, options, tables));
    for (const path of earlier) rmSync(path, { recursive: true, force: true });
    mkdirSync(join(options.out, 'clean'), { recursive: true });
    const hosts = new Hosts();
    const methods = options.specs.map(methodName);
    const reworded = options.specs.some((spec) => spec.kind === 'reworded')
      ? await findReworded(files, read, { ...options, temporaryFolder }, tables)
      : null;
    const judging = async () => {
      const judge = async (texts: string[]) => {
        hosts.offer(texts);
        return withReworded(await threads.texts(texts), texts, reworded, methods);
      };
      const { summary, flagged, writer } = await judgeFiles(files, options, tables, output, judge, effects);
      hosts.close();
      clock.lap('judge');
      const [kept] = await Promise.all([
        writeCleanFiles(files, flagged, join(options.out, 'clean'), tables),
        writer.writeTo(join(options.out, 'hits.parquet')),
      ]);
      clock.lap('write');
      // Of a Parquet file only the columns with texts were read before: others may be broken elsewhere.
      const lost = summary.rows - summary.flagged - kept;
      if (lost > 0) summary.unreadable['unreadable Parquet'] = (summary.unreadable['unreadable Parquet'] ?? 0) + lost;
      return { ...summary, rows: summary.rows - lost, kept };
    };
    const testing = async () => {
      const planted = await threads.selfTest(await hosts.chosen, options.seed, perKindOf(options));
      return { planted, all: [...planted, ...(reworded?.selfTest ?? [])] };
    };
    const [coverage, summary, tested] = await Promise.all([threads.coverage(), judging(), testing()]);
    const broken = brokenMethods(tested.planted);
    const whole: StandAloneSummary = { ...summary, judge: reworded?.judge ?? null, seconds: clock.laps() };
    await writeJson(options.out, temporaryFolder, 'coverage.json', {
      benchmarks: coverage,
      self_test: tested.all as unknown as Json,
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
      selfTest: tested.all,
      warnings: [...coverageWarnings(coverage), ...textWarnings(whole), ...(reworded?.warnings ?? [])],
    };
  } finally {
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

type Judged = Omit<StandAloneSummary, 'kept' | 'judge' | 'seconds'>;

/** Reads, judges in threads and notes hits in the order of the input; some batches are under way at a time. */
async function judgeFiles(
  files: readonly DataFile[],
  options: StandAloneOptions,
  tables: Tables,
  output: Tables,
  judge: (texts: string[]) => Promise<JudgedTexts>,
  effects: StandAloneEffects,
): Promise<{ summary: Judged; flagged: Set<number>[]; writer: TableWriter }> {
  const methods = options.specs.map(methodName);
  const none = () => Object.fromEntries(methods.map((name) => [name, 0]));
  const summary: Judged = {
    rows: 0,
    flagged: 0,
    flagged_first: none(),
    flagged_by_method: none(),
    flagged_by_benchmark: Object.create(null),
    hits: 0,
    allowed_hits: 0,
    allowed: options.allowed.map((verdict) => ({ ...verdict, hits: 0, id: null })),
    unreadable: {},
    without_text: 0,
    files: files.map(({ path, textColumn, besideColumns, idColumn }) => ({
      file: path,
      text_column: [textColumn, ...besideColumns].join(', '),
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
      await writer.append({ id, field, ...hitValues(hit) });
      summary.hits += 1;
      // What is in doubt is reported and stays.
      if (!methods.includes(hit.method)) continue;
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
    if (underWay.length > options.workers * 8) await settle();
  }
  while (underWay.length > 0) await settle();
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
  return { summary, flagged: hitsOf.map((rows) => new Set(rows.keys())), writer };
}

/** Returns how many rows are left in all. */
async function writeCleanFiles(
  files: readonly DataFile[],
  flagged: readonly Set<number>[],
  folder: string,
  tables: Tables,
): Promise<number> {
  let kept = 0;
  for (const [index, file] of files.entries())
    kept += await writeClean(file, index, flagged[index] ?? new Set(), folder, tables);
  return kept;
}

/** A row without a text is kept, which must not look like a clean bill. */
function textWarnings({ rows, without_text: count, files }: StandAloneSummary): string[] {
  if (count === 0) return [];
  const columns = [...new Set(files.map((file) => file.text_column))].join(', ');
  const have = count === 1 ? 'has' : 'have';
  return [
    `${count} of ${rows} ${rows === 1 ? 'row' : 'rows'} ${have} no text in ${columns}: kept, and not looked into`,
  ];
}

function perKindOf({ selfTest }: StandAloneOptions): number {
  return selfTest ? 100 : leaksPerKind;
}

async function findReworded(
  files: readonly DataFile[],
  read: JudgedItems,
  options: StandAloneOptions & { temporaryFolder: string },
  tables: Tables,
): Promise<RewordedHits> {
  // Loaded here: most runs do without.
  const [{ findReworded: find }, { rewordedFlags }] = await Promise.all([
    import('./reworded/any-file.js'),
    import('./options.js'),
  ]);
  const settings = { ...options, perKind: options.selfTest ? 40 : 8 };
  return find(files, read, rewordedFlags(options.reworded ?? {}), settings, tables);
}

/** With the hits of `reworded`: those in doubt, whose method is none of the `methods`, where nothing flags the text. */
function withReworded(
  judged: JudgedTexts,
  texts: readonly string[],
  reworded: RewordedHits | null,
  methods: readonly string[],
): JudgedTexts {
  if (reworded === null) return judged;
  const flagged = new Set(judged.map((each) => each.text));
  const further = texts.flatMap((prompt, text) =>
    reworded
      .of(prompt)
      .filter((hit) => methods.includes(hit.method) || !flagged.has(text))
      .map((hit) => ({ text, hit })),
  );
  return [...judged, ...further].sort((a, b) => a.text - b.text);
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
