import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentHash } from '../../src/store/content-hash.js';
import { Tables } from '../../src/store/tables.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-content-'));
let tables: Tables;
let fileCount = 0;

beforeAll(async () => {
  tables = await Tables.open();
});

afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true });
});

/** The hash of a table whose files hold these rows, each a list of SQL values. */
async function hashOf(...files: string[]): Promise<string> {
  const paths: string[] = [];
  for (const values of files) {
    fileCount += 1;
    const path = join(folder, `${fileCount}.parquet`);
    await tables.copy(
      `SELECT a::VARCHAR AS a, b::VARCHAR AS b, n::INTEGER AS n, yes::BOOLEAN AS yes, x::DOUBLE AS x, list::VARCHAR[] AS list
       FROM (VALUES ${values}) AS rows(a, b, n, yes, x, list)`,
      path,
    );
    paths.push(path);
  }
  return contentHash(tables, paths);
}

const first = `('one', 'two', 1, true, 0.5, ['x', 'y'])`;
const second = `(NULL, '', NULL, NULL, NULL, NULL)`;

it('the same rows give the same hash in another order and in other files', async () => {
  const hash = await hashOf(`${first}, ${second}`);
  expect(await hashOf(`${second}, ${first}`)).toBe(hash);
  expect(await hashOf(second, first)).toBe(hash);
});

it.each([
  ['a cell is empty in place of null', first, `('', '', NULL, NULL, NULL, NULL)`],
  ['two texts change places', `('two', 'one', 1, true, 0.5, ['x', 'y'])`, second],
  ['a text moves over the border of its cell', `('on', 'etwo', 1, true, 0.5, ['x', 'y'])`, second],
  ['a text holds the mark between cells', `('one|3|two', NULL, 1, true, 0.5, ['x', 'y'])`, second],
  ['a number is missing', `('one', 'two', NULL, true, 0.5, ['x', 'y'])`, second],
  ['a number has another sign', `('one', 'two', -1, true, 0.5, ['x', 'y'])`, second],
  ['a truth is false', `('one', 'two', 1, false, 0.5, ['x', 'y'])`, second],
  ['a list is empty in place of null', first, `(NULL, '', NULL, NULL, NULL, [])`],
  ['a row is there twice', first, first],
])('the hash shows that %s', async (_, ...rows) => {
  expect(await hashOf(rows.join(', '))).not.toBe(await hashOf(`${first}, ${second}`));
});

it('the hash of two rows does not show in the hash of others with the same sums of lengths', async () => {
  const pairs = [
    `('ab', 'c', 1, true, 1, NULL), ('d', 'ef', 2, true, 1, NULL)`,
    `('ab', 'c', 2, true, 1, NULL), ('d', 'ef', 1, true, 1, NULL)`,
  ];
  expect(await hashOf(pairs[0] as string)).not.toBe(await hashOf(pairs[1] as string));
});
