import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { methodSpecs } from '../../src/decontam/presets.js';
import { checkData } from '../../src/decontam/stand-alone.js';
import { Problem } from '../../src/problem.js';
import { literal, parquet, Tables } from '../../src/store/tables.js';

const question = 'A 45-year-old man has crushing chest pain radiating to the left arm and sweating. What is it?';

async function check(lines: string[], more: { out?: string; [option: string]: unknown } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'curate-stand-alone-'));
  const data = join(folder, 'rows.jsonl');
  const benchmark = join(folder, 'own.json');
  writeFileSync(data, lines.join('\n'));
  writeFileSync(benchmark, JSON.stringify([{ item: 'q1', question, options: ['Infarction', 'Pericarditis'] }]));
  const { out = join(folder, 'out'), ...others } = more;
  const { summary, warnings } = await checkData(
    {
      data: [data],
      benchmarks: [benchmark],
      specs: methodSpecs({ presets: ['ii-medical'] }),
      out,
      traces: false,
      allowed: [],
      workers: 1,
      seed: 42,
      selfTest: false,
      ...others,
    },
    { progress: () => {} },
  );
  const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
  // As text where a number would not hold it.
  const read = async (path: string) => {
    const [id] = (await tables.describe(`SELECT * FROM ${parquet([path])}`)).filter(({ name }) => name === 'id');
    const exact = id === undefined ? '' : 'REPLACE (id::VARCHAR AS id)';
    return tables.rows(`SELECT * ${exact} FROM ${parquet([path])}`);
  };
  const hits = await read(join(out, 'hits.parquet'));
  const clean = existsSync(join(out, 'clean', '00000-rows-0000.parquet'))
    ? await read(join(out, 'clean', '00000-rows-0000.parquet'))
    : [];
  tables.close();
  return { out, summary, warnings, hits, clean };
}

