import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../src/problem.js';
import { detectFormat } from '../../../src/store/readers/format.js';
import { readJsonLines } from '../../../src/store/readers/json-lines.js';
import { readParquet } from '../../../src/store/readers/parquet-rows.js';
import { readRows } from '../../../src/store/readers/read-rows.js';
import type { Reading } from '../../../src/store/readers/reading.js';
import { Tables } from '../../../src/store/tables.js';

let folder: string;
let tables: Tables;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curate-readers-'));
  tables = await Tables.open({ temporaryFolder: folder });
});
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function readings(path: string): Promise<Reading[]> {
  const found: Reading[] = [];
  for await (const reading of readRows(path, tables)) found.push(reading);
  return found;
}

/** Rows as they are, bad ones by their reason. */
async function contents(path: string): Promise<unknown[]> {
  return (await readings(path)).map((reading) => (reading.kind === 'row' ? reading.row : reading.reason));
}

describe('the format', () => {
  it.each([
    ['a.txt', '{"a":1}\n{"a":2}\n', 'jsonl'],
    ['b.parquet', '[{"a":1}]', 'json'],
    ['c.jsonl', '[1]\n[2]\n', 'jsonl'],
    ['d', '{\n  "a": 1\n}\n', 'json'],
    ['e.jsonl', '{"a": \n{"a":2}\n', 'jsonl'],
    ['f.csv', 'a,b\n1,2\n', 'csv'],
    ['g.csv', 'a\tb\n1\t2\n', 'tsv'],
    ['h.tsv', 'a\tb,c\n', 'tsv'],
    ['i', 'a\tb\n', 'tsv'],
    ['j.json', '\uFEFF [ {"a":1} ]', 'json'],
  ])('of %s is told by its content', async (name, content, format) => {
    expect(await detectFormat(file(name, content))).toEqual({ format, compression: 'none' });
  });

  it('of compressed files is told from inside, whatever their name', async () => {
    expect(await detectFormat(file('k.jsonl', gzipSync('[{"a":1}]')))).toEqual({ format: 'json', compression: 'gzip' });
  });

  it('UTF-16 is refused with the command that converts it', async () => {
    const problem = await detectFormat(file('u.jsonl', Buffer.from('\uFEFF{}', 'utf16le'))).catch(
      (error: unknown) => error,
    );
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).parts.try).toContain('iconv');
  });
});

describe('JSONL', () => {
  it('takes BOM, CRLF and blank lines as they come; places are lines and bytes', async () => {
    expect(await readings(file('l.jsonl', '\uFEFF{"a":1}\r\n\r\n{"a":"é"}\n  \n{"a":3}'))).toEqual([
      { kind: 'row', row: { a: 1 }, index: 0, offset: 0 },
      { kind: 'row', row: { a: 'é' }, index: 2, offset: 14 },
      { kind: 'row', row: { a: 3 }, index: 4, offset: 28 },
    ]);
  });

  it('tells what is no row, and goes on', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\nnope\n{"a":NaN}\n{"a":"'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('"}\n{"a":"\\ud800"}\n{"a":"x\\u0000y"}\n{"a":'),
    ]);
    expect(await contents(file('m.jsonl', bytes))).toEqual([
      { a: 1 },
      'not JSON',
      'not JSON',
      'invalid UTF-8',
      { a: '\ud800' },
      { a: 'x\0y' },
      'cut off',
    ]);
  });

  it('reads a row of several MB', async () => {
    const long = 'x'.repeat(5 << 20);
    expect(await contents(file('n.jsonl', `{"a":"${long}"}\n{"a":2}\n`))).toEqual([{ a: long }, { a: 2 }]);
  });

  it('in ranges gives each line once, with its number, wherever the cuts fall', async () => {
    const lines = ['{"n":0}', '', '{"n":2}', 'bad', '{"n":4,"text":"ééé"}', '{"n":5}'];
    const text = `${lines.join('\n')}\n`;
    const path = file('o.jsonl', text);
    const whole = await readings(path);
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const newlines = bytes.subarray(0, cut - 1).filter((byte) => byte === 10).length;
      const found: Reading[] = [];
      for await (const batch of readJsonLines(path, 'none', { start: 0, end: cut, firstLine: 0 })) found.push(...batch);
      for await (const batch of readJsonLines(path, 'none', {
        start: cut,
        end: bytes.length,
        firstLine: newlines + 1,
      })) {
        found.push(...batch);
      }
      expect(found).toEqual(whole);
    }
  });
});

