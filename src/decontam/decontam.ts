import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { defineStage, type StageContext, type StageInput, type TaskReport } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import { canonicalJson, type Json } from '../store/fingerprint.js';
import { parquet, type Tables } from '../store/tables.js';
import { readAllowed } from './allow.js';
import { type Benchmark, findBenchmarks } from './benchmarks.js';
import { type BenchmarkCoverage, coverageOf, coverageWarnings } from './coverage.js';
import { exampleHits } from './examples.js';
import { hitColumns, hitValues } from './hit-columns.js';
import { type LoadedBenchmark, loadBenchmarks } from './items.js';
import { Judge, sightsOf } from './judge.js';
import { methodName } from './method-name.js';
import { type DecontamOptions, decontamOptions, rewordedOptions } from './options.js';
import { isReworded, methodSpecs } from './presets.js';
import { concludeReworded } from './reworded/conclude.js';
import { checkModelOf, rewordedInputs } from './reworded/inputs.js';
import { checkJudge } from './reworded/judge-doubts.js';
import { embedItems, type RewordedReport, type RewordedTask, rewordedTasks, rewordedWork } from './reworded/shards.js';
import { brokenMethods, type SelfTestResult, selfTest } from './self-test.js';
import { countPrompts, promptTexts, traceTexts } from './texts.js';
import { writeVerdicts } from './verdicts.js';

/** Prompts of one task: a fixed rule, so that neither workers nor files decide how hits are cut. */
const promptsPerTask = 16_384;

/** Prompts among which leaks are planted, and leaks of each kind: the self-test of every run. */
const mostHosts = 200;
const leaksPerKind = 20;

type DecontamTask =
  | { kind: 'methods'; index: number }
  | { kind: 'prompts'; index: number; start: number; end: number }
  | { kind: 'traces'; index: number; file: string }
  | RewordedTask;

