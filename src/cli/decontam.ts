import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import type { BenchmarkCoverage } from '../decontam/coverage.js';
import { knownBenchmarks } from '../decontam/known-benchmarks.js';
import type { RewordedInput } from '../decontam/options.js';
import { methodSpecs, presetNames } from '../decontam/presets.js';
import type { SelfTestResult } from '../decontam/self-test.js';
import { checkData, type StandAloneSummary } from '../decontam/stand-alone.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { nearestName } from '../text/nearest-name.js';
import { counted, duration, number, Output, withCommonOptions } from './output.js';
import { type StageCommandOptions, withStageOptions } from './stage-options.js';

interface DecontamCommandOptions extends StageCommandOptions {
  benchmarks?: string[];
  preset?: string[];
  textColumn?: string;
  idColumn?: string;
  traces?: boolean;
  allow?: string;
  failOnHits?: boolean;
  selfTest?: boolean;
  model?: string;
  languages?: string[];
  falseAlarms?: number;
  judge?: string;
  judgeModel?: string;
  judgeCalls?: number;
}

/** `curate decontam`: the stage with one pipeline file and no `--benchmarks`, otherwise the command for any files. */
export function addDecontam(program: Command): void {
  const command = program
    .command('decontam <data...>')
    .summary('looks for benchmark items in a pipeline, or in any file')
    .description(
      `With one pipeline.yaml and no --benchmarks: that stage, in the same run folder. Otherwise any Parquet, JSONL, JSON or CSV
file with a text column, without a pipeline: writes hits.parquet, clean/*.parquet, coverage.json and summary.json.

Benchmarks are names (${knownBenchmarks().join(', ')}) or files with "question",
and optionally "options", "item" and "bench".`,
    );
  withStageOptions(command)
    .option('--benchmarks <benchmark...>', 'names or files; needs --out')
    .option(
      '--preset <name>',
      `${presetNames.join(' or ')}; repeatable (default: ii-medical)`,
      (each, all: string[] = []) => [...all, each],
    )
    .option('--text-column <name>', 'where the texts are (default: prompt, question, problem, input, text, messages …)')
    .option('--id-column <name>', 'what names a row (default: id, else the row number)')
    .option('--traces', 'look into reasoning and answers too')
    .option('--allow <file>', 'hits that a person judged to be none')
    .option('--model <name>', 'sentence model of the preset reworded: MiniLM, or a folder')
    .option('--languages <code...>', 'languages that the model reads (default: en with MiniLM, else all)')
    .option('--false-alarms <share>', 'share of rows that are no leak and reworded may flag (default: 0.005)', Number)
    .option('--judge <url>', 'an OpenAI-compatible server that rules on what reworded is in doubt about')
    .option('--judge-model <name>', 'its model; the key is OPENAI_API_KEY')
    .option('--judge-calls <number>', 'calls that it may take at most', Number)
    .option('--self-test', 'plant leaks of every kind and say how many are found again')
    .option('--fail-on-hits', 'exit 1 where a row is flagged, for CI');
  withCommonOptions(
    command,
    `curate decontam pipeline.yaml
     curate decontam data.parquet --benchmarks medqa medmcqa --out checked
     curate decontam *.jsonl --benchmarks mine.json --preset ii-medical --preset strict --out checked --fail-on-hits`,
  ).action((data: string[], options: DecontamCommandOptions) => decontam(data, options));
}

// ---------------------------------------------------------------------------------------------------------------------

