import { labelTables } from '../filter/filter.js';
import { type Histogram, histogramOf } from '../filter/histogram.js';
import { checkExpressions, measuredColumns, passCondition, rawColumn, valuesQuery } from '../filter/judge.js';
import { limitsInForce, percentileOf } from '../filter/limits.js';
import { boundRules, type FilterOptions } from '../filter/registry.js';
import type { BoundRule } from '../filter/rule.js';
import { traceWords } from '../filter/trace-words.js';
import { Problem } from '../problem.js';
import { canonicalJson, type Json } from '../store/fingerprint.js';
import { identifier, literal, parquet, type Tables } from '../store/tables.js';
import { changedValues } from './changed-values.js';
import {
  type AskedRun,
  askRun,
  baseRelation,
  decontamJoin,
  placeKey,
  readRows,
  seededOrder,
  withTables,
} from './fates.js';
import { readStageState } from './state.js';
import { changedOptions } from './whatif-options.js';

export interface WhatIf {
  /** Options that differ, as `wait_count.at_most 47 → 30`. */
  changes: string[];
  rows: number;
  before: Counts;
  after: Counts;
  /** By source. */
  sources: { source: string; rows: number; before: Counts; after: Counts }[];
  /** Rows that only the new options keep, and rows that only the old ones keep. */
  gained: Change;
  lost: Change;
  /** Every rule with a number for a limit, under the new options. */
  histograms: RuleHistogram[];
}

export interface Counts {
  kept: number;
  /** By the first reason that a row met, in the order in which reasons are tried. */
  dropped: Record<string, number>;
}

export interface Change {
  count: number;
  /** By the reason before (of gained rows) or after (of lost rows). */
  reasons: Record<string, number>;
  examples: { id: string; source: string; reason: string; prompt: string }[];
}

export interface RuleHistogram {
  rule: string;
  /** What passes: `<`, `<=` or `>` the limit. */
  passes: string;
  limit: number | null;
  before: number | null;
  failed: number;
  bins: Histogram;
}

/**
 * What the filter would say under other options, from the values that it wrote down: nothing is computed again and nothing
 * is changed. `set` are `filter.key.path=value` as for a run.
 */
export async function whatIf(folder: string, set: readonly string[], exampleCount = 5): Promise<WhatIf> {
  const asked = askRun(folder);
  const before = (asked.pipeline.stages.filter ?? {}) as FilterOptions;
  const after = changedOptions(before, set);
  return withTables(async (tables) => {
    const oldRules = asked.has('filter') ? boundRules(before) : [];
    const newRules = boundRules(after);
    const values = await valuesRelation(tables, asked, oldRules, newRules);
    const oldLimits = lockedLimits(asked, oldRules);
    const newLimits = await newLimitsOf(tables, asked, oldRules, newRules, oldLimits);
    const first = newRules.map(
      (rule) => `WHEN NOT (${passCondition(rule, newLimits[rule.key] ?? null)}) THEN ${literal(rule.reason)}`,
    );
    const newReason = first.length === 0 ? 'NULL::VARCHAR' : `CASE ${first.join(' ')} END`;
    const relation = `(SELECT id, source, file, row, coalesce(old_failed, hit) AS before, coalesce(${newReason}, hit) AS after
      ${numeric(newRules)
        .map((rule) => `, ${identifier(rawColumn(rule))}`)
        .join('')} FROM ${values.judged})`;
    const counts = await tables.rows<CountRow>(
      `SELECT source, before, after, count(*) AS count FROM ${relation} GROUP BY ALL ORDER BY ALL`,
    );
    await tables.run(`CREATE TEMP TABLE flipped AS SELECT id, source, file, row, before, after FROM ${relation}
      WHERE (before IS NULL) <> (after IS NULL)`);
    const order = [...newRules, ...oldRules].map((rule) => rule.reason);
    const names = [...new Set(counts.map((each) => each.source))];
    return {
      changes: changedValues(withoutOrder(before), withoutOrder(after), ''),
      rows: total(counts),
      before: countBy(counts, 'before', order),
      after: countBy(counts, 'after', order),
      sources: names.map((source) => {
        const own = counts.filter((each) => each.source === source);
        return {
          source,
          rows: total(own),
          before: countBy(own, 'before', order),
          after: countBy(own, 'after', order),
        };
      }),
      gained: await changeOf(tables, asked, counts, 'gained', exampleCount),
      lost: await changeOf(tables, asked, counts, 'lost', exampleCount),
      histograms: await histogramsOf(tables, values.measured, newRules, oldLimits, newLimits),
    };
  });
}

// ---------------------------------------------------------------------------------------------------------------------

type CountRow = { source: string; before: string | null; after: string | null; count: number };

function withoutOrder({ order: _, ...rules }: FilterOptions): Json {
  return rules as Json;
}

/**
 * `judged`: a relation with one line per row: its place, the old verdict, the hit, and every new rule's value, from the
 * verdicts where they hold it. `measured`: the cheapest relation with the values alone.
 */
