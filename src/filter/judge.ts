import { checkExpression } from '../store/expression.js';
import { identifier, literal, parquet, type Tables } from '../store/tables.js';
import { noLabel, uncertainSuffix } from './domain.js';
import { rowColumns } from './row-columns.js';
import { type BoundRule, valueColumn } from './rule.js';

/** Where the label of a row's cluster is found. */
export interface LabelTables {
  assignments: string[];
  labels: string;
  /** Groups that were embedded; null: all. */
  groups: readonly string[] | null;
  /** `classify.uncertain.then` is `drop`. */
  dropUncertain: boolean;
}

/**
 * The narrow columns of `rows` that rules are judged by. The verdicts hold them too, as one STRUCT `measured`, so that a
 * rule that is added or counts otherwise needs neither the filter nor the files of `rows/`.
 */
export const measuredColumns = [
  'complete',
  'language',
  'license',
  'prompt_words',
  'prompt_words_segmented',
  'reasoning_words',
  'reasoning_words_segmented',
  'answer_words',
  'answer_words_segmented',
  'reasoning_waits',
  'answer_waits',
] as const;

export interface ValuesQuery {
  rowFiles: readonly string[];
  rules: readonly BoundRule[];
  /** SQL of each `expression` rule, by key, as `checkExpressions` gives it. */
  expressions: ReadonlyMap<string, string>;
  labels: LabelTables | null;
  /** A table `file, row, <value of each text rule>`, where there are text rules. */
  texts: string | null;
}

/** SQL of every `expression` rule, checked. */
export async function checkExpressions(tables: Tables, rules: readonly BoundRule[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { key, value } of rules) {
    if (value.from !== 'expression') continue;
    const { sql } = await checkExpression(tables, value.expression, rowColumns, `filter.${key}`);
    found.set(key, sql);
  }
  return found;
}

/** The name of the column that holds a rule's value before it is judged. */
export function rawColumn(rule: BoundRule): string {
  return valueColumn(rule) ?? rule.key;
}

/**
 * A query with one row per row of `rows`: `id, source, file, row, embedded, measured` and the value of every rule, not in order.
 * Expressions are evaluated below the join with the labels, so that no text ever lies in a join's table; and the join is
 * one equality, as a condition beside it makes DuckDB compare all rows with all (65,536 × 500,000: 162 s, not 0.4 s).
 */
export function valuesQuery(query: ValuesQuery): string {
  const { rules, labels, texts } = query;
  const own = rules.flatMap((rule) => {
    const sql =
      rule.value.from === 'rows'
        ? rule.value.sql
        : rule.value.from === 'expression'
          ? `coalesce(${query.expressions.get(rule.key) ?? 'false'}, false)`
          : null;
    return sql === null ? [] : [`(${sql})::${rule.type} AS ${identifier(rawColumn(rule))}`];
  });
  const groups = labels?.groups ?? null;
  const embedded =
    labels === null
      ? 'false'
      : groups === null
        ? 'true'
        : `coalesce("group" IN (${[...groups, ''].map(literal).join(', ')}), false)`;
  const rowsSelect = `SELECT id, source, parse_filename(filename) AS file, file_row_number AS row, prompt_key,
    struct_pack(${measuredColumns.map((column) => `${column} := ${column}`).join(', ')}) AS measured,
    ${embedded} AS embedded, CASE WHEN ${embedded} THEN prompt_key END AS label_key${own.map((each) => `, ${each}`).join('')}
    FROM ${parquet(query.rowFiles, 'file_row_number = true, filename = true')}`;
  const outer = rules.map((rule) => {
    const column = identifier(rawColumn(rule));
    if (rule.value.from === 'label') {
      return `CASE WHEN r.embedded THEN coalesce(l.label, CASE WHEN r.prompt_key IS NULL THEN '' END) END AS ${column}`;
    }
    return rule.value.from === 'text' ? `t.${column}` : `r.${column}`;
  });
  const joins =
    (labels === null ? '' : ` LEFT JOIN (${labelsQuery(labels)}) l ON l.prompt_key = r.label_key`) +
    (texts === null ? '' : ` LEFT JOIN ${texts} t ON t.file = r.file AND t.row = r.row`);
  const columns = ['r.id', 'r.source', 'r.file', 'r.row', 'r.prompt_key', 'r.embedded', 'r.measured', ...outer];
  return `SELECT ${columns.join(', ')} FROM (${rowsSelect}) r${joins}`;
}

/**
 * The verdict of each rule over a relation that holds the values: a BOOLEAN per rule and `first_failed`. `limits` are the
 * numbers in force of the rules that have one.
 */
export function verdictColumns(rules: readonly BoundRule[], limits: Readonly<Record<string, number | null>>): string[] {
  const passes = rules.map((rule) => passCondition(rule, limits[rule.key] ?? null));
  const first = rules.map((rule, index) => `WHEN NOT (${passes[index]}) THEN ${literal(rule.reason)}`);
  return [
    ...rules.map((rule, index) => `(${passes[index]}) AS ${identifier(rule.key)}`),
    `${first.length === 0 ? 'NULL' : `CASE ${first.join(' ')} END`}::VARCHAR AS first_failed`,
  ];
}

/** An SQL condition, never null, that holds where the rule's value passes. Without a limit everything passes. */
export function passCondition(rule: BoundRule, limit: number | null): string {
  const column = identifier(rawColumn(rule));
  if (rule.test.by === 'condition') return rule.test.sql(column);
  return limit === null ? 'true' : `${column} ${rule.test.passes} ${limit}`;
}

function labelsQuery(labels: LabelTables): string {
  const given = `coalesce(label, ${literal(noLabel)})`;
  const label = labels.dropUncertain
    ? `CASE WHEN uncertain THEN ${given} || ${literal(uncertainSuffix)} ELSE ${given} END`
    : given;
  return `SELECT prompt_key, ${label} AS label FROM ${parquet(labels.assignments)}
    JOIN ${parquet([labels.labels])} USING (cluster_id)`;
}