describe('a JSON array', () => {
  it('is read element by element, however it is laid out', async () => {
    const rows = [{ a: 'x,{"a":"' }, { a: '\\' }, { a: ['}', { b: ']' }] }, { a: 1e3 }];
    expect(await contents(file('p.json', JSON.stringify(rows)))).toEqual(rows);
    expect(await contents(file('q.json', JSON.stringify(rows, null, 2)))).toEqual(rows);
    expect(
      await contents(file('r.json', `\uFEFF [\n${rows.map((row) => JSON.stringify(row)).join('\n,\n')}\n]\n`)),
    ).toEqual(rows);
  });

  it('loses one broken element and no other', async () => {
    expect(await contents(file('s.json', '[{"a":1},{"a":NaN},{"a":"lost quote},{"a":4},\n {"a":5}]'))).toEqual([
      { a: 1 },
      'not JSON',
      'not JSON',
      { a: 4 },
      { a: 5 },
    ]);
  });

  it('cut off in the middle gives its good rows and one tail', async () => {
    expect(await contents(file('t.json', '[{"a":1},{"a":2},{"a":"thr'))).toEqual([{ a: 1 }, { a: 2 }, 'cut off']);
    expect(await contents(file('v.json', '[{"a":1},{"a":2},'))).toEqual([{ a: 1 }, { a: 2 }, 'cut off']);
  });

  it('goes on behind a bracket that closes too early', async () => {
    expect(await contents(file('w.json', '[{"a":1}],{"a":2},{"a":3}]'))).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  it('of values one after another is read too', async () => {
    expect(await contents(file('x.json', '{\n"a": 1\n}\n{\n"a": 2\n}'))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('is split at chunk borders in the middle of escapes', async () => {
    const rows = Array.from({ length: 300 }, (_, index) => ({ a: '\\"'.repeat(index * 40), n: index }));
    const text = JSON.stringify(rows);
    expect(text.length).toBeGreaterThan(2 << 20);
    expect(await contents(file('y.json', text))).toEqual(rows);
  });
});

describe('CSV', () => {
  it('follows RFC 4180: quotes, doubled quotes, delimiters and line ends inside them', async () => {
    expect(await contents(file('a.csv', '\uFEFFa,b\r\n1,"x\r\n""y"", z"\r\n2,\r\n\r\n3,plain "quoted"\r\n'))).toEqual([
      { a: '1', b: 'x\r\n"y", z' },
      { a: '2', b: '' },
      { a: '3', b: 'plain "quoted"' },
    ]);
  });

  it('tells records with another number of fields', async () => {
    expect(await contents(file('b.csv', 'a,b\n1,2\n3\n4,5,6\n7,8\n'))).toEqual([
      { a: '1', b: '2' },
      'wrong number of fields',
      'wrong number of fields',
      { a: '7', b: '8' },
    ]);
  });

  it('with a quote that is never closed loses one line', async () => {
    expect(await contents(file('c.csv', 'a,b\n1,2\n3,"lost\n5,6\n'))).toEqual([
      { a: '1', b: '2' },
      'cut off',
      { a: '5', b: '6' },
    ]);
  });
});

/** Is the program installed? Its kind of file is then tried; without it the product says what to install. */
function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe('compressed files', () => {
  const text = Array.from({ length: 1000 }, (_, index) => JSON.stringify({ n: index })).join('\n');
  const rows = Array.from({ length: 1000 }, (_, index) => ({ n: index }));

  it('.gz and .zst are read with nothing installed', async () => {
    const path = process.env.PATH;
    await tables.run(
      `COPY (SELECT i AS n FROM range(1000) t(i)) TO '${folder}/duck.zst' (FORMAT json, COMPRESSION zstd)`,
    );
    try {
      process.env.PATH = '';
      expect(await contents(file('z.jsonl.gz', gzipSync(text)))).toEqual(rows);
      expect(await contents(join(folder, 'duck.zst'))).toEqual(rows);
    } finally {
      process.env.PATH = path;
    }
  });

  it.skipIf(!has('zstd'))('.zst with a window of 2 GiB, as AM publishes them, is read', async () => {
    execFileSync('zstd', ['-q', '--long=31', '--ultra', '-f', file('long.jsonl', text)]);
    expect(await contents(join(folder, 'long.jsonl.zst'))).toEqual(rows);
  });

  it.skipIf(!has('bzip2'))('.bz2 is read where bzip2 is installed', async () => {
    execFileSync('bzip2', ['-f', file('b.jsonl', text)]);
    expect(await contents(join(folder, 'b.jsonl.bz2'))).toEqual(rows);
  });

  it('.bz2 without bzip2 is one sentence', async () => {
    const path = process.env.PATH;
    const bytes = Buffer.concat([Buffer.from('BZh9'), Buffer.from('314159265359', 'hex'), Buffer.alloc(20)]);
    try {
      process.env.PATH = '';
      await expect(contents(file('none.bz2', bytes))).rejects.toThrow('bzip2 is not installed');
    } finally {
      process.env.PATH = path;
    }
  });

  it.each(['gzip', 'zstd'])('of %s that were cut off give their good rows and one tail', async (compression) => {
    await tables.run(
      `COPY (SELECT i AS n, hash(i) AS hash FROM range(20000) t(i)) TO '${folder}/whole' (FORMAT json, COMPRESSION ${compression})`,
    );
    const whole = readFileSync(join(folder, 'whole'));
    const found = await readings(file(`cut.${compression}`, whole.subarray(0, Math.floor(whole.length * 0.7))));
    expect(found.length).toBeGreaterThan(100);
    const good = found
      .slice(0, -1)
      .map((reading) => (reading.kind === 'row' ? (reading.row as { n: number }).n : null));
    expect(good).toEqual(good.map((_, index) => index));
    expect(found.at(-1)).toMatchObject({ kind: 'bad', reason: 'cut off' });
  });
});

describe('Parquet', () => {
  async function parquetFile(name: string, select: string, options = ''): Promise<string> {
    const path = join(folder, name);
    await tables.run(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`);
    return path;
  }

  it.each(['zstd', 'snappy', 'gzip', 'brotli', 'uncompressed'])('of %s is read', async (compression) => {
    const path = await parquetFile(
      `${compression}.parquet`,
      'SELECT i AS n FROM range(5) t(i)',
      `, COMPRESSION ${compression}`,
    );
    expect(await contents(path)).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
  });

  it('gives nested, large and odd values as JSON knows them', async () => {
    const path = await parquetFile(
      'odd.parquet',
      `SELECT [{'role': 'user', 'content': 'x'}] AS messages, MAP {'a': 1} AS map, 9007199254740993::BIGINT AS large, 'NaN'::DOUBLE AS nan,
         1.50::DECIMAL(5, 2) AS price, '\\x00\\xFF'::BLOB AS bytes, encode('ä') AS unmarked, TIMESTAMP '2020-01-02 03:04:05' AS time, NULL::VARCHAR AS nothing, 'a' || chr(0) AS nul`,
    );
    expect(await contents(path)).toEqual([
      {
        messages: [{ role: 'user', content: 'x' }],
        map: { a: 1 },
        large: '9007199254740993',
        nan: Number.NaN,
        price: '1.50',
        bytes: 'AP8=',
        unmarked: 'ä',
        time: '2020-01-02 03:04:05',
        nothing: null,
        nul: 'a\0',
      },
    ]);
  });

  it('in ranges gives each row once, with its number', async () => {
    const path = await parquetFile('ranges.parquet', 'SELECT i AS n FROM range(10000) t(i)', ', ROW_GROUP_SIZE 2048');
    const found: Reading[] = [];
    for (const [start, end] of [
      [0, 3000],
      [3000, 6144],
      [6144, 10_000],
    ] as const) {
      for await (const batch of readParquet(tables, path, { start, end })) found.push(...batch);
    }
    expect(
      found.map((reading) => [reading.index, reading.kind === 'row' ? (reading.row as { n: number }).n : -1]),
    ).toEqual(Array.from({ length: 10_000 }, (_, index) => [index, index]));
  });

  it('with a broken page loses the rows of that page and no other row group', async () => {
    const path = await parquetFile(
      'broken.parquet',
      'SELECT i AS n, sha256(i::VARCHAR) AS text FROM range(6144) t(i)',
      ', ROW_GROUP_SIZE 2048, COMPRESSION zstd',
    );
    const bytes = readFileSync(path);
    const [group] = await tables.rows<{ at: number }>(
      `SELECT data_page_offset + 60 AS at FROM parquet_metadata('${path}') WHERE row_group_id = 1 AND path_in_schema = 'text'`,
    );
    bytes.fill(0xff, group?.at, (group?.at ?? 0) + 40);
    const found = await readings(file('broken2.parquet', bytes));
    expect(found.map((reading) => reading.index)).toEqual(Array.from({ length: 6144 }, (_, index) => index));
    expect(found.slice(0, 2048).every((reading) => reading.kind === 'row')).toBe(true);
    expect(found.slice(2048, 4096).some((reading) => reading.kind === 'bad')).toBe(true);
    expect(found.slice(4096).every((reading) => reading.kind === 'row')).toBe(true);
  });

  it('that was cut off has no index: one reading says so', async () => {
    const path = await parquetFile('cut.parquet', 'SELECT i AS n FROM range(5) t(i)');
    expect(await contents(file('cut2.parquet', readFileSync(path).subarray(0, 100)))).toEqual(['unreadable Parquet']);
  });
});
