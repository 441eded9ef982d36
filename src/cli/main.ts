#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { Problem } from '../problem.js';
import { productVersion } from '../product.js';
import { describeProblem } from './output.js';

type AddCommand = (program: Command) => void;

/** Every command in the order of the help. A command's module is loaded only when it is typed, so that all start fast. */
const commands: Record<string, () => Promise<AddCommand>> = {
  run: async () => (await import('./stage.js')).addRun,
  ingest: async () => (await import('./stage.js')).addStage('ingest'),
  embed: async () => (await import('./stage.js')).addStage('embed'),
  cluster: async () => (await import('./stage.js')).addStage('cluster'),
  classify: async () => (await import('./stage.js')).addStage('classify'),
  filter: async () => (await import('./stage.js')).addStage('filter'),
  decontam: async () => (await import('./decontam.js')).addDecontam,
  export: async () => (await import('./stage.js')).addStage('export'),
  plan: async () => (await import('./plan.js')).addPlan,
  init: async () => (await import('./init.js')).addInit,
  inspect: async () => (await import('./inspect.js')).addInspect,
  models: async () => (await import('./models.js')).addModels,
  status: async () => (await import('./status.js')).addStatus,
  explain: async () => (await import('./explain.js')).addExplain,
  sample: async () => (await import('./sample.js')).addSample,
  clusters: async () => (await import('./clusters.js')).addClusters,
  review: async () => (await import('./review.js')).addReview,
  whatif: async () => (await import('./whatif.js')).addWhatif,
  diff: async () => (await import('./diff.js')).addDiff,
  verify: async () => (await import('./verify.js')).addVerify,
  worker: async () => (await import('./worker.js')).addWorker,
};

const program = new Command('curate')
  .description('Turn public reasoning traces into a decontaminated training set, with a reason for every row that left')
  .version(productVersion)
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showHelpAfterError('(curate --help lists the commands)');

// A reader that has seen enough (`curate sample … | head`) closes the pipe; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  const typed = commands[process.argv[2] ?? ''];
  for (const load of typed === undefined ? Object.values(commands) : [typed]) (await load())(program);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { machineProblem } = await import('../pipeline/machine-problem.js');
    const known = machineProblem(error, (error as NodeJS.ErrnoException).path ?? process.cwd());
    process.stderr.write(
      known instanceof Problem
        ? `${describeProblem(known)}\n`
        : `this is a defect of curate ${productVersion}, please report it:\n${(error as Error).stack}\n`,
    );
    process.exitCode = known instanceof Problem && known.parts.gate === true ? 1 : 2;
  }
}
