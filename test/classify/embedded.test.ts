import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/classify/classify.js';
import { classifyOptions } from '../../src/classify/options.js';
import { contextOf, keyOf, labelsOf, put, smallRun } from './small-run.js';

const medical = [
  'Which antibiotic is given for a urinary tract infection in pregnancy?',
  'A man with chest pain and ST elevation arrives. What do you do first?',
  'What are the symptoms of hypothyroidism, and how is it treated?',
];
const law = [
  'Can a tenant sue the landlord for breach of the lease?',
  'The defendant was convicted of burglary. Does she have grounds for appeal?',
];
const code = ['Write a Java program that reads a file, and fix the compiler error.'];

async function label(run: Awaited<ReturnType<typeof smallRun>>, options: object = {}) {
  const parsed = classifyOptions.parse(options);
  const context = contextOf(run);
  const report = await classify.work({}, parsed, context);
  return classify.finish([report], parsed, context);
}

describe('the embedded labeler', () => {
  it('labels clusters by the plurality of their exemplars and says who did', async () => {
    const run = await smallRun([medical, law, code], { vectors: true });
    const report = await label(run);
    const labels = await labelsOf(run);
    expect(labels.map((row) => row.label)).toEqual(['Medical', 'Law', 'Computer Science']);
    expect(labels.map((row) => row.decided_by)).toEqual(['embedded', 'embedded', 'embedded']);
    expect(labels.map((row) => row.votes)).toEqual([3, 2, 1]);
    expect(report).toMatchObject({ unit: 'clusters', in: 3, kept: 3, dropped: {}, quarantined: 0 });
    expect(report.figures).toMatchObject({
      labeler: 'embedded',
      label_set: 'medical-domains.yaml',
      labels: { Medical: { clusters: 1, prompts: 3 }, Law: { clusters: 1, prompts: 2 } },
    });
  });

  it('gives the same bytes again', async () => {
    const run = await smallRun([medical, law], { vectors: true });
    await label(run);
    const files = ['labels.parquet', 'votes.jsonl'].map((file) => run.file('labels', file));
    const before = files.map((file) => readFileSync(file, 'hex'));
    await label(run);
    expect(files.map((file) => readFileSync(file, 'hex'))).toEqual(before);
  });

  it('takes labels of one’s own, described in a word or a sentence', async () => {
    const run = await smallRun([['How do I bake bread?'], ['How do I fly a kite?']], { vectors: true });
    await label(run, { labels: ['cooking and baking', { name: 'toys', description: 'kites, dolls and other toys' }] });
    expect((await labelsOf(run)).map((row) => row.label)).toEqual(['cooking and baking', 'toys']);
  });

  it('lets a person outrank the votes, by exemplars, and shows it', async () => {
    const run = await smallRun([medical, law], { vectors: true });
    const known = [...law, 'a prompt that has gone'].map(keyOf);
    put(run, 'overrides.yaml', `overrides:\n  - label: History\n    exemplars: [${known.join(', ')}]\n`);
    const report = await label(run, { overrides: './overrides.yaml' });
    const labels = await labelsOf(run);
    expect(labels[1]).toMatchObject({ label: 'History', decided_by: 'person', votes: 2, uncertain: false });
    expect(labels[0]).toMatchObject({ label: 'Medical', decided_by: 'embedded' });
    expect(report.figures.by_person).toBe(1);
  });
});
