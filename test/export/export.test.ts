import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BOOLEAN, DOUBLE, FLOAT, INTEGER, VARCHAR } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { exportStage } from '../../src/export/export.js';
import { Problem } from '../../src/problem.js';
import { sha256File } from '../../src/store/fingerprint.js';
import { filterRules, keyOf, methods, removeRuns, SmallRun, type TestRow } from './small-run.js';

const names = (count: number, prefix = 'row') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function judgedRun(files: TestRow[][]): Promise<SmallRun> {
  const small = new SmallRun();
  small.options.filter = { domain: { keep: ['Medical'] }, complete: true, wait_count: { at_most: 47 } };
  small.options.decontam = { presets: ['ii-medical'] };
  for (const [index, rows] of files.entries())
    await small.addRows(`000-${String(index).padStart(5, '0')}-000.parquet`, rows);
  return small;
}

function hashes(small: SmallRun): Promise<[string, string][]> {
  const files = readdirSync(small.run.table('dataset')).sort();
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [file, await sha256File(small.run.file('dataset', file))]),
  );
}

afterAll(removeRuns);

describe('the dataset', () => {
  it('holds the rows that every rule kept, in the order of rows/', async () => {
    const small = await judgedRun([
      [{ id: 'a' }, { id: 'b', fails: ['domain'] }, { id: 'c' }],
      [{ id: 'd', fails: ['fuzzy_90'] }, { id: 'e' }],
    ]);
    await small.exportRows();
    expect((await small.dataset('id')).map((row) => row.id)).toEqual(['a', 'c', 'e']);
  });

  it('has exactly the columns of the contract, with their types', async () => {
    const small = await judgedRun([[{ id: 'a', system: 'Be brief.' }]]);
    await small.exportRows();
    const tables = await small.context().openTables();
    const columns = await tables.describe(`SELECT * FROM read_parquet('${small.run.table('dataset')}/*.parquet')`);
    tables.close();
    expect(Object.fromEntries(columns.map((column) => [column.name, column.type]))).toEqual({
      id: 'VARCHAR',
      source: 'VARCHAR',
      group: 'VARCHAR',
      messages: 'STRUCT("role" VARCHAR, "content" VARCHAR)[]',
      question: 'VARCHAR',
      reasoning: 'VARCHAR',
      answer: 'VARCHAR',
      reference_answer: 'VARCHAR',
      model: 'VARCHAR',
      language: 'VARCHAR',
      domain: 'VARCHAR',
      cluster_id: 'INTEGER',
      question_words: 'INTEGER',
      trace_words: 'INTEGER',
      wait_count: 'INTEGER',
      origin: 'STRUCT(file VARCHAR, "row" BIGINT)',
      license: 'VARCHAR',
    });
    expect(await small.dataset()).toEqual([
      {
        id: 'a',
        source: 'general-thought',
        group: 'r1-traces',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What is the dose of a?' },
          { role: 'assistant', content: '<think>\nWait, a needs thought.\n</think>\n\nThe answer of a.' },
        ],
        question: 'What is the dose of a?',
        reasoning: 'Wait, a needs thought.',
        answer: 'The answer of a.',
        reference_answer: null,
        model: 'DeepSeek-R1',
        language: 'en',
        domain: null,
        cluster_id: null,
        question_words: 7,
        trace_words: 8,
        wait_count: 1,
        origin: { file: 'data.jsonl', row: 1 },
        license: 'MIT',
      },
    ]);
  });

  it('has a turn where there is text, and invents no half of a trace', async () => {
    const small = new SmallRun();
    await small.addRows('000-00000-000.parquet', [
      { id: 'no-answer', prompt: 'q', reasoning: 'r', answer: null },
      { id: 'no-reasoning', prompt: 'q', reasoning: null, answer: 'a' },
      { id: 'prompt-alone', prompt: 'q', reasoning: null, answer: null },
      { id: 'no-prompt', prompt: null, reasoning: null, answer: 'a' },
      { id: 'nothing', prompt: null, reasoning: null, answer: null },
    ]);
    await small.exportRows();
    expect((await small.dataset('messages')).map((row) => row.messages)).toEqual([
      [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: '<think>\nr\n</think>' },
      ],
      [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: 'a' },
      ],
      [{ role: 'user', content: 'q' }],
      [{ role: 'assistant', content: 'a' }],
      [],
    ]);
  });

  it('counts words and “Wait” as the filter was told to', async () => {
    const small = new SmallRun();
    small.options.filter = {
      prompt_words: { more_than: 3, words: 'literal' },
      trace_words: { less_than: 100, of: 'reasoning', words: 'segmented' },
    };
    await small.addRows('000-00000-000.parquet', [{ id: 'a' }]);
    await small.exportRows();
    expect(await small.dataset('question_words, trace_words')).toEqual([{ question_words: 6, trace_words: 5 }]);
  });

  it('carries the cluster and its label in the groups that were embedded, and nothing in others', async () => {
    const small = new SmallRun();
    Object.assign(small.options, {
      embed: { groups: ['r1-traces'] },
      cluster: { k: 2 },
      classify: { labeler: 'embedded' },
    });
    await small.addRows('000-00000-000.parquet', [
      { id: 'a', prompt: 'p' },
      { id: 'b', prompt: 'p', group: 'medical' },
    ]);
    await small.write(
      'clusters',
      'assignments.parquet',
      { prompt_key: VARCHAR, cluster_id: INTEGER, distance: FLOAT },
      [{ prompt_key: keyOf('p'), cluster_id: 7, distance: 0.5 }],
    );
    await small.write('labels', 'labels.parquet', labelTypes, [
      {
        cluster_id: 7,
        label: 'Medical',
        agreement: 1,
        agreement_high: 1,
        votes: 3,
        decided_by: 'votes',
        uncertain: false,
      },
    ]);
    await small.exportRows();
    expect(await small.dataset('id, domain, cluster_id')).toEqual([
      { id: 'a', domain: 'Medical', cluster_id: 7 },
      { id: 'b', domain: null, cluster_id: null },
    ]);
  });

  it('is cut into files of rows_per_file, across files of rows/', async () => {
    const small = await judgedRun([names(5, 'a').map((id) => ({ id })), names(4, 'b').map((id) => ({ id }))]);
    await small.exportRows({ rows_per_file: 4 });
    const files = readdirSync(small.run.table('dataset')).filter((file) => file.endsWith('.parquet'));
    expect(files).toEqual([
      'train-00000-of-00003.parquet',
      'train-00001-of-00003.parquet',
      'train-00002-of-00003.parquet',
    ]);
    expect((await small.dataset('id')).map((row) => row.id)).toEqual([...names(5, 'a'), ...names(4, 'b')]);
  });

  it('is one valid empty file where no row was kept, or there was none', async () => {
    for (const rows of [[{ id: 'a', fails: ['complete'] }], []]) {
      const small = await judgedRun([rows]);
      const report = await small.export();
      expect(readdirSync(small.run.table('dataset'))).toContain('train-00000-of-00001.parquet');
      expect(await small.dataset('id')).toEqual([]);
      expect(report).toMatchObject({ in: rows.length, kept: 0 });
    }
    const nothing = new SmallRun();
    expect(await nothing.export()).toMatchObject({ in: 0, kept: 0 });
    expect(await nothing.dataset('id, messages')).toEqual([]);
  });

  it('is the same bytes whatever the order of tasks, the workers and an earlier, larger dataset', async () => {
    const rows = names(3000).map((id, index) => ({ id, fails: index % 3 === 0 ? ['domain'] : [] }));
    const one = await judgedRun([rows.slice(0, 1700), rows.slice(1700)]);
    const two = await judgedRun([rows.slice(0, 1700), rows.slice(1700)]);
    await one.export({ rows_per_file: 900 });
    await two.export({ rows_per_file: 300 }, 'last');
    await two.export({ rows_per_file: 900 }, 'last');
    expect(await hashes(two)).toEqual(await hashes(one));
    const finishedAgain = await one.export({ rows_per_file: 900 });
    expect(finishedAgain.kept).toBe(2000);
    expect(await hashes(two)).toEqual(await hashes(one));
  });

  it('keeps its rows in order whichever are kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 30 }),
        async (kept, perFile) => {
          const files = kept.map((flags, file) =>
            flags.map((keep, index) => ({ id: `f${file}-${index}`, fails: keep ? [] : ['wait_count'] })),
          );
          const small = await judgedRun(files);
          await small.exportRows({ rows_per_file: perFile });
          const expected = files
            .flat()
            .filter((row) => row.fails.length === 0)
            .map((row) => row.id);
          expect((await small.dataset('id')).map((row) => row.id)).toEqual(expected);
          rmSync(small.run.path, { recursive: true });
        },
      ),
      { numRuns: 8 },
    );
  });

  it('holds rows of megabytes without holding them all in memory', async () => {
    const small = new SmallRun();
    const long = 'Wait, a long thought. '.repeat(100_000);
    for (let file = 0; file < 4; file += 1) {
      await small.addRows(
        `000-0000${file}-000.parquet`,
        names(12, `f${file}`).map((id) => ({ id, reasoning: long })),
      );
    }
    await small.exportRows();
    const [row] = await small.dataset('count(*) AS rows, min(length(messages[2].content)) AS characters');
    expect(row).toEqual({
      rows: 48,
      characters: long.length + '<think>\n\n</think>\n\n'.length + 'The answer of f0-0.'.length,
    });
  });
});

