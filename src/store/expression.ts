import { Problem } from '../problem.js';
import { nearestName } from '../text/nearest-name.js';
import { identifier, literal, type Tables } from './tables.js';

/** Columns that an expression may use, with their SQL types. */
export type ColumnTypes = Readonly<Record<string, string>>;

export interface CheckedExpression {
  /** The expression as DuckDB writes it back: exactly what was checked, whatever quotes or comments it came with. */
  sql: string;
  /** Columns that it reads, sorted. */
  columns: string[];
}

/**
 * Checks that a person's text is one SQL expression of type BOOLEAN over the given columns that neither reads anything
 * else nor changes between runs: no subquery, no aggregate, no clock, no chance, no file. `metadata.key`, where `metadata`
 * is a VARCHAR column of JSON, is that key's text. Throws a Problem that calls the expression by `name`.
 */
export async function checkExpression(
  tables: Tables,
  expression: string,
  types: ColumnTypes,
  name: string,
): Promise<CheckedExpression> {
  const parsed = await parse(tables, expression, name);
  const functions = await pureFunctions(tables);
  const columns = new Set<string>();
  const sql = await write(
    tables,
    parsed.statement,
    rewrite(parsed.node, { name, expression, types, functions, columns, bound: new Set() }),
  );
  const probe = Object.entries(types).map(([column, type]) => `CAST(NULL AS ${type}) AS ${identifier(column)}`);
  let type: string | undefined;
  try {
    const select = `SELECT (${sql}) AS value FROM (SELECT ${probe.join(', ')})`;
    type = (await tables.describe(select))[0]?.type;
    // On a row of nulls: finds what only shows when it runs, as a text compared with a number.
    await tables.run(select);
  } catch (error) {
    throw new Problem(`${name} is no valid SQL expression`, {
      where: expression,
      found: firstLine(error),
      try: `columns: ${Object.keys(types).join(', ')}`,
      cause: error,
    });
  }
  if (type !== 'BOOLEAN') {
    throw new Problem(`${name} must be true or false for each row`, {
      where: expression,
      found: `an expression of type ${type ?? 'unknown'}`,
      try: "a comparison, as in language = 'en'",
    });
  }
  return { sql, columns: [...columns].sort() };
}

// ---------------------------------------------------------------------------------------------------------------------

type Tree = null | string | number | boolean | Tree[] | { [key: string]: Tree };
type Node = { [key: string]: Tree };

interface Rules {
  name: string;
  expression: string;
  types: ColumnTypes;
  functions: ReadonlySet<string>;
  /** Filled with what the expression reads. */
  columns: Set<string>;
  /** Parameters of the lambdas around the node. */
  bound: ReadonlySet<string>;
}

const allowedClasses = [
  'COLUMN_REF',
  'CONSTANT',
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'FUNCTION',
  'CASE',
  'CAST',
  'BETWEEN',
  'LAMBDA',
  'COLLATE',
];

const refusals: Record<string, string> = {
  SUBQUERY: 'a subquery',
  WINDOW: 'a window function',
  STAR: 'a *',
  PARAMETER: 'a parameter',
};

async function parse(tables: Tables, expression: string, name: string): Promise<{ statement: Node; node: Node }> {
  const { json } = await tables.row<{ json: string }>("SELECT json_serialize_sql('SELECT ' || $1) AS json", [
    // The line end closes a trailing comment.
    `${expression}\n`,
  ]);
  // The location "unknown" is 2^64 - 1, which JSON.parse would round to what DuckDB then refuses.
  const found = JSON.parse(json.replaceAll(/"query_location":\d+/g, '"query_location":0')) as Node;
  const where = expression;
  if (found.error === true) {
    const message = String(found.error_message);
    throw new Problem(`${name} is no SQL expression`, { where, found: message, try: "for example language = 'en'" });
  }
  const statements = found.statements as Node[];
  const statement = statements[0]?.node as Node | undefined;
  const list = (statement?.select_list ?? []) as Node[];
  const node = list[0];
  const bare =
    statements.length === 1 &&
    statement?.type === 'SELECT_NODE' &&
    list.length === 1 &&
    (statement.from_table as Node).type === 'EMPTY' &&
    statement.where_clause === null &&
    statement.having === null &&
    statement.qualify === null &&
    statement.sample === null &&
    (statement.group_expressions as Tree[]).length === 0 &&
    (statement.modifiers as Tree[]).length === 0 &&
    ((statement.cte_map as Node).map as Tree[]).length === 0;
  if (!bare || statement === undefined || node === undefined) {
    throw new Problem(`${name} must be one SQL expression`, {
      where,
      found: 'a statement or several expressions',
      try: "for example language = 'en'",
    });
  }
  return { statement: found, node };
}

async function write(tables: Tables, statement: Node, node: Node): Promise<string> {
  const select = (statement.statements as Node[])[0]?.node as Node;
  select.select_list = [{ ...node, alias: '' }];
  const { sql } = await tables.row<{ sql: string }>('SELECT json_deserialize_sql($1::JSON) AS sql', [
    JSON.stringify(statement),
  ]);
  return sql.replace(/^SELECT /, '');
}