async function decontam(data: string[], options: DecontamCommandOptions): Promise<void> {
  const isPipeline = data.length === 1 && /\.ya?ml$/i.test(data[0] as string);
  if (isPipeline && options.benchmarks === undefined) {
    refuse(options, ofFiles, 'with files and --benchmarks; a pipeline says it under decontam:');
    // Loaded here: all stages with their libraries take longer to start than a small file takes to check.
    const { runStage } = await import('./stage.js');
    await runStage('decontam', data[0] as string, options);
    return;
  }
  if (options.benchmarks === undefined)
    throw new Problem('no benchmarks to look for', {
      found: data.join(' '),
      try: `--benchmarks with names (${knownBenchmarks().join(', ')}) or files`,
    });
  if (options.out === undefined) throw new Problem('no folder to write to', { try: '--out DIR' });
  refuse(options, ofStages, 'with a pipeline and without --benchmarks');
  compileLater();
  const output = new Output(options);
  const begin = performance.now();
  const { summary, coverage, selfTest, warnings } = await checkData(
    {
      data,
      benchmarks: options.benchmarks.map((name) => (knownBenchmarks().includes(name) ? name : resolveUnlessName(name))),
      specs: methodSpecs({ presets: presetsOf(options.preset) }),
      reworded: rewordedOf(options),
      out: resolve(options.out),
      textColumn: options.textColumn,
      idColumn: options.idColumn,
      traces: options.traces === true,
      allowed: options.allow === undefined ? [] : (await import('../decontam/allow.js')).readAllowed(options.allow),
      workers: options.workers ?? availableParallelism(),
      seed: 42,
      selfTest: options.selfTest === true,
    },
    { progress: progressNotes(output) },
  );
  for (const warning of warnings) output.warn(warning);
  for (const [reason, count] of Object.entries(summary.unreadable))
    output.warn(`${counted(count, 'place')} of the input could not be read as a row: ${reason}`);
  output.result({
    ...(summary as unknown as { [key: string]: Json }),
    coverage: coverage as unknown as Json,
    self_test: selfTest as unknown as Json,
    out: options.out,
  });
  output.table(
    ['benchmark', 'items', 'rows flagged', 'items not seen'],
    coverage.map((each) => [
      each.name,
      each.items,
      flaggedBy(summary, each.name),
      each.checked
        ? each.methods.map(({ method, unseen }) => `${number(unseen)} by ${method}`).join(', ')
        : 'not checked',
    ]),
  );
  output.line();
  if (options.selfTest === true) showSelfTest(output, selfTest);
  showAllowed(output, summary);
  output.line(
    `${join(options.out, 'hits.parquet')} says what was found where; ${join(options.out, 'clean')} has the rest`,
  );
  output.close(closing(summary, coverage, (performance.now() - begin) / 1000));
  if (options.failOnHits === true && summary.flagged > 0)
    throw new Problem(`${counted(summary.flagged, 'row')} flagged, and --fail-on-hits was asked for`, {
      where: join(options.out, 'hits.parquet'),
      gate: true,
    });
}

/** A set of a file may be called like what every object inherits. */
function flaggedBy({ flagged_by_benchmark: counts }: StandAloneSummary, name: string): number {
  return Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
}

const ofFiles = [
  'preset',
  'textColumn',
  'idColumn',
  'traces',
  'allow',
  'model',
  'languages',
  'falseAlarms',
  'judge',
  'judgeModel',
  'judgeCalls',
  'selfTest',
  'failOnHits',
] as const;
const ofStages = ['set', 'limit', 'frozen', 'lock'] as const;

