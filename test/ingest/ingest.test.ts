import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ingest } from '../../src/ingest/ingest.js';
import { resolveSource } from '../../src/ingest/sources.js';
import { cutTasks, type IngestTask } from '../../src/ingest/tasks.js';
import type { TaskReport } from '../../src/pipeline/stage.js';
import { Problem } from '../../src/problem.js';
import { sha256 } from '../../src/store/fingerprint.js';
import { literal } from '../../src/store/tables.js';
import { IngestRun } from './run-ingest.js';

let folder: string;
let runs: IngestRun[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curate-sources-'));
  runs = [];
});
afterEach(() => {
  for (const run of runs) run.remove();
  rmSync(folder, { recursive: true, force: true });
});

function newRun(where = folder): IngestRun {
  const run = new IngestRun(where);
  runs.push(run);
  return run;
}

function write(name: string, content: string | Buffer | object[], root = folder): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Array.isArray(content) ? content.map((row) => `${JSON.stringify(row)}\n`).join('') : content);
}

const row = (n: number, more: object = {}) => ({
  prompt: `Question ${n}?`,
  response: `<think>Wait, ${n}</think>${n}`,
  ...more,
});
const rowsUpTo = (count: number, more: (n: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, n) => row(n, more(n)));
const columns = (path: string | string[], more: object = {}) => ({ path, adapter: 'columns', ...more });

async function problemOf(action: Promise<unknown>): Promise<Problem> {
  const error: unknown = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Problem) return error;
  throw error ?? new Error('expected a Problem');
}

describe('a row', () => {
  it('is read as it is written: BOM, CRLF, NUL, U+FEFF, 2 MB, unspaced scripts', async () => {
    const long = 'word '.repeat(400_000);
    const lines = [
      row(0, { prompt: 'a\u0000b' }),
      row(1, { prompt: 'x\ufeffy z' }),
      row(2, { response: `<think>${long}</think>A` }),
      row(3, { prompt: '急性心肌梗死的治疗' }),
    ];
    write('rows.jsonl', `\uFEFF${lines.map((each) => JSON.stringify(each)).join('\r\n')}\r\n`);
    const run = newRun();
    await run.all({ sources: [columns('rows.jsonl')] });
    const rows = await run.table('rows');
    expect(rows.map((each) => each.prompt)).toEqual(['a\u0000b', 'x\ufeffy z', 'Question 2?', '急性心肌梗死的治疗']);
    expect(rows.map((each) => each.prompt_words)).toEqual([1, 2, 2, 1]);
    expect(rows.map((each) => each.reasoning_words)).toEqual([2, 2, 400_000, 2]);
    expect(rows.map((each) => Number(each.prompt_words_segmented) > 1)).toEqual([false, true, true, true]);
    expect(rows.map((each) => each.reasoning_waits)).toEqual([1, 1, 0, 1]);
    expect(rows.map((each) => each.prompt_key)).toEqual(rows.map((each) => sha256(String(each.prompt)).slice(0, 32)));
    expect(String(rows[2]?.reasoning)).toBe(long.trim());
  });

  it('that cannot be read lies in quarantine with its place and reason, and is counted', async () => {
    write(
      'rows.jsonl',
      `${JSON.stringify(row(0))}\nnope\n${JSON.stringify(row(2, { prompt: '\ud800' }))}\n[1]\n${JSON.stringify(row(4, { prompt: ' ' }))}\n{"response":"x"}\n{"prompt":{"a":1},"response":"x"}\n{"prompt":"cut`,
    );
    const run = newRun();
    const report = await run.all({ sources: [columns('rows.jsonl')] });
    expect(await run.table('quarantine', 'source, file, row, "offset" IS NOT NULL AS placed, reason')).toEqual(
      [
        [1, 'not JSON'],
        [2, 'lone surrogate'],
        [3, 'not an object'],
        [4, 'empty prompt'],
        [5, 'prompt is missing'],
        [6, 'prompt is not text'],
        [7, 'cut off'],
      ].map(([line, reason]) => ({ source: 'rows', file: 'rows.jsonl', row: line, placed: true, reason })),
    );
    expect(report).toMatchObject({ in: 8, kept: 1, quarantined: 7, dropped: {} });
    expect(report.warnings).toEqual(['rows: rows.jsonl ends in the middle of a row; what stood before was read']);
  });

  it('stops the run where on_error is fail, with its line', async () => {
    write('rows.jsonl', `${JSON.stringify(row(0))}\nnope\n`);
    const problem = await problemOf(newRun().all({ sources: [columns('rows.jsonl', { on_error: 'fail' })] }));
    expect(problem.parts).toMatchObject({ where: 'rows.jsonl:2', found: 'not JSON' });
  });

  it('is complete only if the generator stopped by itself, where it says why', async () => {
    write('rows.jsonl', [row(0, { finish_reason: 'stop' }), row(1, { finish_reason: 'length' }), row(2)]);
    const run = newRun();
    await run.all({ sources: [columns('rows.jsonl')] });
    expect((await run.table('rows', 'complete')).map((each) => each.complete)).toEqual([true, false, true]);
  });

  it('keeps what no column took in metadata, and takes mapped columns', async () => {
    write('rows.csv', 'key,frage,denken,antwort,note\nk1,Was ist das?,R,A,5\n');
    const run = newRun();
    const map = { id: 'key', prompt: 'frage', reasoning: 'denken', answer: 'antwort' };
    await run.all({ sources: [columns('rows.csv', { map, name: 'mine', group: 'extra', license: 'CC0-1.0' })] });
    expect(
      await run.table('rows', 'id, source, "group", reasoning, answer, complete, language, license, metadata'),
    ).toEqual([
      {
        id: `mine-${sha256('k1').slice(0, 16)}`,
        source: 'mine',
        group: 'extra',
        reasoning: 'R',
        answer: 'A',
        complete: true,
        language: 'de',
        license: 'CC0-1.0',
        metadata: '{"note":"5"}',
      },
    ]);
  });
});