describe('what export refuses', () => {
  it('a row that a stage has not judged, by its id', async () => {
    const small = await judgedRun([[{ id: 'a' }, { id: 'b' }]]);
    rmSync(small.run.file('verdicts/decontam', '000-00000-000.parquet'));
    await small.write(
      'verdicts/decontam',
      '000-00000-000.parquet',
      { id: VARCHAR, ngram_10: BOOLEAN, first_failed: VARCHAR },
      [{ id: 'a', ngram_10: true, first_failed: null }],
    );
    const problem = await small.exportRows().catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      message: 'export refuses rows that the stage decontam has not judged',
      parts: { items: ['b'] },
    });
  });

  it('verdicts that are not there at all', async () => {
    const small = await judgedRun([[{ id: 'a' }]]);
    rmSync(small.run.table('verdicts/filter'), { recursive: true });
    await expect(small.exportRows()).rejects.toThrow('export refuses rows that the stage filter has not judged');
  });

  it('two verdicts for one row', async () => {
    const small = await judgedRun([[{ id: 'a' }, { id: 'b' }]]);
    const path = small.run.file('verdicts/filter', '000-00000-000.parquet');
    copyFileSync(path, path.replace('000-00000', '000-00001'));
    await expect(small.exportRows()).rejects.toThrow('does not fit rows/');
  });

  it('an unknown option', () => {
    expect(() => exportStage.options.parse({ rows_per_files: 3 })).toThrow('rows_per_files');
  });
});

