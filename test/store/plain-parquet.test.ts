import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { PlainCell } from '../../src/store/plain-columns.js';
import { PlainParquet } from '../../src/store/plain-parquet.js';
import { parquet, Tables } from '../../src/store/tables.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-plain-'));
const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

const kinds = { text: 'text', texts: 'texts', int: 'int32', long: 'int64', flag: 'flag' } as const;
const types = { text: 'VARCHAR', texts: 'VARCHAR[]', int: 'INTEGER', long: 'BIGINT', flag: 'BOOLEAN' };

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
const anyRow = fc.record({
  text: fc.option(anyText),
  texts: fc.option(fc.array(anyText, { maxLength: 4 })),
  int: fc.option(fc.integer()),
  long: fc.option(fc.maxSafeInteger()),
  flag: fc.option(fc.boolean()),
});

async function written(rows: readonly Record<string, PlainCell>[], table = new PlainParquet(kinds)) {
  const path = join(folder, 'table.parquet');
  for (const row of rows) table.add(Object.keys(kinds).map((name) => row[name] ?? null));
  await table.writeTo(tables, path, '*', {});
  return { path, read: await tables.rows(`SELECT * FROM ${parquet([path])}`) };
}

it('what is added is what DuckDB reads, in its order, whatever is null, empty or a list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 40 }), async (rows) => {
      expect((await written(rows)).read).toEqual(rows);
    }),
    { numRuns: 150, seed: 11 },
  );
});

it('bytes stand for their text, and a table can be filled again', async () => {
  const table = new PlainParquet(kinds);
  const nothing = { texts: null, int: null, long: null, flag: null };
  for (const text of ['first', '心电图', '']) {
    expect((await written([{ ...nothing, text: Buffer.from(text) }], table)).read).toEqual([{ ...nothing, text }]);
  }
});

it('rows beyond a vector, with levels that change, come back', async () => {
  const rows = Array.from({ length: 5000 }, (_, at) => ({
    text: at % 7 === 0 ? null : 'x'.repeat(at % 50),
    texts: at % 5 === 0 ? null : Array.from({ length: at % 3 }, (_, each) => String(each)),
    int: at % 2 === 0 ? at : null,
    long: at > 4096 ? at * 1e9 : null,
    flag: at % 3 === 0,
  }));
  expect((await written(rows)).read).toEqual(rows);
});

it('has its columns without a single row, and leaves no scratch file', async () => {
  const { path, read } = await written([]);
  expect(read).toEqual([]);
  const columns = await tables.describe(`SELECT * FROM ${parquet([path])}`);
  expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toEqual(types);
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
});
