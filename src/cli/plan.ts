import type { Command } from 'commander';
import { readPipeline, unsetVariables } from '../pipeline/config.js';
import type { Estimate } from '../pipeline/estimate.js';
import { planRun } from '../pipeline/run.js';
import { stageNamed } from '../pipeline/stages.js';
import type { Json } from '../store/fingerprint.js';
import { bytes, counted, duration, number, Output, safe, withCommonOptions } from './output.js';
import { runOptions } from './stage.js';
import { type StageCommandOptions, withStageOptions } from './stage-options.js';

/** `curate plan`. */
export function addPlan(program: Command): void {
  const command = program
    .command('plan <pipeline.yaml>')
    .summary('what would run and why, rows, memory, disk, time, LLM calls and tokens')
    .description(
      'Says for every stage whether a run would keep its result or compute it, and why, and what all of it would take from nothing. Changes and fetches nothing.',
    );
  withCommonOptions(
    withStageOptions(command),
    `curate plan pipeline.yaml
     curate plan pipeline.yaml --set filter.wait_count.at_most=30
     curate plan pipeline.yaml --json`,
  ).action(async (file: string, options: StageCommandOptions) => {
    const output = new Output(options);
    const pipeline = readPipeline(file, options.set, 'may be missing');
    const { decisions, estimate } = await planRun(pipeline, runOptions(pipeline, options));
    const running = decisions.filter((decision) => decision.state !== 'fresh');
    const unset = [...new Set(unsetVariables(pipeline.stages).map(({ name }) => name))];
    const sentence = `${counted(running.length, 'stage')} of ${decisions.length} would run · nothing was changed`;
    output.result({
      pipeline: pipeline.name,
      stages: decisions as unknown as Json,
      estimate: estimate as unknown as Json,
      unset,
      sentence,
    });
    output.table(
      ['stage', 'would', 'why'],
      decisions.map(({ stage, state, why, finishOnly }) => [
        stage,
        state === 'fresh'
          ? 'be kept'
          : state === 'waiting'
            ? 'run if its input changes'
            : finishOnly
              ? 'finish again'
              : 'run',
        why.length === 0 ? stageNamed(stage).summary : why.map(safe).join('; '),
      ]),
    );
    if (estimate !== null) showEstimate(output, estimate);
    for (const name of unset) output.warn(`a run needs the environment variable ${name}, which is not set`);
    output.line();
    output.close(sentence);
  });
}

/** What a run from nothing would take: sources, then stages, then the sums that decide whether one begins. */
function showEstimate(output: Output, estimate: Estimate): void {
  const size = (value: number | null) => (value === null ? 'unknown' : bytes(value));
  const about = ({ approximate }: { approximate: boolean }, value: number | null) =>
    approximate && value !== null && value > 0 ? `~${size(value)}` : size(value);
  output.line();
  output.table(
    ['source', 'rows', 'limit', 'to fetch', 'disk', 'known from'],
    estimate.sources.map((source) => [
      source.source,
      source.rows,
      source.limit,
      about(source, source.fetchBytes),
      about(source, source.diskBytes),
      source.basis,
    ]),
  );
  if (estimate.sources.some((source) => source.approximate))
    output.line('~ is worked out from the rows and their usual length; disk is that of the run folder');
  output.line();
  output.table(
    ['stage', 'GFLOP', 'memory', 'about'],
    estimate.stages.map(({ stage, gflop, memoryBytes, seconds }) => [
      stage,
      gflop === null ? '' : number(Math.round(gflop)),
      memoryBytes === null ? '' : bytes(memoryBytes),
      seconds === null ? 'unknown' : duration(Math.max(1, seconds)),
    ]),
  );
  output.line();
  const known = estimate.stages.map((stage) => stage.seconds).filter((seconds) => seconds !== null);
  const sizes = estimate.sources.map((source) => source.fetchBytes).filter((each) => each !== null);
  const fetchedBytes = sizes.reduce((sum, each) => sum + each, 0);
  const fetched = `${bytes(fetchedBytes)}${sizes.length < estimate.sources.length ? ' and what is unknown' : ''}`;
  const unknown = known.length < estimate.stages.length ? ' and what is unknown' : '';
  const sums: [string, string][] = [
    ['rows at most', estimate.rows === null ? 'unknown' : number(estimate.rows)],
    ['to fetch', fetched],
    ['disk', disk(estimate.diskBytes, fetchedBytes)],
    ['memory', bytes(estimate.memoryBytes)],
    [
      'time from nothing',
      `${duration(
        Math.max(
          1,
          known.reduce((sum, each) => sum + each, 0),
        ),
      )}${unknown}`,
    ],
  ];
  if (estimate.gflopRate !== null) sums.push(['this machine now', `${number(Math.round(estimate.gflopRate))} GFLOP/s`]);
  const { calls, tokens, money } = estimate;
  if (calls !== null)
    sums.push(['LLM calls', `${number(calls.expected)} (least ${number(calls.least)}, most ${number(calls.most)})`]);
  const { judge } = estimate;
  if (judge !== null) {
    const bands = judge.bands.map(({ doubt, calls: each }) => `${doubt}: ${number(each)}`).join(' · ');
    sums.push([
      'judge calls',
      `${number(judge.calls.expected)} (most ${number(judge.calls.most)}), ${number(judge.tokens.input)} tokens in`,
    ]);
    sums.push(['  by doubt', `${bands}${judge.counted ? '' : ' (estimated)'}`]);
  }
  if (tokens !== null) sums.push(['tokens', `${number(tokens.input)} in, ${number(tokens.output)} out`]);
  if (money !== null) sums.push(['money', number(money)]);
  for (const [name, value] of sums) output.line(`${name.padEnd(18)} ${value}`);
}

/** The run folder and the hub's cache. */
function disk(run: number | null, fetched: number): string {
  if (run === null) return 'unknown';
  return fetched === 0 ? bytes(run) : `${bytes(run + fetched)} (${bytes(run)} of it the run folder)`;
}