describe('the account', () => {
  it('counts each row once, under the first rule that it failed, and adds up', async () => {
    const small = await judgedRun([
      [
        { id: 'kept' },
        { id: 'domain', fails: ['domain'] },
        { id: 'domain-and-leak', fails: ['domain', 'ngram_10'] },
        { id: 'unfinished', fails: ['complete', 'wait_count'] },
        { id: 'waits', fails: ['wait_count'] },
        { id: 'leak', fails: ['ngram_10', 'fuzzy_90'] },
        { id: 'near', fails: ['fuzzy_90'] },
      ],
    ]);
    const report = await small.export();
    expect(report).toMatchObject({ unit: 'rows', in: 7, kept: 1, quarantined: 0 });
    expect(Object.entries(report.dropped)).toEqual([
      ['domain', 2],
      ['incomplete', 1],
      ['prompt_words', 0],
      ['trace_words', 0],
      ['wait_count', 1],
      ['ngram_10', 1],
      ['fuzzy_90', 1],
    ]);
    expect(Object.keys(report.dropped)).toHaveLength(filterRules.length + methods.length);
  });
});

describe('dataset_info.json', () => {
  it('names the file for LLaMA-Factory, or the folder where there are several', async () => {
    const small = await judgedRun([[{ id: 'a' }, { id: 'b' }]]);
    small.writeState('run.json', { format: 1, name: 'ii-medical', version: '0.1.0' });
    const read = () => JSON.parse(readFileSync(join(small.run.table('dataset'), 'dataset_info.json'), 'utf8'));
    await small.export();
    expect(read()['ii-medical']).toMatchObject({
      file_name: 'train-00000-of-00001.parquet',
      columns: { messages: 'messages' },
    });
    await small.export({ rows_per_file: 1 });
    expect(read()['ii-medical']).toMatchObject({ script_url: '.', formatting: 'sharegpt' });
  });
});

const labelTypes = {
  cluster_id: INTEGER,
  label: VARCHAR,
  agreement: DOUBLE,
  agreement_high: DOUBLE,
  votes: INTEGER,
  decided_by: VARCHAR,
  uncertain: BOOLEAN,
};