async function valuesRelation(
  tables: Tables,
  asked: AskedRun,
  oldRules: readonly BoundRule[],
  newRules: readonly BoundRule[],
): Promise<{ judged: string; measured: string }> {
  const stored = newRules.filter((rule) => oldRules.some((old) => sameValue(old, rule)));
  const missing = newRules.filter((rule) => !stored.includes(rule));
  const unread = missing.find((rule) => rule.value.from === 'text');
  if (unread !== undefined) {
    throw new Problem(`${unread.key} was not measured like this in this run, and would have to read every text`, {
      try: `add it to the pipeline and type curate filter ${asked.pipeline.file}`,
    });
  }
  const derived = (await holdsMeasured(tables, asked)) ? missing.filter((rule) => rule.value.from === 'rows') : [];
  const unstored = missing.filter((rule) => !derived.includes(rule));
  const base = derived.length === 0 ? baseRelation(asked) : derivedRelation(asked, stored, derived);
  const columns = [...stored, ...derived].map((rule) => `, b.${identifier(rawColumn(rule))}`).join('');
  const added = unstored.map((rule) => `, m.${identifier(rawColumn(rule))}`).join('');
  const failed = asked.has('filter') ? 'b.first_failed' : 'NULL::VARCHAR';
  const hit = asked.has('decontam') ? 'd.first_failed' : 'NULL::VARCHAR';
  const select = `SELECT b.id, b.source, b.file, b.row, ${failed} AS old_failed, ${hit} AS hit${columns}${added}
    FROM ${base} b${decontamJoin(asked)}${await measureJoin(tables, asked, unstored)}`;
  if (unstored.length === 0 && asked.has('filter')) return { judged: `(${select})`, measured: base };
  // Asked several times below, and dear where the files of rows/ are opened.
  await tables.run(`CREATE TEMP TABLE measured AS ${select}`);
  return { judged: 'measured', measured: 'measured' };
}

/** Whether the verdicts hold the narrow columns of `rows`: those of an older version do not. */
async function holdsMeasured(tables: Tables, asked: AskedRun): Promise<boolean> {
  const [first] = asked.run.files('verdicts/filter');
  if (!asked.has('filter') || first === undefined) return false;
  const columns = await tables.describe(`SELECT * FROM ${parquet([first])}`);
  return columns.some(({ name }) => name === 'measured');
}

/** The verdicts with the values of further rules, from the columns of `rows` that they hold: rows/ stays closed. */
function derivedRelation(asked: AskedRun, stored: readonly BoundRule[], derived: readonly BoundRule[]): string {
  const kept = (rule: BoundRule) => identifier(`stored ${rawColumn(rule)}`);
  const inner = stored.map((rule) => `, ${identifier(rawColumn(rule))} AS ${kept(rule)}`).join('');
  const values = derived.map((rule) =>
    rule.value.from === 'rows' ? `, (${rule.value.sql})::${rule.type} AS ${identifier(rawColumn(rule))}` : '',
  );
  return `(SELECT id, source, file, row, first_failed
    ${stored.map((rule) => `, ${kept(rule)} AS ${identifier(rawColumn(rule))}`).join('')}${values.join('')}
    FROM (SELECT id, source, file, row, first_failed${inner}, ${measuredSelect} FROM ${baseRelation(asked)}))`;
}

const measuredSelect = measuredColumns.map((column) => `measured.${column} AS ${column}`).join(', ');

async function measureJoin(tables: Tables, asked: AskedRun, missing: readonly BoundRule[]): Promise<string> {
  if (missing.length === 0) return '';
  const labelled = missing.some((rule) => rule.value.from === 'label');
  if (labelled && !asked.has('classify')) {
    throw new Problem('filter.domain needs the stages embed, cluster and classify', {
      where: asked.run.path,
      found: 'a run without labels',
    });
  }
  const measured = valuesQuery({
    rowFiles: asked.run.files('rows'),
    rules: missing,
    expressions: await checkExpressions(tables, missing),
    labels: labelled ? labelTables({ run: asked.run, options: asked.pipeline.stages }) : null,
    texts: null,
  });
  return ` JOIN (${measured}) m ON m.file = b.file AND m.row = b.row`;
}

/** Both measure the same thing: only the threshold may differ. */
function sameValue(a: BoundRule, b: BoundRule): boolean {
  if (a.key !== b.key) return false;
  const described = (rule: BoundRule): Json =>
    rule.value.from === 'text' ? { from: 'text', name: rule.value.name } : (rule.value as Json);
  return canonicalJson(described(a)) === canonicalJson(described(b));
}

/** Limits of the run as its report has them: percentiles were computed then. */
function lockedLimits({ run, has }: AskedRun, rules: readonly BoundRule[]): Record<string, number | null> {
  const figures = has('filter') ? (readStageState(run, 'filter')?.report.figures ?? {}) : {};
  return Object.fromEntries(
    rules.flatMap((rule) => {
      if (rule.test.by !== 'limit') return [];
      const own = figures[rule.key];
      const limit = own !== null && typeof own === 'object' && !Array.isArray(own) ? own[rule.test.option] : null;
      return [[rule.key, typeof limit === 'number' ? limit : null]];
    }),
  );
}

