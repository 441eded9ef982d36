import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { contentHash } from '../../src/store/content-hash.js';
import { sha256File } from '../../src/store/fingerprint.js';
import type { PlainCell } from '../../src/store/plain-columns.js';
import { PlainParquet } from '../../src/store/plain-parquet.js';
import { parquet, Tables } from '../../src/store/tables.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-plain-'));
const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

const kinds = {
  text: 'text',
  texts: 'texts',
  int: 'int32',
  place: { file: 'text', row: 'int64' },
  long: 'int64',
  flag: 'flag',
} as const;
const types = {
  text: 'VARCHAR',
  texts: 'VARCHAR[]',
  int: 'INTEGER',
  place: 'STRUCT(file VARCHAR, "row" BIGINT)',
  long: 'BIGINT',
  flag: 'BOOLEAN',
};

type Row = Record<Exclude<keyof typeof kinds, 'place'>, PlainCell> & { place: { file: PlainCell; row: PlainCell } };

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 90 }),
  fc.constantFrom('a|3|b', '-', "it's [a, b]", 'null', '\0', '|'),
);
const anyRow = fc.record({
  text: fc.option(anyText),
  texts: fc.option(fc.array(anyText, { maxLength: 4 })),
  int: fc.option(fc.integer()),
  place: fc.record({ file: fc.option(anyText), row: fc.option(fc.maxSafeInteger()) }),
  long: fc.option(fc.maxSafeInteger()),
  flag: fc.option(fc.boolean()),
});

async function written(rows: readonly Row[], table = new PlainParquet(kinds)) {
  const path = join(folder, 'table.parquet');
  for (const { text, texts, int, place, long, flag } of rows) {
    table.add([text, texts, int, place.file, place.row, long, flag]);
  }
  const sum = await table.writeTo(path, join(folder, 'tmp'));
  return { path, sum, read: await tables.rows(`SELECT * FROM ${parquet([path])}`) };
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
  const nothing = { texts: null, int: null, place: { file: null, row: null }, long: null, flag: null };
  for (const text of ['first', '心电图', '']) {
    expect((await written([{ ...nothing, text: Buffer.from(text) }], table)).read).toEqual([{ ...nothing, text }]);
  }
});

it('what the writer says of a file is what reading it says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 20 }), async (rows) => {
      const { path, sum } = await written(rows);
      expect(await contentHash(tables, [path], () => sum)).toBe(await contentHash(tables, [path]));
      expect(sum.sha256).toBe(await sha256File(path));
    }),
    { numRuns: 150, seed: 12 },
  );
});

it('a column of several pages comes back', async () => {
  const rows = Array.from({ length: 300 }, (_, at) => ({
    text: at % 3 === 0 ? null : `${at} `.repeat(at * 20),
    texts: Array.from({ length: at % 5 }, (_, each) => 'list '.repeat(at * each)),
    int: at,
    place: { file: null, row: null },
    long: null,
    flag: true,
  }));
  expect((await written(rows)).read).toEqual(rows);
});

it('rows beyond a vector, with levels that change, come back', async () => {
  const rows = Array.from({ length: 5000 }, (_, at) => ({
    text: at % 7 === 0 ? null : 'x'.repeat(at % 50),
    texts: at % 5 === 0 ? null : Array.from({ length: at % 3 }, (_, each) => String(each)),
    int: at % 2 === 0 ? at : null,
    place: { file: at % 11 === 0 ? null : 'file', row: at },
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
