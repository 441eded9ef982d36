import { basename } from 'node:path';
import { defineStage, type StageContext, type StageReport } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { identifier, parquet, type Tables } from '../store/tables.js';
import { countJudged, type FilterTaskReport, ruleFigures, sum, sumBySource } from './counts.js';
import { checkExpressions, type LabelTables, valuesQuery, verdictColumns } from './judge.js';
import { checkKeptLabels } from './label-names.js';
import { limitsInForce } from './limits.js';
import { boundRules, type FilterOptions, filterOptions } from './registry.js';
import { type BoundRule, valueColumn } from './rule.js';
import { measureTexts } from './text-values.js';

/** Row files of one task hold at least this many rows (but for the last): a fixed rule on the input. */
const taskRows = 65_536;

type FilterTask = {
  index: number;
  /** Names of files of `rows/`. */
  files: string[];
  /** The numbers in force, by rule: percentiles are computed once, before the first task. */
  limits: { [rule: string]: number | null };
};

/** Judges every row by every rule and writes verdicts and values down; text is read only for the rules that need it. */
export const filter = defineStage<FilterOptions, FilterTask>({
  name: 'filter',
  summary: 'judges every row by every rule: domain, completeness, words, "Wait" and what else the pipeline asks for',
  version: 2,
  options: filterOptions,
  reads: ['rows', 'clusters', 'labels'],
  joins: [],
  optionsOf: ['embed', 'classify'],
  writes: ['verdicts/filter'],
  runs: 'workers',

  async check(options, context) {
    const rules = boundRules(options);
    if (options.domain !== undefined && context.options.classify === undefined) {
      throw new Problem('filter.domain needs the stages embed, cluster and classify', {
        found: 'a pipeline without classify, so no row has a domain',
        try: 'add embed:, cluster: and classify:, or take filter.domain out',
      });
    }
    if (options.domain !== undefined) {
      checkKeptLabels(options.domain.keep, objectAt(context.options.classify).labels, context.resolve);
    }
    if (!rules.some((rule) => rule.value.from === 'expression')) return;
    const tables = await context.openTables();
    try {
      await checkExpressions(tables, rules);
    } finally {
      tables.close();
    }
  },

  async inputs() {
    return [];
  },

  async tasks(options, context) {
    const files = context.run.files('rows');
    if (files.length === 0) return [];
    const tables = await context.openTables({ threads: context.workers });
    try {
      const counts = await tables.rows<{ file: string; rows: number }>(
        `SELECT parse_filename(file_name) AS file, num_rows AS rows
         FROM parquet_file_metadata([${files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')}]) ORDER BY file`,
      );
      const limits = await limitsInForce(tables, boundRules(options), parquet(files));
      return cut(counts).map((names, index) => ({ index, files: names, limits }));
    } finally {
      tables.close();
    }
  },

  async work(task, options, context) {
    const rules = boundRules(options);
    const rowFiles = task.files.map((name) => context.run.file('rows', name));
    const tables = await context.openTables();
    try {
      const expressions = await checkExpressions(tables, rules);
      let done = 0;
      const texts = await measureTexts(tables, rowFiles, rules, (rowCount) => {
        context.signal.throwIfAborted();
        done += rowCount;
        context.progress({ done, total: null, unit: 'rows' });
      });
      const labels = options.domain === undefined ? null : labelTables(context);
      const values = valuesQuery({ rowFiles, rules, expressions, labels, texts });
      await createJudged(tables, values, rules, task.limits);
      await refuseUnlabelled(tables, options);
      const path = context.run.file('verdicts/filter', `${String(task.index).padStart(5, '0')}.parquet`);
      const stored = rules.flatMap((rule) => valueColumn(rule) ?? []);
      const columns = [
        'id',
        'source',
        'file',
        'row',
        'prompt_key',
        ...rules.map((rule) => rule.key),
        ...stored,
        'measured',
        'first_failed',
      ];
      await tables.copy(`SELECT ${columns.map(identifier).join(', ')} FROM judged ORDER BY file, row`, path);
      const files = [context.run.relative(path)];
      return { files, limits: task.limits, ...(await countJudged(tables, rules, rowFiles, options)) };
    } finally {
      tables.close();
    }
  },

  async finish(taskReports, options, context) {
    const reports = taskReports as FilterTaskReport[];
    const rules = boundRules(options);
    const sources = sumBySource(reports);
    const dropped: Record<string, number> = {};
    for (const rule of rules) {
      dropped[rule.reason] = sum(Object.values(sources).map((reasons) => reasons[rule.reason] ?? 0));
    }
    const rows = sum(reports.map((report) => report.rows));
    const figures: StageReport['figures'] = { sources };
    for (const rule of rules) figures[rule.key] = ruleFigures(rule, reports);
    return {
      unit: 'rows',
      in: rows,
      kept: sum(reports.map((report) => report.kept)),
      dropped,
      quarantined: 0,
      figures,
      notes: {},
      warnings: await warnings(reports, rows, dropped, options, context),
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** What the stage knows of labels from the options of the stages before it. */
export function labelTables(context: Pick<StageContext, 'run' | 'options'>): LabelTables {
  const groups = objectAt(context.options.embed).groups;
  const uncertain = objectAt(objectAt(context.options.classify).uncertain);
  return {
    assignments: [context.run.file('clusters', 'assignments.parquet')],
    labels: context.run.file('labels', 'labels.parquet'),
    groups: Array.isArray(groups) ? groups.map(String) : null,
    dropUncertain: uncertain.then === 'drop',
  };
}

function objectAt(value: Json | undefined): { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

function cut(counts: readonly { file: string; rows: number }[]): string[][] {
  const tasks: string[][] = [];
  let rows = taskRows;
  for (const each of counts) {
    if (rows >= taskRows) {
      tasks.push([]);
      rows = 0;
    }
    tasks.at(-1)?.push(basename(each.file));
    rows += each.rows;
  }
  return tasks;
}

async function createJudged(
  tables: Tables,
  values: string,
  rules: readonly BoundRule[],
  limits: FilterTask['limits'],
): Promise<void> {
  try {
    await tables.run(`CREATE TEMP TABLE measured AS ${values}`);
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const where = rules.find((rule) => rule.value.from === 'expression');
    if (where === undefined || !/^(Conversion|Invalid Input|Out of Range) Error/.test(message)) throw error;
    throw new Problem(`filter.${where.key} fails on a row`, {
      where: where.requirement(null),
      found: message,
      try: 'try_cast(… AS …) instead of a cast, which gives null (not true) where a value does not fit',
      cause: error,
    });
  }
  const stored = rules.flatMap((rule) => valueColumn(rule) ?? []);
  const columns = ['id', 'source', 'file', 'row', 'prompt_key', 'embedded', 'measured', ...stored].map(identifier);
  await tables.run(
    `CREATE TEMP TABLE judged AS SELECT ${[...columns, ...verdictColumns(rules, limits)].join(', ')} FROM measured`,
  );
}

/** A row that was to be clustered and has no label means that a stage lost it: better to stop than to keep it. */
async function refuseUnlabelled(tables: Tables, options: FilterOptions): Promise<void> {
  if (options.domain === undefined) return;
  const [first] = await tables.rows<{ id: string; count: number }>(
    'SELECT min(id) AS id, count(*) AS count FROM judged WHERE embedded AND domain_value IS NULL HAVING count(*) > 0',
  );
  if (first === undefined) return;
  throw new Problem(`${first.count} rows of embedded groups have no cluster or no label`, {
    where: `row ${first.id}`,
    try: 'run the same command with --from embed',
  });
}

async function warnings(
  reports: readonly FilterTaskReport[],
  rows: number,
  dropped: Readonly<Record<string, number>>,
  options: FilterOptions,
  context: StageContext,
): Promise<string[]> {
  const found: string[] = [];
  for (const [reason, count] of Object.entries(dropped)) {
    if (rows > 0 && count === rows) found.push(`every row was dropped as ${reason}`);
  }
  const unspacedCount = sum(reports.map((report) => report.unspacedPrompts));
  if (options.prompt_words?.words === 'literal' && unspacedCount > 0) {
    found.push(
      `${unspacedCount} rows fail prompt_words only because their script has no spaces; words: segmented counts those words`,
    );
  }
  if (options.domain !== undefined && rows > 0) {
    const tables = await context.openTables();
    try {
      const labels = await tables.rows<{ label: string }>(
        `SELECT DISTINCT label FROM ${parquet([labelTables(context).labels])} ORDER BY label`,
      );
      const known = new Set(labels.map(({ label }) => label));
      for (const each of options.domain.keep) {
        if (!known.has(each)) found.push(`filter.domain keeps ${each}, but no cluster has that label`);
      }
    } finally {
      tables.close();
    }
  }
  return found;
}
