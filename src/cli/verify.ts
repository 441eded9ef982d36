import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Rerun } from '../pipeline/rerun.js';
import { type Verification, verifyRun } from '../pipeline/verify.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { bytes, counted, duration, Output, type OutputOptions, safe, withCommonOptions } from './output.js';
import { ProgressLine } from './progress.js';

interface VerifyOptions extends OutputOptions {
  lock?: string;
  deep?: boolean;
  rerun?: boolean;
  scratch?: string;
  workers?: number;
}

const shownFindings = 50;

/** `curate verify`. */
export function addVerify(program: Command): void {
  const command = program
    .command('verify <run>')
    .summary(
      'every file against the manifest, every table against the lock; --rerun executes again elsewhere and compares',
    )
    .description(
      'Checks a run folder: a changed, missing or extra file is named, and so is a lock that does not belong to the tables. With --rerun the pipeline is run again in a temporary folder and compared table by table. Exit 1 where something differs.',
    )
    .option('--lock <file>', "another lock than the run's own")
    .option('--deep', 'also compute the content hash of every table again, from its rows')
    .option('--rerun', 'run the pipeline again elsewhere and compare')
    .option('--scratch <folder>', 'where --rerun works (default: the temporary folder of this machine)')
    .option('--workers <n>', 'cores to use (default: all)', positive);
  withCommonOptions(
    command,
    `curate verify runs/quickstart
     curate verify runs/quickstart --deep --lock published/curate.lock
     curate verify runs/quickstart --rerun --json`,
  ).action(async (folder: string, options: VerifyOptions) => {
    const output = new Output(options);
    const path = resolve(folder);
    const begin = performance.now();
    const found = await verifyRun(path, {
      ...(options.lock === undefined ? {} : { lock: resolve(options.lock) }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      deep: options.deep === true,
    });
    const seconds = (performance.now() - begin) / 1000;
    // A run folder that was changed says nothing about whether it can be made again.
    const again = options.rerun === true && found.ok ? await runAgain(path, options, output) : null;
    output.result({ ...(found as unknown as { [key: string]: Json }), rerun: again as unknown as Json });
    if (!found.ok) throw problemOf(found, folder);
    if (again !== null) showRerun(output, again);
    if (again !== null && !again.ok) throw rerunProblem(again, folder);
    output.close(closingSentence(found, again, seconds));
  });
}

async function runAgain(path: string, options: VerifyOptions, output: Output): Promise<Rerun> {
  // Loads every stage, which a mere check of hashes has no need of.
  const { rerun } = await import('../pipeline/rerun.js');
  const scratch = mkdtempSync(
    join(options.scratch === undefined ? tmpdir() : resolve(options.scratch), 'curate-rerun-'),
  );
  const line = new ProgressLine(output);
  const remove = () => rmSync(scratch, { recursive: true, force: true });
  const stop = (signal: NodeJS.Signals) => {
    line.clear();
    remove();
    process.kill(process.pid, signal);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await rerun(
      path,
      { workers: options.workers ?? availableParallelism(), scratch },
      {
        signal: new AbortController().signal,
        seconds: () => performance.now() / 1000,
        progress: (stage, progress) => line.update(stage, progress),
        warn: () => {},
        stage: (event) => {
          line.clear();
          if (event.state === 'finished') output.note(`${event.stage.padEnd(9)} again in ${duration(event.seconds)}`);
        },
        log: () => {},
      },
    );
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    line.clear();
    remove();
  }
}

function showRerun(output: Output, again: Rerun): void {
  output.table(
    ['stage', 'rerun', 'detail'],
    again.stages.map(({ stage, result, detail }) => [stage, result, detail ?? '']),
  );
  output.line();
}

function problemOf(found: Verification, folder: string): Problem {
  const shown = found.findings
    .slice(0, shownFindings)
    .map(({ kind, path, what }) => `${kind.padEnd(16)} ${path}  ${what}`);
  const more = found.findings.length - shown.length;
  return new Problem(`${counted(found.findings.length, 'finding')} in ${folder}`, {
    items: more > 0 ? [...shown, `and ${more} more (--json has all)`] : shown,
    try: 'curate run with the same pipeline and --force STAGE makes a stage again; or take the folder from where it was published',
    gate: true,
  });
}

function rerunProblem(again: Rerun, folder: string): Problem {
  const { first, why } = again;
  const place =
    first === null
      ? ''
      : `${first.file}${first.row === null ? '' : `, row ${first.row}`}${first.key === null ? '' : `, ${first.key}`}`;
  return new Problem(`the rerun of ${folder} differs, first in the stage ${first?.stage ?? ''}`, {
    where: place,
    items: [
      ...(first?.differences ?? []).map((each) => `run → rerun  ${each}`),
      ...why.map((each) => `perhaps because  ${each}`),
    ],
    gate: true,
  });
}

function closingSentence(found: Verification, again: Rerun | null, seconds: number): string {
  const parts = [`${counted(found.files, 'file')}, ${bytes(found.bytes)}, as the manifest and the lock say`];
  if (found.tablesRead > 0) parts.push(`${counted(found.tablesRead, 'table')} read again`);
  parts.push(duration(seconds));
  if (again !== null) {
    const rounded = again.stages.filter((stage) => stage.result === 'within rounding').length;
    parts.push(
      rounded === 0 ? 'the rerun is equal' : `the rerun is equal, ${counted(rounded, 'stage')} within rounding`,
    );
  }
  return safe(parts.join(' · '));
}

function positive(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return count;
}
