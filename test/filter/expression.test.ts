import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowColumns } from '../../src/filter/row-columns.js';
import { Problem } from '../../src/problem.js';
import { checkExpression } from '../../src/store/expression.js';
import { Tables } from '../../src/store/tables.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-expression-'));
const secret = join(folder, 'secret.csv');
let tables: Tables;

beforeAll(async () => {
  writeFileSync(secret, 'a\n1\n');
  tables = await Tables.open({ temporaryFolder: folder });
});
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

const check = (expression: string) => checkExpression(tables, expression, rowColumns, 'filter.where');

async function value(expression: string, row: string): Promise<unknown> {
  const { sql } = await check(expression);
  const columns = Object.entries(rowColumns).map(([name, type]) => `CAST(NULL AS ${type}) AS "${name}"`);
  return (
    await tables.row(`SELECT (${sql}) AS value FROM (SELECT * REPLACE (${row}) FROM (SELECT ${columns.join(', ')}))`)
  ).value;
}

describe('an expression over a row', () => {
  it.each([
    ["language IN ('en', 'zh')", "'en' AS language", true],
    ['"group" = \'a\' AND NOT complete', '\'a\' AS "group", false AS complete', true],
    ['metadata.score::DOUBLE > 0.5', `'{"score": "0.7"}' AS metadata`, true],
    ['METADATA."a b".c = \'x\'', `'{"a b": {"c": "x"}}' AS metadata`, true],
    ["regexp_matches(prompt, '\\d+') OR prompt ILIKE '%Dose%'", "'the dose' AS prompt", true],
    ["list_contains(options, 'A')", "['A'] AS options", true],
    ["len(list_filter(options, o -> o LIKE 'x%')) = 2", "['x1', 'x2', 'y'] AS options", true],
    ['CASE WHEN turns > 1 THEN false ELSE prompt_words BETWEEN 1 AND 5 END', '1 AS turns, 5 AS prompt_words', true],
    ["coalesce(model, '') NOT LIKE '%o1%'", "'gpt-o1' AS model", false],
    ['try_cast(metadata.score AS DOUBLE) > 0.5', `'{"score": "high"}' AS metadata`, null],
    ["prompt = 'it''s -- not a comment' -- a comment", "'it''s -- not a comment' AS prompt", true],
    ['turns IN (1, 2) AND list_contains([1, 2], turns)', '2 AS turns', true],
    ['origin.row > 5', "{'file': 'a', 'row': 6} AS origin", true],
  ])('%s', async (expression, row, expected) => {
    expect(await value(expression, row)).toBe(expected);
  });

  it('names the columns that it reads', async () => {
    expect((await check("language = 'en' and metadata.x is null and prompt_words > 3")).columns).toEqual([
      'language',
      'metadata',
      'prompt_words',
    ]);
  });
});

describe('hostile or foolish input is a Problem', () => {
  it.each([
    [`(SELECT count(*) FROM read_csv('${secret}')) > 0`, 'may only look at the row itself'],
    [`true FROM read_csv('${secret}')`, 'must be one SQL expression'],
    [`EXISTS (FROM '${secret}')`, 'may only look at the row itself'],
    ['true; DROP TABLE rows', 'is no SQL expression'],
    ['true) OR (SELECT true', 'is no SQL expression'],
    ['true, false', 'must be one SQL expression'],
    ['true WHERE 1=1', 'must be one SQL expression'],
    ['', 'is no SQL expression'],
    ['count(*) > 1', 'may only use functions'],
    ['row_number() OVER () > 1', 'may only look at the row itself'],
    ['random() < 0.5', 'may only use functions'],
    ["now() > TIMESTAMP '2020-01-01'", 'may only use functions'],
    ["current_date > DATE '2020-01-01'", 'names a column that rows do not have'],
    ["current_setting('home_directory') = ''", 'may only use functions'],
    ["getvariable('x') IS NULL", 'may only use functions'],
    ["getenv('HOME') = 'x'", 'may only use functions'],
    ["age(TIMESTAMP '2020-01-01') IS NULL", 'may only use functions'],
    ['main.random() < 1', 'may only use functions'],
    ['COLUMNS(*) IS NULL', 'may only look at the row itself'],
    ['prompt_words > $1', 'may only look at the row itself'],
    ['prompt_words > ?', 'may only look at the row itself'],
    ['prompt_word > 3', 'names a column that rows do not have'],
    ['prompt_words', 'must be true or false for each row'],
    ["prompt_words > 'many'", 'is no valid SQL expression'],
    ['regexp_match(prompt, 1)', 'may only use functions'],
    ['prompt_words > 9007199254740993', 'cannot carry exactly'],
    ['WITH x AS (SELECT 1) SELECT true', 'is no SQL expression'],
    ['*', 'may only look at the row itself'],
  ])('%s', async (expression, message) => {
    const error = await check(expression).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Problem);
    expect((error as Problem).message).toContain(message);
    expect((error as Problem).message).toContain('filter.where');
  });

  it('a mistyped column is told its likely name', async () => {
    await expect(check('langauge = 1')).rejects.toMatchObject({
      parts: { found: 'langauge', try: 'did you mean language?' },
    });
  });
});