it('a run whose every row was quarantined still has its tables', async () => {
  write('rows.jsonl', '{"prompt":"","response":"x"}\n');
  const run = newRun();
  expect(await run.all({ sources: [columns('rows.jsonl')] })).toMatchObject({ in: 1, kept: 0, quarantined: 1 });
  expect(run.run.files('rows')).toHaveLength(1);
  expect(await run.table('rows')).toEqual([]);
  expect(await run.table('prompts')).toEqual([]);
});

describe('an id', () => {
  it('is the same in another folder, under another file name, in another order', async () => {
    const rows = rowsUpTo(20, (n) => (n % 2 === 0 ? { id: `native-${n}` } : {}));
    write('a/one.jsonl', rows);
    write('b/x/first.jsonl', rows.slice(12).reverse());
    write('b/x/second.jsonl', rows.slice(0, 12));
    const ids = async (path: string) => {
      const run = newRun();
      await run.all({ sources: [columns(path, { name: 'mine' })] });
      return (await run.table('rows', 'id')).map((each) => String(each.id)).sort();
    };
    const found = await ids('a/one.jsonl');
    expect(new Set(found).size).toBe(20);
    expect(await ids('b')).toEqual(found);
  });

  it('that repeats gets #2, #3 by what the rows say, not by where they stand', async () => {
    const rows = [row(1, { id: 'same' }), row(2, { id: 'same' }), row(3, { id: 'same' }), row(1, { id: 'same' })];
    write('a.jsonl', rows);
    write('b.jsonl', [...rows].reverse());
    const byPrompt = async (path: string) => {
      const run = newRun();
      await run.all({ sources: [columns(path, { name: 'mine' })] });
      return (await run.table('rows', 'id, prompt')).map((each) => `${each.id} ${each.prompt}`).sort();
    };
    const found = await byPrompt('a.jsonl');
    expect(found.map((each) => each.split(' ')[0]?.split('#')[1])).toEqual([undefined, '2', '3', '4']);
    expect(await byPrompt('b.jsonl')).toEqual(found);
  });
});