describe('checkData', () => {
  it('writes hits by id and the other rows with their own columns, in their order', async () => {
    const { hits, clean, summary, out } = await check([
      JSON.stringify({
        id: 'a',
        messages: [{ role: 'user', content: 'Capital of France?' }],
        meta: { n: 1, tags: ['x'] },
      }),
      JSON.stringify({
        id: 'b',
        messages: [{ role: 'user', content: `Please: ${question}` }],
        meta: { n: 2, tags: [] },
      }),
      JSON.stringify({
        id: 'c',
        messages: [{ role: 'user', content: 'Why?' }],
        meta: { n: 2.5, tags: null },
        extra: true,
      }),
    ]);
    expect(
      hits.map(({ id, field, method, benchmark, item, text }) => [id, field, method, benchmark, item, text]),
    ).toEqual([
      ['b', 'messages', 'ngram_10', 'own', 'q1', question],
      ['b', 'messages', 'fuzzy_90', 'own', 'q1', `Please: ${question}`],
    ]);
    expect(clean).toEqual([
      {
        id: 'a',
        messages: [{ role: 'user', content: 'Capital of France?' }],
        meta: { n: 1, tags: ['x'] },
        extra: null,
      },
      { id: 'c', messages: [{ role: 'user', content: 'Why?' }], meta: { n: 2.5, tags: null }, extra: true },
    ]);
    expect(summary).toMatchObject({ rows: 3, kept: 2, flagged: 1, flagged_first: { ngram_10: 1, fuzzy_90: 0 } });
    const coverage = JSON.parse(readFileSync(join(out, 'coverage.json'), 'utf8')) as { benchmarks: object[] };
    expect(coverage.benchmarks).toMatchObject([{ name: 'own', items: 1, checked: true }]);
  });

  it('names rows by their number where they have no id, and counts what is no row', async () => {
    const { hits, summary, clean } = await check([
      JSON.stringify({ prompt: 'Fine.' }),
      'not json at all',
      JSON.stringify({ prompt: question }),
      '"a string"',
    ]);
    expect([...new Set(hits.map((hit) => hit.id))]).toEqual(['2']);
    expect(summary).toMatchObject({ rows: 2, kept: 1, unreadable: { 'not JSON': 1, 'not an object': 1 } });
    expect(clean).toEqual([{ prompt: 'Fine.' }]);
  });

  it('looks into answers only with `traces`', async () => {
    const row = JSON.stringify({ prompt: 'Tell me a question.', response: question });
    expect((await check([row])).hits).toEqual([]);
    expect((await check([row], { traces: true })).hits[0]).toMatchObject({ field: 'response', method: 'ngram_10' });
  });

  it('finds and tells the same with a thread for all methods as with one for each', async () => {
    const rows = Array.from({ length: 40 }, (_, row) =>
      JSON.stringify({ prompt: row % 3 === 0 ? `${row}. ${question}` : `What is ${row} and ${row}?` }),
    );
    const [one, two] = [await check(rows, { workers: 1 }), await check(rows, { workers: 2 })];
    expect(two.hits).toEqual(one.hits);
    expect(one.hits).toHaveLength(2 * 14);
    const coverage = (out: string) => readFileSync(join(out, 'coverage.json'), 'utf8');
    expect(coverage(two.out)).toBe(coverage(one.out));
  });

  it('says which column is missing and which is near', async () => {
    const rows = [JSON.stringify({ quesion: 'x', note: 'y' })];
    await expect(check(rows)).rejects.toMatchObject({
      message: 'no column with texts',
      parts: { found: 'quesion, note' },
    });
    await expect(check(rows, { textColumn: 'question' })).rejects.toMatchObject({
      parts: { try: '--text-column quesion' },
    });
    await expect(check(rows, { data: ['/nowhere.jsonl'] })).rejects.toThrow(Problem);
  });

  it('removes neither what it reads nor what it did not write, and leaves an earlier result until it can begin', async () => {
    const rows = [JSON.stringify({ prompt: 'Fine.' }), JSON.stringify({ prompt: question })];
    const { out } = await check(rows);
    const clean = join(out, 'clean', '00000-rows-0000.parquet');
    const before = readFileSync(clean);
    await expect(check(rows, { data: [clean], out })).rejects.toMatchObject({ parts: { where: clean } });
    await expect(check(rows, { out, textColumn: 'nothing' })).rejects.toThrow(Problem);
    expect(readFileSync(clean)).toEqual(before);
    writeFileSync(join(out, 'clean', 'mine.parquet'), 'x');
    await expect(check(rows, { out })).rejects.toMatchObject({ parts: { found: join('clean', 'mine.parquet') } });
    rmSync(join(out, 'clean', 'mine.parquet'));
    expect((await check([rows[0] as string], { out })).summary).toMatchObject({ rows: 1, kept: 1 });
    expect(readdirSync(out).sort()).toEqual(['clean', 'coverage.json', 'hits.parquet', 'summary.json']);
  });

  it('keeps integers beyond 2^53, names that differ in case alone or that objects inherit, and JSON of many levels', async () => {
    const long = [9007199254740993n, -9007199254740995n];
    const { clean, hits } = await check([
      `{"id": ${long[0]}, "prompt": "Fine.", "v": {"A": 1, "a": 12345678901234567890}, "Note": "x", "note": "y", "": 1}`,
      `{"id": ${long[1]}, "prompt": ${JSON.stringify(question)}, "toString": "t", "__proto__": {"p": 1}}`,
      `{"id": 7, "prompt": "Also \\"9007199254740993\\" fine.", "deep": ${'['.repeat(300)}${']'.repeat(300)}}`,
    ]);
    expect(hits[0]?.id).toBe(String(long[1]));
    const others = { toString: null, deep: null };
    expect(clean[0]).toEqual({
      ...{ id: String(long[0]), prompt: 'Fine.', v: '{"A":1,"a":12345678901234567890}' },
      ...{ Note: 'x', note_1: 'y', column: 1, ...others },
    });
    expect(clean[1]).toMatchObject({ id: '7', prompt: 'Also "9007199254740993" fine.' });
    expect(JSON.stringify(clean[1]?.deep)).toHaveLength(602);
  });

  it('counts what no table can hold, and names rows of several files without an id apart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curate-stand-alone-'));
    const data = ['a', 'b'].map((name) => join(folder, `${name}.jsonl`));
    const rows = [{ prompt: 'Fine.' }, '\ud800', [1], { id: null, prompt: question }];
    for (const path of data) writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
    const lone = JSON.stringify({ prompt: 'half a pair \ud83d' });
    const deep = `{"prompt": "x", "deep": ${'['.repeat(9000)}${']'.repeat(9000)}}`;
    writeFileSync(data[1] as string, `\n${lone}\n${deep}`, { flag: 'a' });
    const { hits, summary } = await check([], { data });
    expect([...new Set(hits.map(({ id }) => id))]).toEqual(['3', '7']);
    expect(summary).toMatchObject({
      rows: 4,
      kept: 2,
      flagged: 2,
      unreadable: { 'not an object': 4, 'lone surrogate': 1, 'nested too deep': 1 },
    });
  });

  it('finds the prompt in the shapes that files have, and says in how many rows there is none', async () => {
    const said = { role: 'user', content: question };
    const { hits, summary, warnings } = await check(
      [
        { id: 'text of JSON', messages: JSON.stringify([said, { role: 'assistant', content: 'x' }]) },
        { id: 'one turn', messages: said },
        { id: 'parts', messages: [{ role: 'user', parts: [{ text: question }] }] },
        { id: 'other role', messages: [{ role: 'prompter', content: question }] },
        {
          id: 'answer',
          messages: [
            { role: 'user', content: 'Hm?' },
            { role: 'gpt', content: question },
          ],
        },
        { id: 'none', messages: null },
      ].map((row) => JSON.stringify(row)),
    );
    expect([...new Set(hits.map(({ id }) => id))]).toEqual(['text of JSON', 'one turn', 'parts', 'other role']);
    expect(summary.without_text).toBe(1);
    expect(warnings).toContain('1 of 6 rows has no text in messages: kept, and not looked into');
    const alpaca = await check([JSON.stringify({ instruction: question, input: '', output: 'x' })]);
    expect(alpaca.hits[0]).toMatchObject({ field: 'instruction', method: 'ngram_10' });
    expect(alpaca.summary).toMatchObject({ without_text: 0, files: [{ text_column: 'input, instruction' }] });
  });

  it('keeps what can be read of a Parquet file with a broken page, in whichever column, and counts the rest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curate-stand-alone-'));
    const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
    const path = join(folder, 'rows.parquet');
    // Three row groups; noise, so that a column of one is a page of its own that does not compress away.
    await tables.run(
      `COPY (SELECT 'Why is ' || i || ' odd?' AS prompt, md5('' || i) AS noise FROM range(6144) rows(i) ORDER BY i)
       TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`,
    );
    const chunk = (column: string) =>
      tables.row<{ start: number; bytes: number }>(
        `SELECT data_page_offset AS start, total_compressed_size AS bytes FROM parquet_metadata(${literal(path)})
         WHERE row_group_id = 1 AND path_in_schema = ${literal(column)}`,
      );
    const whole = readFileSync(path);
    for (const column of ['noise', 'prompt']) {
      const { start, bytes } = await chunk(column);
      const broken = Buffer.from(whole);
      broken.fill(0x55, start + Math.floor(bytes / 4), start + bytes);
      writeFileSync(path, broken);
      const { summary, out } = await check([], { data: [path] });
      expect(summary).toMatchObject({ rows: 4096, kept: 4096, unreadable: { 'unreadable Parquet': 2048 } });
      const clean = parquet([join(out, 'clean', '00000-rows.parquet')]);
      const first = `SELECT min(noise = md5('' || regexp_extract(prompt, '\\d+'))) AS same, count(*) AS rows FROM ${clean}`;
      expect(await tables.row(first)).toEqual({ same: true, rows: 4096 });
    }
    tables.close();
  });

  it('says which name of a column of a Parquet file is in its way', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curate-stand-alone-'));
    const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
    const path = join(folder, 'rows.parquet');
    await tables.copy("SELECT 'x' AS prompt, 1 AS file_row_number", path);
    tables.close();
    await expect(check([], { data: [path] })).rejects.toMatchObject({ parts: { try: 'another name for that column' } });
  });

  it('looks into a Parquet column of bytes that are text, and leaves it as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curate-stand-alone-'));
    const tables = await Tables.open({ temporaryFolder: join(folder, 'tmp') });
    const path = join(folder, 'rows.parquet');
    await tables.copy(
      `SELECT encode(prompt) AS prompt, '\\xFF\\x00'::BLOB AS image FROM (VALUES ('Fine. ä'), (${literal(question)})) rows(prompt)`,
      path,
    );
    const { summary, out } = await check([], { data: [path] });
    expect(summary).toMatchObject({ rows: 2, kept: 1, without_text: 0 });
    const clean = parquet([join(out, 'clean', '00000-rows.parquet')]);
    expect(await tables.rows(`SELECT decode(prompt) AS prompt, hex(image) AS image FROM ${clean}`)).toEqual([
      { prompt: 'Fine. ä', image: 'FF00' },
    ]);
    tables.close();
  });
});
