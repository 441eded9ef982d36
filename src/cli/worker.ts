import { resolve } from 'node:path';
import type { Command } from 'commander';
import { optionsOf } from '../pipeline/context.js';
import { executeTask } from '../pipeline/execute.js';
import { stageNames } from '../pipeline/stage.js';
import { stageNamed } from '../pipeline/stages.js';
import { pipelineOf, readStageState } from '../pipeline/state.js';
import { Problem } from '../problem.js';
import { RunFolder } from '../store/folder.js';
import { Output, type OutputOptions, withCommonOptions } from './output.js';

/** `curate worker`: one shard of a stage, as a Slurm array element or a Ray task runs it. Hidden from the first help screen. */
export function addWorker(program: Command): void {
  const command = program
    .command('worker <run> <stage> <task>', { hidden: true })
    .description(
      'Does one task of a stage whose tasks `curate run` (or `curate STAGE`) has written, and leaves its report there; `curate run` then finishes the stage. Tasks count from 0.',
    );
  withCommonOptions(
    command,
    `curate worker runs/ii-medical embed 12
     srun --array=0-99 curate worker runs/ii-medical embed $SLURM_ARRAY_TASK_ID`,
  ).action(async (folder: string, stageText: string, taskText: string, options: OutputOptions) => {
    const output = new Output(options);
    const run = new RunFolder(resolve(folder));
    const pipeline = pipelineOf(run);
    const name = stageNames.find((each) => each === stageText);
    if (name === undefined || pipeline.stages[name] === undefined) {
      throw new Problem(`the pipeline of this run has no stage ${stageText}`, {
        where: run.path,
        try: stageNames.join(', '),
      });
    }
    const index = Number(taskText);
    if (!Number.isInteger(index) || index < 0)
      throw new Problem(`${taskText} is no task`, { try: 'a whole number from 0 on' });
    if (readStageState(run, name) !== null) {
      output.close(`${name} is finished already · nothing was done`);
      return;
    }
    const stage = stageNamed(name);
    const parts = {
      folder: run.path,
      pipeline,
      stage: name,
      workers: 1,
      limit: null,
      optionsOf: optionsOf(stage, pipeline),
    };
    const report = await executeTask(stage, index, parts);
    output.result(report);
    output.close(`${name} task ${index} done · ${report.files.length} files`);
  });
}