async function newLimitsOf(
  tables: Tables,
  asked: AskedRun,
  oldRules: readonly BoundRule[],
  newRules: readonly BoundRule[],
  oldLimits: Readonly<Record<string, number | null>>,
): Promise<Record<string, number | null>> {
  const known = newRules.filter((rule) =>
    oldRules.some((old) => sameValue(old, rule) && canonicalJson(limitOf(old)) === canonicalJson(limitOf(rule))),
  );
  const limits = Object.fromEntries(known.map((rule) => [rule.key, oldLimits[rule.key] ?? null]));
  const computed = newRules.filter((rule) => !known.includes(rule));
  // With the words of each trace at hand, the verdicts know which rows have one, and rows/ may stay closed.
  const words = traceWords.bind({});
  const knowsTraces = words !== null && oldRules.some((old) => sameValue(old, words));
  const unread: BoundRule[] = [];
  for (const rule of computed) {
    const limit = rule.test.by === 'limit' ? rule.test.limit : 0;
    if (typeof limit === 'number' || !knowsTraces || !oldRules.some((old) => sameValue(old, rule))) unread.push(rule);
    else {
      const column = identifier(rawColumn(rule));
      const condition = `${identifier(rawColumn(words))} > 0`;
      limits[rule.key] = await percentileOf(tables, baseRelation(asked), column, condition, limit.percentile);
    }
  }
  const measured = unread.length > 0 && (await holdsMeasured(tables, asked));
  const relation = measured
    ? `(SELECT ${measuredSelect} FROM ${baseRelation(asked)})`
    : parquet(asked.run.files('rows'));
  return { ...limits, ...(await limitsInForce(tables, unread, relation)) };
}

function limitOf(rule: BoundRule): Json {
  return rule.test.by === 'limit' ? rule.test.limit : null;
}

function numeric(rules: readonly BoundRule[]): BoundRule[] {
  return rules.filter((rule) => rule.test.by === 'limit');
}

async function changeOf(
  tables: Tables,
  asked: AskedRun,
  counts: readonly CountRow[],
  kind: 'gained' | 'lost',
  exampleCount: number,
): Promise<Change> {
  const [keptBy, droppedBy] = kind === 'gained' ? (['after', 'before'] as const) : (['before', 'after'] as const);
  const reasons: Record<string, number> = {};
  for (const each of counts) {
    const reason = each[droppedBy];
    if (each[keptBy] === null && reason !== null) reasons[reason] = (reasons[reason] ?? 0) + each.count;
  }
  const chosen = await tables.rows<{ id: string; source: string; file: string; row: number; reason: string }>(
    `SELECT id, source, file, row, ${droppedBy} AS reason FROM flipped
     WHERE ${keptBy} IS NULL AND ${droppedBy} IS NOT NULL
     ORDER BY ${seededOrder(asked.pipeline.seed)} LIMIT ${exampleCount}`,
  );
  const texts = await readRows<{ prompt: string }>(tables, asked.run, chosen, ['prompt']);
  return {
    count: Object.values(reasons).reduce((sum, each) => sum + each, 0),
    reasons,
    examples: chosen.map(({ id, source, reason, ...place }) => ({
      id,
      source,
      reason,
      prompt: texts.get(placeKey(place))?.prompt ?? '',
    })),
  };
}

async function histogramsOf(
  tables: Tables,
  relation: string,
  rules: readonly BoundRule[],
  oldLimits: Readonly<Record<string, number | null>>,
  newLimits: Readonly<Record<string, number | null>>,
): Promise<RuleHistogram[]> {
  const histograms: RuleHistogram[] = [];
  for (const rule of numeric(rules)) {
    if (rule.test.by !== 'limit' || (rule.type !== 'INTEGER' && rule.type !== 'DOUBLE')) continue;
    const limit = newLimits[rule.key] ?? null;
    const values = await tables.rows<{ value: number; count: number; failed: number }>(
      `SELECT ${identifier(rawColumn(rule))} AS value, count(*) AS count,
        count(*) FILTER (NOT (${passCondition(rule, limit)})) AS failed FROM ${relation} GROUP BY ALL`,
    );
    histograms.push({
      rule: rule.key,
      passes: rule.test.passes,
      limit,
      before: oldLimits[rule.key] ?? null,
      failed: values.reduce((sum, each) => sum + each.failed, 0),
      bins: histogramOf(
        values.map(({ value, count }) => [value, count]),
        rule.type,
      ),
    });
  }
  return histograms;
}

function countBy(counts: readonly CountRow[], when: 'before' | 'after', order: readonly string[]): Counts {
  const dropped: Record<string, number> = {};
  const found = new Map<string, number>();
  let kept = 0;
  for (const each of counts) {
    const reason = each[when];
    if (reason === null) kept += each.count;
    else found.set(reason, (found.get(reason) ?? 0) + each.count);
  }
  for (const reason of [...order, ...found.keys()]) {
    const count = found.get(reason);
    if (count !== undefined) dropped[reason] = count;
  }
  return { kept, dropped };
}

function total(counts: readonly CountRow[]): number {
  return counts.reduce((sum, each) => sum + each.count, 0);
}
