#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { Problem } from '../problem.js';
import { productVersion } from '../product.js';
import { describeProblem } from './output.js';

const program = new Command('curate')
  .description('Turn public reasoning traces into a decontaminated training set, with a reason for every row that left')
  .version(productVersion)
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showHelpAfterError('(curate --help lists the commands)');

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
