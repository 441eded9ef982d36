import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Sample, type SampleQuestion, sampleRun } from '../pipeline/sample.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { showText } from './excerpt.js';
import { counted, number, Output, type OutputOptions, safe, withCommonOptions } from './output.js';

interface SampleOptions extends OutputOptions {
  kept?: boolean;
  dropped?: string | true;
  hits?: string | true;
  cluster?: number;
  source?: string;
  rows: number;
  seed?: number;
  full?: boolean;
}

/** `curate sample`. */
export function addSample(program: Command): void {
  const command = program
    .command('sample <run>')
    .summary('seeded rows to read: --kept, --dropped REASON, --hits BENCHMARK, --cluster N')
    .description('Shows rows of a fate, chosen by seed: the same rows every time. Conditions add up.')
    .option('--kept', 'rows that are in the dataset')
    .option('--dropped [reason]', 'rows that left under this reason; without one, all that left')
    .option('--hits [benchmark]', 'rows with a hit in this benchmark; without one, in any')
    .option('--cluster <n>', 'rows of this cluster', whole)
    .option('--source <name>', 'rows of this source')
    .option('-n, --rows <n>', 'how many', whole, 5)
    .option('--seed <n>', "another sample (default: the pipeline's seed)", whole)
    .option('--full', 'whole texts instead of their first lines');
  withCommonOptions(
    command,
    `curate sample runs/quickstart --dropped wait_count -n 3
     curate sample runs/quickstart --hits medqa --full
     curate sample runs/quickstart --kept --source general-thought --json`,
  ).action(async (folder: string, options: SampleOptions) => {
    const output = new Output(options);
    if (options.kept === true && options.dropped !== undefined) {
      throw new Problem('--kept and --dropped exclude each other', { try: 'one of them' });
    }
    const sample = await sampleRun(resolve(folder), questionOf(options));
    output.result(sample as unknown as Json);
    showSample(output, sample, options.full === true);
  });
}

function questionOf(options: SampleOptions): SampleQuestion {
  const { kept, dropped, hits, cluster, source, rows, seed } = options;
  return {
    count: rows,
    ...(kept === true ? { kept } : {}),
    ...(dropped === undefined ? {} : { dropped: dropped === true ? 'any' : dropped }),
    ...(hits === undefined ? {} : { hits: hits === true ? 'any' : hits }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(source === undefined ? {} : { source }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function showSample(output: Output, sample: Sample, full: boolean): void {
  const lines = (count: number) => (full ? Number.POSITIVE_INFINITY : count);
  for (const row of sample.rows) {
    const fate =
      row.reason === null ? output.paint('good', 'kept') : output.paint('bad', safe(`dropped: ${row.reason}`));
    output.line(`${output.paint('strong', safe(row.id))}  ${fate}`);
    showText(output, 'prompt', row.prompt, lines(4));
    if (row.reasoning !== null) showText(output, 'reasoning', row.reasoning, lines(3));
    if (row.answer !== null) showText(output, 'answer', row.answer, lines(3));
    output.line();
  }
  output.close(`${number(sample.rows.length)} of ${counted(sample.matching, 'fitting row')} · seed ${sample.seed}`);
}

function whole(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('a whole number from 0 on.');
  return count;
}
