import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterNamed, fittingAdapters, missingColumns } from '../../src/ingest/adapters.js';
import { parsePythonLiteral } from '../../src/ingest/python-literal.js';
import { readSourceFile, sourceNames } from '../../src/ingest/source-file.js';
import { literal, Tables } from '../../src/store/tables.js';
import { type PublishedShape, publishedShapes } from './published-shapes.js';
import { IngestRun } from './run-ingest.js';

let folder: string;
let tables: Tables;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curate-shapes-'));
  tables = await Tables.open({ temporaryFolder: folder });
});
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The rows in the format that the source publishes. */
async function publish(shape: PublishedShape, root: string): Promise<void> {
  const path = join(root, shape.file);
  mkdirSync(dirname(path), { recursive: true });
  if (shape.file.endsWith('.json')) writeFileSync(path, JSON.stringify(shape.rows, null, 2));
  else {
    const lines = shape.file.endsWith('.parquet') ? `${path}.jsonl` : path;
    writeFileSync(lines, shape.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    if (lines === path) return;
    await tables.run(`COPY (SELECT * FROM read_json_auto(${literal(lines)})) TO ${literal(path)} (FORMAT parquet)`);
    rmSync(lines);
  }
}

describe('a published shape becomes canonical rows', () => {
  it.each(
    publishedShapes.map(
      (shape, index) => [`${shape.source} ${shape.entry?.config ?? shape.entry?.adapter ?? ''}`, shape, index] as const,
    ),
  )('%s', async (_, shape, index) => {
    const root = join(folder, String(index));
    await publish(shape, root);
    const run = new IngestRun(root);
    const report = await run.all({ sources: [{ use: shape.source, path: '.', ...shape.entry }] });
    const rows = (await run.table('rows')).map((row) => ({
      ...row,
      metadata: JSON.parse(String(row.metadata)) as unknown,
    }));
    expect(rows).toHaveLength(shape.expected.length);
    expect(rows).toMatchObject(shape.expected);
    expect(rows.every((row) => String((row as { source?: string }).source) === shape.source)).toBe(true);
    expect((await run.table('quarantine', 'reason')).map((row) => row.reason)).toEqual(shape.quarantined ?? []);
    expect(report.dropped).toEqual(shape.where === undefined ? {} : { where: shape.where });
    expect(report.in).toBe(shape.rows.length);
    run.remove();
  });
});

describe('the sources that ship', () => {
  it('are the sixteen of the recipe, each tried above', () => {
    expect(sourceNames()).toEqual([
      'am-r1-distilled',
      'dolphin-r1',
      'general-thought',
      'light-r1',
      'm23k',
      'medical-o1',
      'medical-r1-distill',
      'medical-r1-distill-zh',
      'medmcqa',
      'medqa',
      'medreason',
      'nemotron-science',
      'openthoughts2',
      'r1-distill-sft',
      'synthetic-1',
      'synthetic-1-sft',
    ]);
    expect([...new Set(publishedShapes.map((shape) => shape.source))].sort()).toEqual(sourceNames());
  });

  it.each(sourceNames())('%s names the columns that its adapter needs', (name) => {
    const source = readSourceFile(name);
    expect(source.name).toBe(name);
    expect(missingColumns(adapterNamed(source.adapter), source.columns)).toEqual([]);
    expect(fittingAdapters(source.columns)[0]?.needs.length).toBe(adapterNamed(source.adapter).needs.length);
  });
});

describe('Python literals', () => {
  it.each([
    [
      "{'a': None, 'b': [True, False, 1.5, -2], 'c': ('x', \"it's\"), }",
      { a: null, b: [true, false, 1.5, -2], c: ['x', "it's"] },
    ],
    ["'\\n\\x41\\u00e9\\\\'", '\nAé\\'],
    ['{"json": true, "n": null}', { json: true, n: null }],
    ['12345678901234567890', '12345678901234567890'],
    ['nan', null],
    ['[', undefined],
    ["{'a' 1}", undefined],
    ['datetime(2020, 1, 1)', undefined],
    ['{} x', undefined],
  ])('%s', (text, value) => {
    expect(parsePythonLiteral(text)).toEqual(value);
  });

  it('nested too deep are none', () => {
    expect(parsePythonLiteral('['.repeat(1000) + ']'.repeat(1000))).toBeUndefined();
  });
});
