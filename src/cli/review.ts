import { type Command, InvalidArgumentError } from 'commander';
import { Problem } from '../problem.js';
import { Output, type OutputOptions, withCommonOptions } from './output.js';
import { reviewClusters } from './review-clusters.js';
import { reviewHits } from './review-hits.js';

interface ReviewOptions extends OutputOptions {
  top: number;
  id?: number;
  label?: string;
  benchmark?: string;
  method?: string;
}

/** `curate review`. */
export function addReview(program: Command): void {
  const command = program
    .command('review <run> <what>')
    .summary("a person's verdict on the least certain, kept in a file beside the pipeline")
    .description(
      'Shows clusters whose label is least certain, or hits that are most likely to be none, and takes a verdict on each. Verdicts are written at once to the file that the pipeline names (classify.overrides, decontam.allow); curate run then takes them over.',
    )
    .option('--top <n>', 'how many to show', whole, 20)
    .option('--id <cluster>', 'clusters: this one alone', whole)
    .option('--label <label>', 'clusters: the verdict on --id, without asking')
    .option('--benchmark <name>', 'hits: of this benchmark alone')
    .option('--method <name>', 'hits: of this method alone');
  withCommonOptions(
    command,
    `curate review runs/quickstart clusters
     curate review runs/quickstart clusters --id 17 --label Medical
     curate review runs/quickstart hits --benchmark medqa --top 50`,
  ).action(async (folder: string, what: string, { top, id, label, benchmark, method, ...options }: ReviewOptions) => {
    const output = new Output(options);
    if (what === 'clusters') {
      await reviewClusters(folder, output, {
        top,
        ...(id === undefined ? {} : { id }),
        ...(label === undefined ? {} : { label }),
      });
    } else if (what === 'hits') {
      await reviewHits(folder, output, {
        top,
        ...(benchmark === undefined ? {} : { benchmark }),
        ...(method === undefined ? {} : { method }),
      });
    } else
      throw new Problem(`nothing to review called ${what}`, {
        try: 'curate review RUN clusters, or curate review RUN hits',
      });
  });
}

function whole(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('a whole number.');
  return count;
}
