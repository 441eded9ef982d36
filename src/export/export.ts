import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { defineStage, type StageContext, type StageReport, stageNames } from '../pipeline/stage.js';
import { writeFileAtomic } from '../store/atomic.js';
import { writeCard } from './card.js';
import { readCoverage } from './coverage.js';
import { removeOthers, writeDatasetFile } from './dataset.js';
import { type Figures, figuresAsJson, readClusters, takeFigures } from './figures.js';
import { type DatasetFile, planFiles } from './files.js';
import { createJudged } from './judged.js';
import { trainingInfo } from './llama-factory.js';
import { runName, stageFacts } from './run-facts.js';
import { readShape } from './shape.js';

const options = z.strictObject({
  /** Codec of the Parquet files. */
  compression: z.enum(['zstd', 'snappy', 'gzip', 'uncompressed']).default('zstd'),
  /** Rows of one Parquet file at most. */
  rows_per_file: z.int().min(1).max(10_000_000).default(50_000),
});
type Options = z.output<typeof options>;

/** Keeps the rows that every rule kept: the dataset with its card, and the page that says how it came about. */
export const exportStage = defineStage<Options, DatasetFile>({
  name: 'export',
  summary: 'writes the kept rows as Parquet, with a dataset card and a report page',
  version: 3,
  options,
  optionsOf: ['ingest', 'embed', 'cluster', 'classify', 'filter', 'decontam'],
  reads: ['rows', 'clusters', 'labels', 'verdicts/filter', 'verdicts/decontam'],
  joins: ['prompts', 'hits', 'coverage.json', 'quarantine'],
  writes: ['dataset', 'report.html'],
  runs: 'workers',
  inputs: async () => [],

  async tasks(options, context) {
    const tables = await openNarrow(context);
    try {
      await createJudged(tables, context.run, readShape(context.options));
      return await planFiles(tables, options.rows_per_file);
    } finally {
      tables.close();
    }
  },

  async work(task, options, context) {
    const tables = await context.openTables();
    try {
      await writeDatasetFile(tables, context.run, task, readShape(context.options), options.compression);
    } finally {
      tables.close();
    }
    return { files: [`dataset/${task.file}`], rows: task.rows };
  },

  async finish(reports, _options, context) {
    const { run } = context;
    const files = reports.flatMap((report) => report.files);
    await removeOthers(run, files, (path) => rm(path, { force: true }));
    const tables = await openNarrow(context);
    try {
      const judges = await createJudged(tables, run, readShape(context.options));
      const clusters = await readClusters(tables, context, judges);
      const figures = await takeFigures(tables, context, judges, clusters);
      const name = runName(run);
      const card = writeCard(figures, context);
      await writeFileAtomic(run.file('dataset', 'README.md'), run.temporary, card);
      const info = trainingInfo(name, files);
      await writeFileAtomic(run.file('dataset', 'dataset_info.json'), run.temporary, info);
      const { writePage } = await import('./page/page.js');
      const stages = stageNames.flatMap((stage) => {
        const facts = context.options[stage] === undefined ? null : stageFacts(run, stage);
        return facts === null ? [] : [{ ...facts, stage }];
      });
      const page = await writePage({ name, tables, context, figures, clusters, judges, stages }, readCoverage(context));
      await writeFileAtomic(run.table('report.html'), run.temporary, page);
      return stageReport(figures, files.length);
    } finally {
      tables.close();
    }
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** Narrow columns only, aggregated as integers, so that threads change nothing. */
function openNarrow(context: StageContext) {
  return context.openTables({ threads: context.workers, memoryMegabytes: 768 });
}

function stageReport(figures: Figures, files: number): StageReport {
  return {
    unit: 'rows',
    in: figures.rows,
    kept: figures.kept,
    dropped: Object.fromEntries(figures.reasons.map((each) => [each.reason, each.rows])),
    quarantined: 0,
    figures: {
      files,
      ...figuresAsJson(figures),
    },
    notes: {},
    warnings: figures.kept === 0 && figures.rows > 0 ? ['the dataset is empty: curate status shows the reasons'] : [],
  };
}
