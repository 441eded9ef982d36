import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeRun, promptKey, runStage, type TestRow } from './run-folder.js';

/** Sixty short questions of a real benchmark. */
const items = readShipped().slice(0, 60);
const reworded =
  'Name the most common bacterium that causes pneumonia acquired in the community, out of hospital, in adults.';
const own = [
  ...items,
  {
    question: 'Which organism is the commonest cause of community acquired pneumonia in adults?',
    options: ['Streptococcus pneumoniae', 'Klebsiella'],
  },
];
const rows: TestRow[] = [
  { id: 'leak', prompt: reworded },
  { id: 'other', prompt: 'Write a short story about a lighthouse keeper who befriends a seagull.' },
  { id: 'chinese', prompt: '社区获得性肺炎最常见的病原体是什么？', language: 'zh' },
  { id: 'near', prompt: 'What is the first-line antibiotic for a child with acute otitis media?' },
];

describe('the method reworded', () => {
  it('flags a question in other words, keeps the rest, and says what it did not read', async () => {
    const context = await makeRun(rows, [3]);
    writeFileSync(context.resolve('bench.json'), JSON.stringify(own));
    const { verdicts, hits, report } = await runStage(context, {
      benchmarks: ['bench.json'],
      presets: ['ii-medical', 'reworded'],
    });
    expect(hits.map((hit) => [hit.method, hit.prompt_key])).toEqual([['reworded', promptKey(reworded)]]);
    expect(verdicts).toEqual([
      { id: 'leak', ngram_10: true, fuzzy_90: true, reworded: false, first_failed: 'reworded' },
      { id: 'other', ngram_10: true, fuzzy_90: true, reworded: true, first_failed: null },
      { id: 'chinese', ngram_10: true, fuzzy_90: true, reworded: true, first_failed: null },
      { id: 'near', ngram_10: true, fuzzy_90: true, reworded: true, first_failed: null },
    ]);
    expect(report.figures.reworded).toMatchObject({ prompts: 4, prompts_not_read: 1, prompts_hit: 1 });
  });

  it('finds the same however rows lie in files, and in WebAssembly as natively', async () => {
    const found = await Promise.all(
      [
        { sizes: [3], compute: 'native' as const },
        { sizes: [1, 1, 2], compute: 'native' as const },
        { sizes: [3], compute: 'portable' as const },
      ].map(async ({ sizes, compute }) => {
        const context = { ...(await makeRun(rows, sizes)), compute };
        writeFileSync(context.resolve('bench.json'), JSON.stringify(own));
        const { hits } = await runStage(context, { benchmarks: ['bench.json'], presets: ['reworded'] });
        return hits.map(({ method, item, prompt_key, score }) => ({ method, item, prompt_key, score: Number(score) }));
      }),
    );
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]?.map((hit) => ({ ...hit, score: expect.closeTo(hit.score, 2) })));
  });
});

function readShipped(): { question: string; options: string[] }[] {
  const file = new URL('../../data/samples/benchmarks/medmcqa/medmcqa.json.gz', import.meta.url);
  const read = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as unknown;
  return (Array.isArray(read) ? read : (Object.values(read as object)[0] as unknown[])) as never;
}