describe('entries', () => {
  it('of one source that match the same row: it belongs to the first and is claimed at the other', async () => {
    write(
      'rows.jsonl',
      rowsUpTo(10, (n) => ({ score: n })),
    );
    const run = newRun();
    const report = await run.all({
      sources: [
        columns('rows.jsonl', { where: 'score >= 6', group: 'medical' }),
        columns('rows.jsonl', { where: 'score >= 4', group: 'r1-traces' }),
      ],
    });
    expect(report).toMatchObject({ in: 20, kept: 6, dropped: { where: 10, claimed: 4 }, quarantined: 0 });
    expect(await run.table('rows', '"group", origin.row AS row')).toEqual([
      ...[6, 7, 8, 9].map((each) => ({ group: 'medical', row: each })),
      ...[4, 5].map((each) => ({ group: 'r1-traces', row: each })),
    ]);
  });

  it('with the same prompt and trace are duplicates: counted, or left out after the first', async () => {
    write('a.jsonl', rowsUpTo(4));
    write('b.jsonl', rowsUpTo(6));
    const sources = [columns('a.jsonl'), columns('b.jsonl')];
    const told = newRun();
    const report = await told.all({ sources });
    expect(report).toMatchObject({ in: 10, kept: 10, dropped: {}, figures: { duplicates: 4 } });
    const cut = newRun();
    expect(await cut.all({ sources, duplicates: 'keep-first' })).toMatchObject({
      in: 10,
      kept: 6,
      dropped: { duplicate: 4 },
    });
    expect((await cut.table('rows', 'source, prompt')).map((each) => each.source)).toEqual([
      'a',
      'a',
      'a',
      'a',
      'b',
      'b',
    ]);
  });

  it('list each distinct prompt once, where it first stands, with all its groups', async () => {
    write('a.jsonl', rowsUpTo(3));
    write('b.jsonl', [row(2), row(1, { response: '<think>other</think>1' }), row(5)]);
    const run = newRun();
    await run.all({
      sources: [columns('a.jsonl', { group: 'z' }), columns('b.jsonl', { group: 'y' })],
      duplicates: 'keep-first',
    });
    expect(await run.table('prompts')).toEqual([
      { prompt_key: sha256('Question 0?').slice(0, 32), file: '000-00000-000.parquet', row: 0, groups: ['z'] },
      { prompt_key: sha256('Question 1?').slice(0, 32), file: '000-00000-000.parquet', row: 1, groups: ['y', 'z'] },
      { prompt_key: sha256('Question 2?').slice(0, 32), file: '000-00000-000.parquet', row: 2, groups: ['z'] },
      { prompt_key: sha256('Question 5?').slice(0, 32), file: '001-00000-000.parquet', row: 1, groups: ['y'] },
    ]);
  });

  it('of questions alone are marked and never complete', async () => {
    write('q.jsonl', [{ question: 'Q', options: { A: 'a' }, answer: 'a', answer_idx: 'A' }]);
    const run = newRun();
    const report = await run.all({ sources: [{ use: 'medqa', path: 'q.jsonl', split: 'train' }] });
    expect(report.figures.sources).toMatchObject({ '000 medqa': { kept: 1, complete: 0, without_trace: 1 } });
  });
});

describe('a limit', () => {
  it('takes the same rows whatever the files, their order and the tasks', async () => {
    const rows = rowsUpTo(500);
    write('one/all.jsonl', rows);
    for (let part = 0; part < 5; part += 1)
      write(`many/p${9 - part}.jsonl`, rows.slice(part * 100, part * 100 + 100).reverse());
    const taken = async (path: string, seed: number) => {
      const run = newRun();
      run.seed = seed;
      const report = await run.all({ sources: [columns(path, { limit: 30, name: 'mine' })] }, (tasks) =>
        tasks.reverse(),
      );
      expect(report).toMatchObject({ in: 500, kept: 30, dropped: { limit: 470 } });
      expect(report.figures.sources).toMatchObject({ '000 mine': { limit: 30, sampled_from: 500 } });
      return (await run.table('rows', 'id')).map((each) => String(each.id)).sort();
    };
    const found = await taken('one', 42);
    expect(await taken('many', 42)).toEqual(found);
    expect(await taken('one', 43)).not.toEqual(found);
  });

  it('above the size takes all and says so', async () => {
    write('rows.jsonl', rowsUpTo(3));
    const report = await newRun().all({ sources: [columns('rows.jsonl', { limit: 5 })] });
    expect(report.kept).toBe(3);
    expect(report.warnings).toEqual(['rows: limit 5 is above its 3 rows; all of them were taken']);
  });

  it('of the command line reads no more than so many rows of each entry', async () => {
    write('rows.jsonl', rowsUpTo(30));
    write('array.json', JSON.stringify(rowsUpTo(30)));
    const run = newRun();
    run.limit = 7;
    expect(
      await run.all({ sources: [columns('rows.jsonl'), columns(['array.json', 'rows.jsonl'], { name: 'two' })] }),
    ).toMatchObject({ in: 14, kept: 14 });
  });
});

