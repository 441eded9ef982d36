import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { classify } from '../../src/classify/classify.js';
import { classifyOptions } from '../../src/classify/options.js';
import { Output } from '../../src/cli/output.js';
import { reviewClusters } from '../../src/cli/review-clusters.js';
import type { RunFolder } from '../../src/store/folder.js';
import { FaultyServer } from '../servers/faulty-openai.js';
import { contextOf, keyOf, labelsOf, put, smallRun } from './small-run.js';

let server: FaultyServer | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
});

const sure = ['a cough', 'a fever', 'a rash'].map((text) => `Medical: ${text}`);
const torn = ['Law: a lease', 'Medical: a will to live', 'History: a king'];

async function labelled(): Promise<{ run: RunFolder; again: () => Promise<void> }> {
  server = await FaultyServer.start({ answer: (prompt) => prompt.split(':')[0] ?? '' });
  const run = await smallRun([sure, torn]);
  const stages = {
    classify: {
      labeler: 'llm',
      endpoint: server.url,
      model: 'judge-32b',
      labels: ['Medical', 'Law', 'History'],
      overrides: './overrides.yaml',
    },
  };
  mkdirSync(join(run.path, '.curate'), { recursive: true });
  put(run, '.curate/pipeline.json', JSON.stringify({ folder: run.path, file: 'pipeline.yaml', stages }));
  const options = classifyOptions.parse(stages.classify);
  const again = async () => {
    const context = contextOf(run);
    await classify.finish([await classify.work({}, options, context)], options, context);
  };
  await again();
  return { run, again };
}

it('a review shows the least certain cluster first, takes a verdict and lets the next run use it', async () => {
  const { run, again } = await labelled();
  const shown: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => shown.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await reviewClusters(run.path, new Output({ color: false }), { top: 20 }, Readable.from(['Histroy\nhistory\nq\n']));
  const text = shown.join('');
  expect(text.indexOf('cluster 1')).toBeGreaterThan(-1);
  expect(text.indexOf('cluster 1')).toBeLessThan(text.indexOf('cluster 0'));
  for (const prompt of torn) expect(text).toContain(prompt);
  expect(text).toContain('1 verdict on 2 clusters');
  expect(parse(readFileSync(join(run.path, 'overrides.yaml'), 'utf8'))).toEqual({
    overrides: [{ label: 'History', exemplars: torn.map(keyOf) }],
  });
  await again();
  expect((await labelsOf(run))[1]).toMatchObject({ label: 'History', decided_by: 'person', uncertain: false });
});

it('a verdict can be given without being asked, and a second one replaces the first', async () => {
  const { run } = await labelled();
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const output = new Output({ color: false });
  await reviewClusters(run.path, output, { top: 1, id: 1, label: 'law' });
  await reviewClusters(run.path, output, { top: 1, id: 1, label: 'Medical' });
  expect(parse(readFileSync(join(run.path, 'overrides.yaml'), 'utf8'))).toEqual({
    overrides: [{ label: 'Medical', exemplars: torn.map(keyOf) }],
  });
  await expect(reviewClusters(run.path, output, { top: 1, id: 1, label: 'Medicine' })).rejects.toThrow(/no label/);
});
