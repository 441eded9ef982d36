import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/classify/classify.js';
import { classifyOptions } from '../../src/classify/options.js';
import type { Json } from '../../src/store/fingerprint.js';
import type { RunFolder } from '../../src/store/folder.js';
import { FaultyServer } from '../servers/faulty-openai.js';
import { contextOf, keyOf, put, smallRun } from './small-run.js';

let server: FaultyServer | undefined;
afterEach(async () => server?.close());

/** Forty prompts of two clusters, which the labeler calls Medical and Law. Two of the first are really about law. */
const medical = Array.from(
  { length: 20 },
  (_, index) => `Medical question ${index}${index > 17 ? ', really law' : ''}`,
);
const law = Array.from({ length: 20 }, (_, index) => `Law question ${index}`);

async function audit(run: RunFolder, options: object): Promise<{ [name: string]: Json }> {
  const parsed = classifyOptions.parse({ labeler: 'llm', labels: ['Medical', 'Law'], ...options });
  const context = contextOf(run);
  const report = await classify.work({}, parsed, context);
  return (await classify.finish([report], parsed, context)).figures.audit as { [name: string]: Json };
}

describe('an audit', () => {
  it('measures precision and recall by another model, each row on its own', async () => {
    server = await FaultyServer.start({
      models: ['labeler', 'judge'],
      answer: (prompt) => (/law/i.test(prompt) ? 'Law' : 'Medical'),
    });
    const run = await smallRun([medical, law]);
    const found = await audit(run, {
      endpoint: server.url,
      model: 'labeler',
      audit: { rows: 40, model: 'judge', keep: ['Medical'] },
    });
    expect(found).toMatchObject({ judge: 'judge', measure: 'audit', rows: 40, unjudged: 0 });
    expect(found.precision).toMatchObject({ estimate: 0.9 });
    expect(found.recall).toMatchObject({ estimate: 1 });
    const written = JSON.parse(readFileSync(run.file('labels', 'audit.json'), 'utf8')) as { judgements: Json[] };
    expect(written.judgements).toHaveLength(40);
  });

  it('by the labeler itself is called self-consistency, and never precision', async () => {
    server = await FaultyServer.start({
      models: ['labeler'],
      answer: (prompt) => (/law/i.test(prompt) ? 'Law' : 'Medical'),
    });
    const run = await smallRun([medical, law]);
    const found = await audit(run, { endpoint: server.url, model: 'labeler', audit: { rows: 10, keep: ['Medical'] } });
    expect(found).toMatchObject({ measure: 'self-consistency', judge: 'labeler' });
    expect(Object.keys(found)).not.toContain('precision');
    expect(readFileSync(run.file('labels', 'audit.json'), 'utf8')).not.toContain('precision');
  });

  it('takes a person’s judgements from a file and says how many are missing', async () => {
    server = await FaultyServer.start({
      models: ['labeler'],
      answer: (prompt) => (/law/i.test(prompt) ? 'Law' : 'Medical'),
    });
    const run = await smallRun([medical, law]);
    const lines = [...medical.slice(0, 18), ...law].map((text) =>
      JSON.stringify({ prompt_key: keyOf(text), label: /law/i.test(text) ? 'Law' : 'Medical' }),
    );
    put(run, 'judged.jsonl', lines.join('\n'));
    const found = await audit(run, {
      endpoint: server.url,
      model: 'labeler',
      audit: { rows: 40, judgements: './judged.jsonl', keep: ['Medical'] },
    });
    expect(found).toMatchObject({ judge: 'a person', measure: 'audit', unjudged: 2 });
    expect(found.precision).toEqual({ estimate: 1, low: 1, high: 1 });
  });
});