/** Functions of DuckDB whose result depends on their arguments alone. */
async function pureFunctions(tables: Tables): Promise<Set<string>> {
  const rows = await tables.rows<{ name: string }>(
    `SELECT DISTINCT function_name AS name FROM duckdb_functions()
     WHERE (function_type = 'scalar' AND stability = 'CONSISTENT'
            AND NOT regexp_matches(function_name, '^(current_|getvariable|__internal|json_(de)?serialize|parse_duckdb|icu_collate|age$|variant_|st_)'))
        OR (function_type = 'macro' AND regexp_matches(function_name,
            '^(nullif|split_part|fdiv|fmod|date_add|days_in_month|round_even|json|list_(append|prepend|reverse|sum|avg|min|max|count|first|last|any_value|median|mode|bool_and|bool_or|string_agg)|array_(append|prepend|reverse|to_string))$'))`,
  );
  return new Set(rows.map((row) => row.name));
}

/** The tree with `metadata.key` made a JSON access, after every node was looked at. */
function rewrite(node: Node, rules: Rules): Node {
  const kind = String(node.class);
  if (!allowedClasses.includes(kind)) {
    const shown = refusals[kind] ?? `${kind.toLowerCase()}`;
    throw new Problem(`${rules.name} may only look at the row itself`, {
      where: rules.expression,
      found: shown,
      try: "comparisons of the row's columns, as in language = 'en' and prompt_words > 5",
    });
  }
  if (kind === 'COLUMN_REF') return column(node, rules);
  if (kind === 'CONSTANT') return checkedConstant(node, rules);
  if (kind === 'FUNCTION') checkFunction(node, rules);
  const inner = kind === 'LAMBDA' ? { ...rules, bound: new Set([...rules.bound, ...parameters(node.lhs)]) } : rules;
  const result: Node = {};
  for (const [key, value] of Object.entries(node)) {
    result[key] = kind === 'LAMBDA' && key === 'lhs' ? value : rewriteTree(value, inner);
  }
  return result;
}

function rewriteTree(tree: Tree | undefined, rules: Rules): Tree {
  if (Array.isArray(tree)) return tree.map((each) => rewriteTree(each, rules));
  if (tree === null || tree === undefined || typeof tree !== 'object') return tree ?? null;
  if (typeof tree.class === 'string') return rewrite(tree, rules);
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, rewriteTree(value, rules)]));
}

function column(node: Node, rules: Rules): Node {
  const names = node.column_names as string[];
  const [written = '', key, ...rest] = names;
  if (rules.bound.has(written)) return node;
  const name = Object.keys(rules.types).find((each) => each.toLowerCase() === written.toLowerCase());
  if (name === undefined) {
    const near = nearestName(written, Object.keys(rules.types));
    throw new Problem(`${rules.name} names a column that rows do not have`, {
      where: rules.expression,
      found: names.join('.'),
      try: near === null ? `columns: ${Object.keys(rules.types).join(', ')}` : `did you mean ${near}?`,
    });
  }
  rules.columns.add(name);
  if (name !== 'metadata' || key === undefined) return node;
  const path = `$${[key, ...rest].map((part) => `.${JSON.stringify(part)}`).join('')}`;
  return {
    class: 'FUNCTION',
    type: 'FUNCTION',
    alias: '',
    query_location: 0,
    function_name: 'json_extract_string',
    schema: '',
    children: [{ ...node, column_names: ['metadata'] }, constant(path)],
    filter: null,
    order_bys: { type: 'ORDER_MODIFIER', orders: [] },
    distinct: false,
    is_operator: false,
    export_state: false,
    catalog: '',
  };
}

/** JSON.parse has already rounded an integer beyond 2^53, so that the expression would not be the one written. */
function checkedConstant(node: Node, rules: Rules): Node {
  const { value } = node.value as Node;
  const lossy = typeof value === 'object' || (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER);
  if (!lossy || value === null) return node;
  throw new Problem(`${rules.name} holds a constant that it cannot carry exactly`, {
    where: rules.expression,
    try: 'integers up to 2^53, decimals of up to 15 digits, text, true, false or null',
  });
}

function constant(text: string): Node {
  return {
    class: 'CONSTANT',
    type: 'VALUE_CONSTANT',
    alias: '',
    query_location: 0,
    value: { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: text },
  };
}

function checkFunction(node: Node, rules: Rules): void {
  const name = String(node.function_name).toLowerCase();
  // The parser itself writes "main" for what has a syntax of its own, as [1, 2] has.
  const plain =
    ['', 'main'].includes(String(node.schema)) &&
    node.catalog === '' &&
    node.distinct === false &&
    node.filter === null;
  if (plain && rules.functions.has(name)) return;
  const near = nearestName(name, [...rules.functions]);
  throw new Problem(`${rules.name} may only use functions of the row's own values`, {
    where: rules.expression,
    found: `${name}(…), which reads something else, changes between runs, or does not exist`,
    try: near === null ? `for example regexp_matches(prompt, ${literal('\\d')})` : `did you mean ${near}?`,
  });
}

function parameters(lhs: Tree | undefined): string[] {
  if (lhs === null || lhs === undefined || typeof lhs !== 'object' || Array.isArray(lhs)) return [];
  if (lhs.class === 'COLUMN_REF') return lhs.column_names as string[];
  return ((lhs.children ?? []) as Tree[]).flatMap(parameters);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