/** Looks for benchmark items in every distinct prompt, kept or not, and says what it can and cannot see. */
export const decontam = defineStage<DecontamOptions, DecontamTask>({
  name: 'decontam',
  summary: 'looks for benchmark items in every prompt and says which items it cannot see',
  version: 5,
  options: decontamOptions,
  reads: ['rows', 'prompts'],
  joins: ['verdicts/filter'],
  writes: ['hits', 'candidates', 'candidates.parquet', 'verdicts/decontam', 'coverage.json'],
  runs: 'workers',
  finishOptions: ['allow', 'reworded.judge', 'reworded.doubt', 'reworded.false_alarms'],
  computes: isReworded,
  finishOptionsOf: (options) => (isReworded(options) && rewordedOptions(options).judge === true ? ['classify'] : []),

  async check(options, context) {
    const benchmarks = findBenchmarks(options.benchmarks, context.resolve);
    if (isReworded(options)) {
      checkJudge(rewordedOptions(options, context.resolve), context);
      await checkModelOf(rewordedOptions(options, context.resolve));
    }
    const tables = await context.openTables();
    try {
      // An empty file or a train split is refused now and not after the hours that the stages before this one take.
      await loadBenchmarks(benchmarks, tables);
    } finally {
      tables.close();
    }
    if (options.allow === undefined) return;
    const file = context.resolve(options.allow);
    if (existsSync(file)) readAllowed(file);
    else context.warn(`${basename(file)} is not there yet, so no hit is allowed; curate review RUN hits writes it`);
  },

  async inputs(options, context) {
    const inputs: StageInput[] = [];
    for (const { name, file } of findBenchmarks(options.benchmarks, context.resolve)) {
      if (file === null) continue;
      inputs.push({ kind: 'benchmark', name: `${name}/${basename(file)}`, sha256: await context.hash(file) });
    }
    const file = options.allow === undefined ? null : context.resolve(options.allow);
    if (file !== null && existsSync(file)) {
      inputs.push({ kind: 'allow', name: basename(file), sha256: await context.hash(file) });
    }
    if (isReworded(options)) inputs.push(...(await rewordedInputs(rewordedOptions(options, context.resolve), context)));
    return inputs;
  },

  async tasks(options, context) {
    const tables = await context.openTables();
    try {
      // The first task asks the methods what they can see, so that only threads hold their indexes.
      const tasks: DecontamTask[] = [{ kind: 'methods', index: 0 }];
      const count = await countPrompts(tables, context.run);
      for (let start = 0; start < count; start += promptsPerTask) {
        const end = Math.min(count, start + promptsPerTask);
        tasks.push({ kind: 'prompts', index: tasks.length, start, end });
      }
      if (options.traces)
        for (const file of context.run.files('rows'))
          tasks.push({ kind: 'traces', index: tasks.length, file: basename(file) });
      if (isReworded(options)) {
        const loaded = await loadBenchmarks(findBenchmarks(options.benchmarks, context.resolve), tables);
        const items = loaded.flatMap((each) => each.items);
        await embedItems(items, rewordedOptions(options, context.resolve), context);
        tasks.push(...rewordedTasks(count, items.length, tasks.length));
      }
      return tasks;
    } finally {
      tables.close();
    }
  },

  async work(task, options, context) {
    const tables = await context.openTables();
    // A second instance: the appender's statements would end the stream that is being read.
    const output = await context.openTables();
    try {
      const { judge, benchmarks, loaded } = await readyJudge(options, context, tables);
      if (task.kind === 'reworded' || task.kind === 'reworded-items')
        return await rewordedWork(task, loaded, rewordedOptions(options, context.resolve), context, tables, output);
      if (task.kind === 'methods') {
        const tested = selfTest(judge, await sampleHosts(tables, context), context.seed, leaksPerKind);
        refuseBroken(tested);
        return {
          files: [],
          coverage: coverageOf(benchmarks, loaded, await sightsOf(judge, methodSpecs(options))),
          self_test: tested.map((each) => ({ ...each })),
        };
      }
      const writer = await output.writer(hitColumns);
      const texts =
        task.kind === 'prompts'
          ? promptTexts(tables, context.run, task.start, task.end)
          : traceTexts(tables, context.run, task.file);
      let done = 0;
      for await (const batch of texts) {
        context.signal.throwIfAborted();
        for (const { promptKey, id, field, text } of batch)
          for (const hit of judge.find(text))
            await writer.append({ prompt_key: promptKey, field, ...hitValues(hit), id });
        done += batch.length;
        context.progress({
          done,
          total: task.kind === 'prompts' ? task.end - task.start : null,
          unit: task.kind === 'prompts' ? 'prompts' : 'traces',
        });
      }
      const path = context.run.file('hits', `${String(task.index).padStart(5, '0')}.parquet`);
      const hits = await writer.writeTo(path);
      return { files: [context.run.relative(path)], texts: done, hits };
    } finally {
      output.close();
      tables.close();
    }
  },

  async finish(reports, options, context) {
    const tables = await context.openTables({ threads: context.workers });
    try {
      const benchmarks = findBenchmarks(options.benchmarks, context.resolve);
      const { coverage: covered, self_test: planted } = reports[0] as MethodsReport;
      const methods = methodSpecs(options).map(methodName);
      const allowFile = options.allow === undefined ? null : context.resolve(options.allow);
      const allowed = allowFile === null || !existsSync(allowFile) ? [] : readAllowed(allowFile);
      const loaded = await loadBenchmarks(benchmarks, tables);
      const concluded = isReworded(options)
        ? await concludeReworded(
            reports as RewordedReport[],
            loaded,
            rewordedOptions(options, context.resolve),
            context,
          )
        : null;
      const tested = [...planted, ...(concluded?.selfTest ?? [])];
      const counts = await writeVerdicts(tables, context.run, methods, allowed);
      const reworded = concluded === null ? {} : { reworded: concluded.coverage };
      const examples = await exampleHits(tables, context, loaded);
      await writeFileAtomic(
        context.run.table('coverage.json'),
        context.run.temporary,
        `${JSON.stringify({ benchmarks: covered, self_test: tested, examples, ...reworded }, null, 2)}\n`,
      );
      const dropped = Object.values(counts.dropped).reduce((sum, each) => sum + each, 0);
      return {
        unit: 'rows',
        in: counts.rows,
        kept: counts.rows - dropped,
        dropped: counts.dropped,
        quarantined: 0,
        figures: {
          prompts: reports.reduce((sum, report) => sum + Number(report.texts ?? 0), 0),
          rows_failing: counts.failed,
          hits: await hitFigures(tables, context),
          allowed_hits: counts.allowed,
          items: covered.reduce((sum, each) => sum + each.items, 0),
          not_checked: benchmarks.filter((each) => each.file === null).map((each) => each.name),
          unseen: unseenFigures(covered),
          self_test: tested.map((each) => ({ ...each })),
          ...reworded,
        },
        notes: concluded?.notes ?? {},
        warnings: [...coverageWarnings(covered), ...(concluded?.warnings ?? [])],
      };
    } finally {
      tables.close();
    }
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** What the first task reports. */
type MethodsReport = TaskReport & { coverage: BenchmarkCoverage[]; self_test: SelfTestResult[] };

interface Ready {
  judge: Judge;
  benchmarks: Benchmark[];
  loaded: LoadedBenchmark[];
}

/** The last judge of this thread: its indexes cost about a second, and every task of a run wants the same one. */
let ready: { key: string; parts: Ready } | null = null;

async function readyJudge(options: DecontamOptions, context: StageContext, tables: Tables): Promise<Ready> {
  const benchmarks = findBenchmarks(options.benchmarks, context.resolve);
  const hashes: string[] = [];
  for (const { file } of benchmarks) hashes.push(file === null ? '' : await context.hash(file));
  const specs = methodSpecs(options);
  const key = canonicalJson([hashes, benchmarks.map((each) => ({ ...each })), specs.map(methodName)] as Json);
  if (ready?.key === key) return ready.parts;
  const loaded = await loadBenchmarks(benchmarks, tables);
  const judge = await Judge.of(
    loaded.flatMap((each) => each.items),
    specs,
  );
  ready = { key, parts: { judge, benchmarks, loaded } };
  return ready.parts;
}

/** Hits by benchmark and method: how many, in how many prompts, of how many items. */
async function hitFigures(tables: Tables, context: StageContext): Promise<Json> {
  const files = context.run.files('hits');
  if (files.length === 0) return [];
  return tables.rows(
    `SELECT benchmark, method, count(*) AS hits, count(DISTINCT prompt_key) AS prompts, count(DISTINCT item) AS items
     FROM ${parquet(files)} GROUP BY ALL ORDER BY ALL`,
  );
}

/** Prompts of the run, the same ones every time: the first of the prompts table. */
async function sampleHosts(tables: Tables, context: StageContext): Promise<string[]> {
  const count = Math.min(mostHosts, await countPrompts(tables, context.run));
  const hosts: string[] = [];
  if (count === 0) return hosts;
  for await (const batch of promptTexts(tables, context.run, 0, count)) hosts.push(...batch.map((each) => each.text));
  return hosts;
}

function refuseBroken(results: readonly SelfTestResult[]): void {
  const broken = brokenMethods(results);
  if (broken.length > 0)
    throw new Problem(`${broken.join(' and ')} did not find verbatim copies of its own benchmark items`, {
      where: 'decontam',
      try: 'curate decontam DATA --benchmarks … --self-test says which kinds of leaks are found; please report it',
    });
}

function unseenFigures(covered: readonly BenchmarkCoverage[]): { [name: string]: Json } {
  return Object.fromEntries(
    covered
      .filter((each) => each.checked)
      .map((each) => [each.name, Object.fromEntries(each.methods.map(({ method, unseen }) => [method, unseen]))]),
  );
}
