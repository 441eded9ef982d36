import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inspectFile } from '../../src/ingest/inspect.js';
import { Tables } from '../../src/store/tables.js';
import { publishedShapes } from './published-shapes.js';

let folder: string;
let tables: Tables;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curate-inspect-'));
  tables = await Tables.open({ temporaryFolder: folder });
});
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, rows: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

/** The adapter of each source, by what its rows look like alone. */
const adapterOf: Record<string, string> = {
  'synthetic-1-sft': 'messages',
  openthoughts2: 'conversations',
  'light-r1': 'conversations',
  'nemotron-science': 'nemotron',
  'medical-r1-distill-zh': 'medical-r1-distill',
};

it.each(
  publishedShapes
    .filter((shape) => shape.entry?.adapter === undefined)
    .map((shape, index) => [shape.source, shape, index] as const),
)('the adapter of %s is found by its rows', async (source, shape, index) => {
  const inspection = await inspectFile(file(`${index}.jsonl`, shape.rows), tables, null);
  expect(inspection.adapter).toBe(adapterOf[source] ?? source);
  expect(inspection.sample.read).toBe(shape.rows.length);
  expect(inspection.sample.complete).toBeLessThanOrEqual(inspection.sample.kept);
});

it('a file is described by its format, columns and what three rows would become', async () => {
  const rows = Array.from({ length: 5 }, (_, n) => ({
    prompt: `Question ${n} about the heart?`,
    response: n === 0 ? 'R' : `<think>R</think>${n}`,
    score: n,
    tags: ['x'],
    note: n === 1 ? null : 'n',
  }));
  expect(await inspectFile(file('own.jsonl', [...rows, { prompt: '' }]), tables, null)).toMatchObject({
    format: 'jsonl',
    compression: 'none',
    rows: null,
    columns: [
      { name: 'prompt', type: 'text' },
      { name: 'response', type: 'text or nothing' },
      { name: 'score', type: 'number or nothing' },
      { name: 'tags', type: 'list or nothing' },
      { name: 'note', type: 'text or nothing' },
    ],
    adapter: 'columns',
    sample: { read: 6, kept: 5, complete: 4, withoutTrace: 0, quarantined: { 'empty prompt': 1 } },
    languages: { en: 5 },
    examples: [{ prompt: 'Question 0 about the heart?' }, { answer: '1' }, { answer: '2' }],
  });
});

it('where no adapter fits, those that lack least are named', async () => {
  const inspection = await inspectFile(file('none.jsonl', [{ question: 'Q', model_answer: 'A' }]), tables, null);
  expect(inspection).toMatchObject({
    adapter: null,
    fitting: [],
    examples: [],
    sample: { kept: 0, quarantined: { 'no adapter fits': 1 } },
  });
  expect(inspection.near[0]).toEqual({ adapter: 'general-thought', missing: ['model_reasoning'] });
});

it('an adapter that is asked for and does not fit says what it misses', async () => {
  const path = file('other.jsonl', [{ prompt: 'Q', response: 'A' }]);
  await expect(inspectFile(path, tables, 'medical-o1')).rejects.toThrow('the adapter medical-o1 does not fit');
  await expect(inspectFile(path, tables, 'nothing')).rejects.toThrow('no adapter "nothing"');
});
