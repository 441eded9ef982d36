import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, parquet, Tables } from '../../src/store/tables.js';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const scratch = mkdtempSync(join(tmpdir(), 'curate-decontam-'));
const question = 'A 45-year-old man has crushing chest pain radiating to the left arm and sweating. What is it?';
const leak = `😀😀 Help me!\n${question.toUpperCase()}`;
const benchmark = join(scratch, 'own.json');
const lines = join(scratch, 'rows.jsonl');
const nested = join(scratch, 'chats.parquet');
let outputs = 0;
let tables: Tables;

/** Runs the command on the data and says what it printed and wrote. */
async function check(data: readonly string[], ...options: string[]) {
  outputs += 1;
  const out = join(scratch, `out-${outputs}`);
  const args = ['decontam', ...data, '--benchmarks', benchmark, '--out', out, '--workers', '1', ...options];
  const ran = spawnSync(process.execPath, [command, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
  });
  const read = (file: string) => tables.rows(`SELECT * FROM ${parquet([join(out, file)])}`);
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr, out, read };
}

beforeAll(async () => {
  tables = await Tables.open({ temporaryFolder: join(scratch, 'tmp') });
  writeFileSync(benchmark, JSON.stringify([{ item: 'q1', question, options: ['Infarction', 'Pericarditis'] }]));
  const rows = [
    { id: 'clean', prompt: 'What is the capital of France?', response: `I remember: ${question}` },
    { id: 'leak', prompt: leak, response: 'An infarction.' },
  ];
  writeFileSync(lines, rows.map((row) => JSON.stringify(row)).join('\n'));
  const chat = (text: string) =>
    `[{role: 'system', content: 'You help.'}, {role: 'user', content: 'Hello'}, {role: 'assistant', content: 'Hi'}, {role: 'user', content: ${literal(text)}}]`;
  await tables.copy(
    `SELECT 'c1' AS id, ${chat('Why is the sky blue?')} AS messages, {a: 1} AS meta UNION ALL SELECT 'c2', ${chat(leak)}, {a: 2} ORDER BY id`,
    nested,
  );
});
afterAll(() => {
  tables.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('curate decontam on files', () => {
  it('finds leaks in JSONL and in the last turn of nested messages of Parquet, and keeps the other rows as they were', async () => {
    const { status, stdout, out, read } = await check([lines, nested], '--preset', 'ii-medical', '--preset', 'strict');
    expect(status).toBe(0);
    const hits = await read('hits.parquet');
    expect(hits.map(({ id, field, method }) => [id, field, method])).toEqual([
      ['leak', 'prompt', 'ngram_10'],
      ['leak', 'prompt', 'strict'],
      ['c2', 'messages', 'ngram_10'],
      ['c2', 'messages', 'strict'],
    ]);
    expect((await read('clean/00000-rows-0000.parquet')).map(({ id }) => id)).toEqual(['clean']);
    expect(await read('clean/00001-chats.parquet')).toEqual(
      await tables.rows(`SELECT * FROM ${parquet([nested])} WHERE id = 'c1'`),
    );
    expect(stdout).toContain('kept 2 of 4 rows · 2 ngram_10');
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({ rows: 4, kept: 2, flagged: 2 });
  });

  it('gives spans in code points of the text as it was written', async () => {
    const { read } = await check([lines], '--preset', 'strict');
    const [hit] = await read('hits.parquet');
    const span = [...leak].slice(Number(hit?.span_start), Number(hit?.span_end)).join('');
    expect(span).toBe(hit?.text);
    expect(span).toBe(question.toUpperCase().slice(0, -1));
    expect(hit?.span_start).toBe(12);
  });

  it('exits 1 with --fail-on-hits where a row is flagged, and 0 where none is', async () => {
    const found = await check([lines], '--fail-on-hits');
    expect(found.status).toBe(1);
    expect(found.stderr).toContain('1 row flagged, and --fail-on-hits was asked for');
    expect(existsSync(join(found.out, 'hits.parquet'))).toBe(true);
    const clean = join(scratch, 'clean.jsonl');
    writeFileSync(clean, JSON.stringify({ prompt: 'Why is the sky blue?' }));
    expect((await check([clean], '--fail-on-hits')).status).toBe(0);
  });

  it('keeps what a person allowed, counts it and shows the verdicts', async () => {
    const allow = join(scratch, 'allow.yaml');
    const key = createHash('sha256').update(leak).digest('hex').slice(0, 32);
    writeFileSync(
      allow,
      `- { prompt_key: ${key}, benchmark: own, item: q1, note: a quotation }\n- { prompt_key: ${'f'.repeat(32)}, benchmark: own, item: q1 }\n`,
    );
    const { status, stdout, stderr, read } = await check([lines], '--allow', allow, '--fail-on-hits');
    expect(status).toBe(0);
    expect((await read('clean/*.parquet')).map(({ id }) => id)).toEqual(['clean', 'leak']);
    expect(await read('hits.parquet')).toHaveLength(1);
    expect(stdout).toContain('1 hit allowed');
    expect(stdout).toMatch(/own +q1 +any +leak +1 +a quotation/);
    expect(stderr).toContain('1 allowed hit of the file fit nothing that was found');
    expect((await check([lines], '--allow', join(scratch, 'none.yaml'))).stderr).toContain(
      'no such file of allowed hits',
    );
  });

  it('says with --self-test how many planted leaks each method found', async () => {
    const { stdout, out } = await check([lines], '--preset', 'ii-medical', '--preset', 'strict', '--self-test');
    expect(stdout).toMatch(/planted leaks found again +ngram_10 +fuzzy_90 +strict/);
    expect(stdout).toMatch(/verbatim +100 of 100 +100 of 100 +100 of 100/);
    expect(stdout).toMatch(/inside a chat template +\d+ of 100 +\d+ of 100 +100 of 100/);
    const { self_test } = JSON.parse(readFileSync(join(out, 'coverage.json'), 'utf8')) as { self_test: object[] };
    expect(self_test).toContainEqual({ kind: 'verbatim', method: 'strict', planted: 100, blind: 0, found: 100 });
  });

  it('looks into answers with --traces alone', async () => {
    const { read } = await check([lines], '--traces');
    const hits = await read('hits.parquet');
    expect(hits.map(({ id, field, method }) => [id, field, method])).toEqual([
      ['clean', 'response', 'ngram_10'],
      ['clean', 'response', 'fuzzy_90'],
      ['leak', 'prompt', 'ngram_10'],
    ]);
    expect([...`I remember: ${question}`].slice(Number(hits[0]?.span_start), Number(hits[0]?.span_end)).join('')).toBe(
      hits[0]?.text,
    );
  });

  it('says in words, with exit 2, that the output cannot be written or a folder was named for a file', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [command, 'decontam', lines, ...args, '--workers', '1'], { encoding: 'utf8' });
    const file = join(scratch, 'a-file');
    writeFileSync(file, 'x');
    for (const out of [file, join(file, 'below')]) {
      const { status, stderr } = run('--benchmarks', benchmark, '--out', out);
      expect([status, stderr.split('\n')[0]]).toEqual([2, expect.stringMatching(/^error: the folder cannot be made/)]);
    }
    const { status, stderr } = run('--benchmarks', scratch, '--out', join(scratch, 'never'));
    expect([status, stderr.split('\n')[0]]).toEqual([2, 'error: a folder stands where a file is to be read']);
  });

  it('refuses options that would have no effect, and counts hits of a set whatever its name', async () => {
    const pipeline = join(scratch, 'pipeline.yaml');
    writeFileSync(pipeline, 'name: x\nsources: []\n');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [command, 'decontam', ...args], { encoding: 'utf8' });
    expect(run(pipeline, '--fail-on-hits')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: --fail-on-hits would have no effect here/),
    });
    expect(await check([lines], '--frozen', '--limit', '5')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: --limit, --frozen would have no effect here/),
    });
    const sets = join(scratch, 'sets.jsonl');
    const named = ['__proto__', 'constructor'].map((bench) => JSON.stringify({ bench, question }));
    writeFileSync(sets, named.join('\n'));
    const { status, stdout } = run(lines, '--benchmarks', sets, '--out', join(scratch, 'sets'));
    expect([status, stdout]).toEqual([0, expect.stringMatching(/__proto__ +1 +1 .*\nconstructor +1 +1 /)]);
  });
});