describe('the work', () => {
  it('of one large file is shared among tasks, whose order changes no byte and whose cuts no row', async () => {
    const text = 'Ärzte text '.repeat(20);
    const lines = Array.from({ length: 1300 }, (_, n) =>
      JSON.stringify(row(n, { response: `<think>${text}</think>${n}` })),
    );
    write('rows.jsonl', lines.map((line, n) => `${line}\n${n % 7 === 0 ? '\n' : ''}`).join(''));
    const run = newRun();
    await run.query(`COPY (SELECT 'Question ' || i AS prompt, repeat(sha256(i::VARCHAR), 2) AS response FROM range(5000) t(i))
      TO ${literal(join(folder, 'columns.parquet'))} (FORMAT parquet, ROW_GROUP_SIZE 4096)`);
    write('array.json', `[\n${lines.map((line) => line.replace('Question', 'Asked')).join(',\n')}\n]`);
    const spec = { sources: [columns('rows.jsonl'), columns('columns.parquet'), columns('array.json')] };
    const options = ingest.options.parse(spec);
    const cutInto = async (bytes: number, order: (tasks: IngestTask[]) => IngestTask[]) => {
      const target = newRun();
      const context = target.context();
      const tables = await context.openTables();
      const tasks: IngestTask[] = [];
      for (const [index, entry] of options.sources.entries()) {
        const source = await resolveSource(entry, index, context);
        tasks.push(...(await cutTasks(source, tables, null, async () => {}, bytes)));
      }
      tables.close();
      const reports = new Map<IngestTask, TaskReport>();
      for (const task of order([...tasks])) reports.set(task, await ingest.work(task, options, context));
      await ingest.finish(
        tasks.map((task) => reports.get(task) as TaskReport),
        options,
        context,
      );
      return { target, tasks };
    };
    const one = await cutInto(40_000, (tasks) => tasks);
    const turned = await cutInto(40_000, (tasks) => tasks.reverse());
    const whole = await cutInto(1 << 30, (tasks) => tasks);
    expect(one.tasks.filter((task) => task.entry === 0).length).toBeGreaterThan(8);
    expect(one.tasks.filter((task) => task.entry === 1).map((task) => [task.start, task.end])).toEqual(
      [0, 2048, 4096].map((start) => [start, Math.min(5000, start + 2048)]),
    );
    expect(one.tasks.filter((task) => task.entry === 2).length).toBeGreaterThan(8);
    expect(whole.tasks).toHaveLength(3);
    for (const entry of [0, 2]) {
      const sizes = one.tasks.filter((task) => task.entry === entry).map((task) => task.end - task.start);
      // Towards the end of the file they are small, so that no worker is left with a large one.
      expect(sizes[0]).toBeGreaterThan(20_000);
      expect(Math.max(...sizes.slice(-4))).toBeLessThan(8000);
    }
    expect(await turned.target.hashes('rows')).toEqual(await one.target.hashes('rows'));
    expect(await turned.target.hashes('prompts')).toEqual(await one.target.hashes('prompts'));
    const found = await whole.target.table('rows', 'id, source, origin.row AS row, answer');
    expect(await one.target.table('rows', 'id, source, origin.row AS row, answer')).toEqual(found);
    expect(found).toHaveLength(7_600);
    const placed = found.filter((each) => each.source === 'rows').map((each) => each.row);
    expect(placed).toEqual(lines.map((_, n) => n + Math.ceil(n / 7)));
  });

  it('says inside a file how far it is, in bytes of the file', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => row(n));
    write('array.json', JSON.stringify(rows));
    write('lines.jsonl', rows);
    for (const name of ['array.json', 'lines.jsonl']) await saysHowFar(name);
  });

  it('says so inside a compressed file too, whatever decompresses it', async () => {
    const lines = Array.from({ length: 60_000 }, (_, n) => JSON.stringify(row(n, { key: sha256(String(n)) }))).join(
      '\n',
    );
    write('lines.jsonl.gz', gzipSync(lines));
    write('array.json.gz', gzipSync(`[${lines.replaceAll('\n', ',')}]`));
    const records = Array.from({ length: 60_000 }, (_, n) => `Question ${sha256(String(n))},${n}\n`);
    write('table.csv.gz', gzipSync(`prompt,response\n${records.join('')}`));
    const run = newRun();
    await run.query(`COPY (SELECT 'Question ' || sha256(i::VARCHAR) AS prompt, i::VARCHAR AS response FROM range(90000) t(i))
      TO ${literal(join(folder, 'lines.jsonl.zst'))} (FORMAT json, COMPRESSION zstd)`);
    const names = ['lines.jsonl.gz', 'array.json.gz', 'table.csv.gz', 'lines.jsonl.zst'];
    for (const name of names) await saysHowFar(name);
  });

  async function saysHowFar(name: string): Promise<void> {
    const run = newRun();
    await run.all({ sources: [columns(name)] });
    const { size } = statSync(join(folder, name));
    const done = run.progress.map((each) => each.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.some((each) => each > 0.1 * size && each < size)).toBe(true);
    expect(new Set(run.progress.map(({ total, unit }) => `${total} ${unit}`))).toEqual(new Set([`${size} bytes`]));
  }

  it('of finish done twice, or killed between two shards, gives the same files', async () => {
    write(
      'rows.jsonl',
      rowsUpTo(4200, (n) => ({ id: n % 4000 })),
    );
    const spec = { sources: [columns('rows.jsonl', { limit: 2500 })] };
    const run = newRun();
    const options = ingest.options.parse(spec);
    const context = run.context();
    const reports = [];
    for (const task of await ingest.tasks(options, context)) reports.push(await ingest.work(task, options, context));
    const kept = run.run.files('rows');
    expect(kept.length).toBe(3);
    for (const path of kept) copyFileSync(path, `${path}.before`);
    const first = await ingest.finish(reports, options, context);
    const rows = await run.table('rows', 'prompt, origin.row AS row');
    expect(rows.map((each) => Number(each.row))).toEqual(rows.map((each) => Number(each.row)).sort((a, b) => a - b));
    expect(rows.every((each) => each.prompt === `Question ${each.row}?`)).toBe(true);
    const hashes = { ...(await run.hashes('rows')), ...(await run.hashes('prompts')) };
    expect(await ingest.finish(reports, options, context)).toEqual(first);
    expect({ ...(await run.hashes('rows')), ...(await run.hashes('prompts')) }).toEqual(hashes);
    // As if it had been killed after the first of three shards.
    for (const path of kept.slice(1)) copyFileSync(`${path}.before`, path);
    expect(await ingest.finish(reports, options, context)).toEqual(first);
    expect({ ...(await run.hashes('rows')), ...(await run.hashes('prompts')) }).toEqual(hashes);
  });
});