/** An option that would have no effect is a promise that nobody keeps: --fail-on-hits and --frozen above all. */
function refuse(
  options: DecontamCommandOptions,
  names: readonly (typeof ofFiles | typeof ofStages)[number][],
  where: string,
): void {
  const given = names.filter((name) => {
    const value = options[name];
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
  if (given.length > 0) throw new Problem(`${given.map(flagOf).join(', ')} would have no effect here`, { try: where });
}

/**
 * A small file is checked in a second or two, a fifth of whose processor time V8 otherwise spends on optimising what
 * does not run long enough to pay. Long checks lose nothing: what is hot is optimised all the same.
 */
function compileLater(): void {
  // Known of these versions; another would complain about a flag that it has not.
  if (Number(process.versions.node.split('.')[0]) > 24) return;
  setFlagsFromString('--interrupt-budget=800000');
}

function closing(summary: StandAloneSummary, coverage: readonly BenchmarkCoverage[], seconds: number): string {
  const parts = [`kept ${number(summary.kept)} of ${counted(summary.rows, 'row')}`];
  for (const [method, count] of Object.entries(summary.flagged_first)) parts.push(`${number(count)} ${method}`);
  if (summary.allowed_hits > 0) parts.push(`${counted(summary.allowed_hits, 'hit')} allowed`);
  const unreadable = Object.values(summary.unreadable).reduce((sum, count) => sum + count, 0);
  if (unreadable > 0) parts.push(`${number(unreadable)} unreadable`);
  const unseen = new Map<string, number>();
  for (const each of coverage.flatMap(({ methods }) => methods))
    unseen.set(each.method, (unseen.get(each.method) ?? 0) + each.unseen);
  for (const [method, count] of unseen) if (count > 0) parts.push(`${counted(count, 'item')} out of ${method}'s sight`);
  return `${parts.join(' · ')} · ${duration(seconds)}`;
}

/** Which of a person's verdicts were honoured, and those that fit no hit any more. */
function showAllowed(output: Output, { allowed }: StandAloneSummary): void {
  const honoured = allowed.filter((verdict) => verdict.hits > 0);
  if (honoured.length > 0) {
    output.table(
      ['allowed by a person', 'item', 'method', 'first row', 'hits', 'note'],
      honoured
        .slice(0, mostAllowedShown)
        .map(({ benchmark, item, method, id, hits, note }) => [
          benchmark,
          item,
          method ?? 'any',
          id ?? '',
          hits,
          note ?? '',
        ]),
    );
    if (honoured.length > mostAllowedShown)
      output.line(`… and ${number(honoured.length - mostAllowedShown)} more in summary.json`);
    output.line();
  }
  if (honoured.length < allowed.length)
    output.note(`${counted(allowed.length - honoured.length, 'allowed hit')} of the file fit nothing that was found`);
}

const mostAllowedShown = 20;

function showSelfTest(output: Output, results: readonly SelfTestResult[]): void {
  const methods = [...new Set(results.map((each) => each.method))];
  const kinds = [...new Set(results.map((each) => each.kind))];
  output.line();
  output.table(
    ['planted leaks found again', ...methods],
    kinds.map((kind) => [
      kind,
      ...methods.map((method) => {
        const result = results.find((each) => each.kind === kind && each.method === method);
        return result === undefined || result.planted === 0 ? '–' : `${result.found} of ${result.planted}`;
      }),
    ]),
  );
}

/** What the preset `reworded` is told; the stage's own schema checks it. */
function rewordedOf(options: DecontamCommandOptions): RewordedInput | undefined {
  const { model, languages, falseAlarms, judge, judgeModel, judgeCalls } = options;
  const given = { model, languages, falseAlarms, judge, judgeModel, judgeCalls };
  const named = Object.keys(given).filter((name) => given[name as keyof typeof given] !== undefined);
  if (named.length === 0) return undefined;
  if (options.preset?.includes('reworded') !== true)
    throw new Problem(`${named.map(flagOf).join(', ')} without --preset reworded`, { try: '--preset reworded' });
  if ((judge === undefined) !== (judgeModel === undefined) || (judge === undefined && judgeCalls !== undefined))
    throw new Problem('a judge needs --judge and --judge-model', { found: named.map(flagOf).join(' ') });
  return {
    ...(model === undefined ? {} : { model }),
    ...(languages === undefined ? {} : { languages }),
    ...(falseAlarms === undefined ? {} : { false_alarms: falseAlarms }),
    ...(judge === undefined || judgeModel === undefined
      ? {}
      : {
          judge: {
            endpoint: judge,
            model: judgeModel,
            ...(judgeCalls === undefined ? {} : { budget: { calls: judgeCalls } }),
          },
        }),
  };
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function presetsOf(names: readonly string[] | undefined): (typeof presetNames)[number][] | undefined {
  return names?.map((name) => {
    const preset = presetNames.find((each) => each === name);
    if (preset !== undefined) return preset;
    const near = nearestName(name, presetNames);
    throw new Problem(`no preset "${name}"`, {
      try: near === null ? `one of ${presetNames.join(', ')}` : `did you mean ${near}?`,
    });
  });
}

/** A path as it is from here; a bare word that is no file stays a name, so that the message can say what is near. */
function resolveUnlessName(text: string): string {
  return /[/\\.]/.test(text) ? resolve(text) : text;
}

/** A line every ten seconds. */
function progressNotes(output: Output): (rows: number) => void {
  let last = performance.now();
  return (rows) => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    output.note(`decontam  ${number(rows)} rows`);
  };
}
