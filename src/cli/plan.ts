import type { Command } from 'commander';
import { readPipeline } from '../pipeline/config.js';
import { planRun } from '../pipeline/run.js';
import { stageNamed } from '../pipeline/stages.js';
import type { Json } from '../store/fingerprint.js';
import { counted, Output, safe, withCommonOptions } from './output.js';
import { runOptions, type StageCommandOptions, withStageOptions } from './stage.js';

/** `curate plan`. */
export function addPlan(program: Command): void {
  const command = program
    .command('plan <pipeline.yaml>')
    .summary('what would run and why, rows, memory, disk, time, LLM calls and tokens')
    .description('Says for every stage whether a run would keep its result or compute it, and why. Changes nothing.');
  withCommonOptions(
    withStageOptions(command),
    `curate plan pipeline.yaml
     curate plan pipeline.yaml --set filter.wait_count.at_most=30
     curate plan pipeline.yaml --json`,
  ).action(async (file: string, options: StageCommandOptions) => {
    const output = new Output(options);
    const pipeline = readPipeline(file, options.set);
    const decisions = await planRun(pipeline, runOptions(pipeline, options));
    const running = decisions.filter((decision) => decision.state !== 'fresh');
    const sentence = `${counted(running.length, 'stage')} of ${decisions.length} would run · nothing was changed`;
    output.result({ pipeline: pipeline.name, stages: decisions as unknown as Json, sentence });
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
    output.line();
    output.close(sentence);
  });
}
