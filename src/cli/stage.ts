import { appendFileSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { closingSentence } from '../pipeline/account.js';
import { type Pipeline, readPipeline } from '../pipeline/config.js';
import { type RunEffects, type RunOptions, type RunResult, run } from '../pipeline/run.js';
import { type StageName, stageNames } from '../pipeline/stage.js';
import { stageNamed } from '../pipeline/stages.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { showRun } from './closing-report.js';
import { duration, Output, withCommonOptions } from './output.js';
import { ProgressLine } from './progress.js';
import { type StageCommandOptions, withStageOptions } from './stage-options.js';

/** `curate run`. */
export function addRun(program: Command): void {
  const command = program
    .command('run <pipeline.yaml>')
    .summary('all stages; resumes what is unfinished, recomputes only what is stale')
    .description(
      'Runs every stage of a pipeline. What an earlier run finished and nothing changed since stands as it is; an interrupted or killed run goes on where it stopped.',
    );
  withStageOptions(command)
    .option('--from <stage>', 'begin there; the stages before must be finished', stageName)
    .option('--to <stage>', 'end there', stageName)
    .option('--force <stage>', 'run that stage although nothing changed', stageName);
  withCommonOptions(
    command,
    `curate run pipeline.yaml
     curate run pipeline.yaml --limit 1000 --out runs/try
     curate run pipeline.yaml --set filter.wait_count.at_most=30
     curate run pipeline.yaml --frozen --lock curate.lock`,
  ).action((file: string, options: StageCommandOptions) => runPipeline(file, options));
}

/** The command of one stage: that stage alone, in the same run folder. */
export function addStage(name: StageName): (program: Command) => void {
  return (program) => {
    const { summary } = stageNamed(name);
    const command = program.command(`${name} <pipeline.yaml>`).summary(summary).description(`${summary}.`);
    withCommonOptions(
      withStageOptions(command),
      `curate ${name} pipeline.yaml
       curate ${name} pipeline.yaml --out runs/try --workers 2`,
    ).action((file: string, options: StageCommandOptions) => runStage(name, file, options));
  };
}

/** One stage of a pipeline; the stages before it must be finished. */
export async function runStage(stage: StageName, file: string, options: StageCommandOptions): Promise<void> {
  await runPipeline(file, { ...options, from: stage, to: stage });
}

/** What a command line says about a run, with every default filled in. */
export function runOptions(pipeline: Pipeline, options: StageCommandOptions): RunOptions {
  const out = resolve(options.out ?? join('runs', pipeline.name));
  const frozen = options.frozen === true ? resolve(options.lock ?? new RunFolder(out).lock) : undefined;
  return {
    out,
    workers: options.workers ?? availableParallelism(),
    limit: options.limit ?? null,
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(options.force === undefined ? {} : { force: options.force }),
    ...(frozen === undefined ? {} : { frozen }),
  };
}

async function runPipeline(file: string, options: StageCommandOptions): Promise<void> {
  const output = new Output(options);
  const pipeline = readPipeline(file, options.set);
  for (const name of [options.from, options.to, options.force]) {
    if (name !== undefined && pipeline.stages[name] === undefined) {
      throw new Problem(`the pipeline has no stage ${name}`, { where: file, try: `add the key ${name}: to it` });
    }
  }
  const settings = runOptions(pipeline, options);
  const line = new ProgressLine(output);
  const begin = performance.now();
  const stop = stopOnInterrupt(line, output, settings.out);
  let result: RunResult;
  try {
    result = await run(pipeline, settings, effectsFor(output, line, settings.out, stop.signal));
  } finally {
    line.clear();
    stop.release();
  }
  output.result(resultJson(result));
  showRun(output, pipeline, result, (performance.now() - begin) / 1000);
  output.close(closingSentence(result.account));
}

function effectsFor(output: Output, line: ProgressLine, folder: string, signal: AbortSignal): RunEffects {
  const log = new RunFolder(folder).log;
  return {
    signal,
    seconds: () => performance.now() / 1000,
    progress: (stage, progress) => line.update(stage, progress),
    warn: (stage, sentence) => {
      line.clear();
      output.warn(stage === null ? sentence : `${stage}: ${sentence}`);
    },
    stage: (event) => {
      line.clear();
      const known = event.why.filter((each) => each !== 'not finished yet');
      const why = known.length === 0 ? '' : ` (${known.slice(0, 3).join('; ')}${known.length > 3 ? '; …' : ''})`;
      if (event.state === 'started') output.note(`${event.stage.padEnd(9)} ${stageNamed(event.stage).summary}${why}`);
      if (event.state === 'finished') output.note(`${event.stage.padEnd(9)} done in ${duration(event.seconds)}`);
      if (event.state === 'fresh') output.note(`${event.stage.padEnd(9)} nothing changed, kept as it is`);
    },
    log: (event) => {
      mkdirSync(folder, { recursive: true });
      appendFileSync(log, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
    },
  };
}

/**
 * On Ctrl-C every finished task is already on disk, so the process may end at once; it ends by the signal itself (exit
 * 130), because leaving through process.exit while a native session computes aborts with a core dump.
 */
function stopOnInterrupt(line: ProgressLine, output: Output, folder: string): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    line.clear();
    output.note(`interrupted; what is finished is kept in ${folder}, the same command goes on`);
    release();
    process.kill(process.pid, name);
  };
  const onInterrupt = () => stop('SIGINT');
  const onTerminate = () => stop('SIGTERM');
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onTerminate);
  function release(): void {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
  return { signal: controller.signal, release };
}

function resultJson(result: RunResult): Json {
  const { decontam: _, ...account } = result.account;
  return {
    folder: result.folder,
    ...account,
    sentence: closingSentence(result.account),
    stages: result.stages as unknown as Json,
    warnings: result.warnings,
  };
}

function stageName(value: string): StageName {
  const name = stageNames.find((each) => each === value);
  if (name === undefined) throw new InvalidArgumentError(`one of ${stageNames.join(', ')}.`);
  return name;
}