describe('before anything is read, one message tells of', () => {
  it.each([
    [
      'a path that matches nothing',
      { sources: [columns('none/*.jsonl')] },
      'sources[0] (none): no file at none/*.jsonl',
    ],
    [
      'a condition that is no SQL',
      { sources: [columns('rows.jsonl', { where: 'score >' })] },
      'sources[0] (rows).where is no SQL expression',
    ],
    [
      'a condition on a column that is not there',
      { sources: [columns('rows.jsonl', { where: 'scor > 1' })] },
      'sources[0] (rows).where names a column that rows do not have',
    ],
    [
      'a split that the source does not have',
      { sources: [{ use: 'medmcqa', path: 'rows.jsonl', split: 'dev' }] },
      'sources[0] (medmcqa): no split "dev"',
    ],
  ])('%s', async (_, spec, message) => {
    write(
      'rows.jsonl',
      rowsUpTo(3, (n) => ({ score: n })),
    );
    expect((await problemOf(newRun().all(spec))).message).toBe(message);
  });

  it('columns that are missing, those that are there, and the adapter that fits', async () => {
    write('rows.jsonl', [{ Question: 'Q', Complex_CoT: 'R', Response: 'A' }]);
    const problem = await problemOf(newRun().all({ sources: [{ use: 'general-thought', path: 'rows.jsonl' }] }));
    expect(problem.message).toBe('sources[0] (general-thought) lacks 3 columns that its adapter general-thought needs');
    expect(problem.parts.found).toBe(
      'missing question, model_answer, model_reasoning; there: Question, Complex_CoT, Response',
    );
    expect(problem.parts.try).toMatch(/^adapter: medical-o1 fits what is there; curate inspect /);
  });

  it.each([
    [{ sources: [] }, 'sources'],
    [{ sources: [{ use: 'general-thoughts' }] }, 'did you mean general-thought?'],
    [{ sources: [{ path: 'x' }] }, 'needs an adapter'],
    [{ sources: [{ adapter: 'columns' }] }, 'needs use, path or hub'],
    [{ sources: [{ path: 'x', hub: 'a/b', adapter: 'columns' }] }, 'exclude each other'],
    [{ sources: [{ path: 'x', adapter: 'messages', map: { prompt: 'q' } }] }, 'only the adapter columns'],
    [{ sources: [{ path: 'x', adapter: 'columns', limit: 0 }] }, 'limit'],
  ])('options: %j', (spec, told) => {
    const result = ingest.options.safeParse(spec);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(told);
  });
});
