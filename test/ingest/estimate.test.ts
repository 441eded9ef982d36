import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { estimateSources, type SourceEstimate } from '../../src/ingest/estimate.js';
import { options } from '../../src/ingest/options.js';
import { readSourceFile, sourceNames } from '../../src/ingest/source-file.js';
import { HubServer } from './hub-server.js';
import { IngestRun } from './run-ingest.js';

let folder: string;
let server: HubServer;
const saved = { ...process.env };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curate-estimate-'));
  server = new HubServer();
  await server.start();
  server.name = 'FreedomIntelligence/Medical-R1-Distill-Data';
  server.files = {
    'a.json': { content: Buffer.from('[]'.padEnd(5000)), lfs: true },
    'b.md': { content: Buffer.from('x'), lfs: false },
  };
  Object.assign(process.env, { HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: folder });
});
afterEach(async () => {
  process.env = { ...saved };
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function estimate(sources: object[]): Promise<SourceEstimate[]> {
  const run = new IngestRun(folder);
  const context = run.context();
  const tables = await context.openTables();
  try {
    return await estimateSources(options.parse({ sources }), context, tables);
  } finally {
    tables.close();
    run.remove();
  }
}

it('sizes are those of the files that are here', async () => {
  const line = `${JSON.stringify({ prompt: 'Question?', response: 'x'.repeat(80) })}\n`;
  writeFileSync(join(folder, 'rows.jsonl'), line.repeat(30_000));
  expect(await estimate([{ path: 'rows.jsonl', adapter: 'columns', limit: 10 }])).toEqual([
    {
      entry: 0,
      source: 'rows',
      rows: expect.closeTo(30_000, -2),
      limit: 10,
      bytes: line.length * 30_000,
      fetchBytes: 0,
      textBytes: null,
      approximate: false,
      basis: 'files',
      windowGigabytes: 0,
    },
  ]);
});

it('sizes are those that the hub lists, and nothing is fetched', async () => {
  expect(await estimate([{ use: 'medical-r1-distill' }])).toMatchObject([
    { rows: 22_000, bytes: 5000, fetchBytes: 5000, basis: 'listing' },
  ]);
  expect(server.requests.some((request) => request.url.includes('/resolve/'))).toBe(false);
});

it('sizes are the published ones where the hub does not answer', async () => {
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  expect(
    await estimate([{ use: 'synthetic-1' }, { use: 'medmcqa', split: 'train' }, { use: 'am-r1-distilled' }]),
  ).toMatchObject([
    { source: 'synthetic-1', rows: 1_994_262, bytes: 26_387_270_354, textBytes: 55_101_910_464, approximate: false },
    { source: 'medmcqa', rows: 182_822, approximate: true, basis: 'published' },
    { source: 'am-r1-distilled', windowGigabytes: 2, basis: 'published' },
  ]);
});

it('files that two entries read are fetched once', async () => {
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  const twice = await estimate([{ use: 'general-thought' }, { use: 'general-thought', where: 'verifier_score >= 1' }]);
  expect(twice.map(({ fetchBytes, bytes }) => [fetchBytes === 0, bytes])).toEqual([
    [false, 1_200_000_000],
    [true, 1_200_000_000],
  ]);
});

it('every source that ships says its rows and bytes, so that a plan needs no network', () => {
  for (const name of sourceNames()) {
    const { size } = readSourceFile(name);
    expect([name, (size.rows ?? 0) > 0, (size.bytes ?? 0) > 0, (size.text ?? 0) > 0]).toEqual([name, true, true, true]);
  }
});
