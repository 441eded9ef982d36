import { resolve } from 'node:path';
import type { Command } from 'commander';
import { runTask } from '../pipeline/run.js';
import { stageNames } from '../pipeline/stage.js';
import { limitOf, pipelineOf } from '../pipeline/state.js';
import { Problem } from '../problem.js';
import { RunFolder } from '../store/folder.js';
import { counted, Output, type OutputOptions, withCommonOptions } from './output.js';

/** `curate worker`: one shard of a stage, as a Slurm array element or a Ray task runs it. Hidden from the first help screen. */
export function addWorker(program: Command): void {
  const command = program
    .command('worker <run> <stage> <task>', { hidden: true })
    .description(
      'Does one task of a stage and leaves its report in the run folder; `curate run` then finishes the stage and does what is left. The stages before it must be finished. Tasks count from 0; `count` instead of a number says how many there are.',
    );
  withCommonOptions(
    command,
    `curate worker runs/ii-medical embed count
     curate worker runs/ii-medical embed 12
     srun --array=0-99 curate worker runs/ii-medical embed $SLURM_ARRAY_TASK_ID`,
  ).action(async (folder: string, stageText: string, taskText: string, options: OutputOptions) => {
    const output = new Output(options);
    const run = new RunFolder(resolve(folder));
    const pipeline = pipelineOf(run);
    const name = stageNames.find((each) => each === stageText);
    if (name === undefined) throw new Problem(`no stage ${stageText}`, { try: stageNames.join(', ') });
    const index = taskText === 'count' ? 'count' : Number(taskText);
    if (index !== 'count' && (!Number.isInteger(index) || index < 0)) {
      throw new Problem(`${taskText} is no task`, { try: 'a whole number from 0 on, or count' });
    }
    const result = await runTask(pipeline, { out: run.path, workers: 1, limit: limitOf(run) }, name, index);
    if (typeof result === 'number') {
      output.result({ stage: name, tasks: result });
      output.close(String(result));
    } else {
      output.result(result);
      output.close(`${name} task ${index} done · ${counted(result.files.length, 'file')}`);
    }
  });
}
