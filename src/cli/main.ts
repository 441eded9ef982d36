#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { Problem } from '../problem.js';
import { productVersion } from '../product.js';
import { addClusters } from './clusters.js';
import { addInit } from './init.js';
import { addModels } from './models.js';
import { describeProblem } from './output.js';
import { addPlan } from './plan.js';
import { addRun, addStages } from './stage.js';
import { addStatus } from './status.js';
import { addWorker } from './worker.js';

const program = new Command('curate')
  .description('Turn public reasoning traces into a decontaminated training set, with a reason for every row that left')
  .version(productVersion)
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showHelpAfterError('(curate --help lists the commands)');

addRun(program);
addStages(program);
addPlan(program);
addInit(program);
addModels(program);
addStatus(program);
addClusters(program);
addWorker(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof Problem) {
    process.stderr.write(`${describeProblem(error)}\n`);
    process.exitCode = error.parts.gate === true ? 1 : 2;
  } else if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(
      `this is a defect of curate ${productVersion}, please report it:\n${(error as Error).stack}\n`,
    );
    process.exitCode = 2;
  }
}
