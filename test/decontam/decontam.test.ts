import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/problem.js';
import { sha256File } from '../../src/store/fingerprint.js';
import { makeRun, promptKey, runStage, type TestRow } from './run-folder.js';

const question = 'A 45-year-old man has crushing chest pain radiating to the left arm and sweating. What is it?';
const own = {
  first: [
    { question, options: { A: 'Myocardial infarction', B: 'Pericarditis' }, answer_idx: 'A' },
    { question: 'Drug causing gingival hyperplasia?', options: { A: 'Phenytoin', B: 'Aspirin' } },
  ],
};
const rows: TestRow[] = [
  { id: 'wrapped', prompt: `Answer.\n\n${question.toUpperCase()}\nA) x` },
  { id: 'short-near', prompt: 'Drug causing gingival hyperplasia', passes: false },
  { id: 'other', prompt: 'What is the capital of France?', reasoning: `I remember: ${question}`, answer: 'Paris' },
  { id: 'wrapped-again', prompt: `Answer.\n\n${question.toUpperCase()}\nA) x`, reasoning: 'x' },
  { id: 'other-again', prompt: 'What is the capital of France?', reasoning: 'Easy.', answer: 'Paris' },
  { id: 'emoji', prompt: `😀😀 ${question}` },
];

async function runOwn(options: object, sizes = [2, 3], withFilter = true) {
  const context = await makeRun(rows, sizes, withFilter);
  writeFileSync(context.resolve('bench.json'), JSON.stringify(own));
  return { context, ...(await runStage(context, { benchmarks: ['bench.json'], ...options })) };
}

describe('the stage decontam', () => {
  it('judges every distinct prompt once and gives each row its verdict, in the order of the rows', async () => {
    const { verdicts, hits, report } = await runOwn({ presets: ['ii-medical'] });
    expect(verdicts).toEqual([
      { id: 'wrapped', ngram_10: false, fuzzy_90: true, first_failed: 'ngram_10' },
      { id: 'short-near', ngram_10: true, fuzzy_90: false, first_failed: 'fuzzy_90' },
      { id: 'other', ngram_10: true, fuzzy_90: true, first_failed: null },
      { id: 'wrapped-again', ngram_10: false, fuzzy_90: true, first_failed: 'ngram_10' },
      { id: 'other-again', ngram_10: true, fuzzy_90: true, first_failed: null },
      { id: 'emoji', ngram_10: false, fuzzy_90: false, first_failed: 'ngram_10' },
    ]);
    expect(hits.map((hit) => [hit.method, hit.item, hit.prompt_key])).toEqual([
      ['ngram_10', '0', promptKey(rows[0]?.prompt ?? '')],
      ['fuzzy_90', '1', promptKey('Drug causing gingival hyperplasia')],
      ['ngram_10', '0', promptKey(rows[5]?.prompt ?? '')],
      ['fuzzy_90', '0', promptKey(rows[5]?.prompt ?? '')],
    ]);
    expect(report.figures.prompts).toBe(4);
  });

  it('counts a row only if the filter kept it, and every row where there is no filter', async () => {
    const { report } = await runOwn({ presets: ['ii-medical'] });
    expect(report).toMatchObject({ unit: 'rows', in: 6, kept: 3, dropped: { ngram_10: 3, fuzzy_90: 0 } });
    expect(report.figures.rows_failing).toEqual({ ngram_10: 3, fuzzy_90: 2 });
    const alone = await runOwn({ presets: ['ii-medical'] }, [6], false);
    expect(alone.report).toMatchObject({ in: 6, kept: 2, dropped: { ngram_10: 3, fuzzy_90: 1 } });
  });

  it('gives spans in code points of the prompt as it was written', async () => {
    const { hits } = await runOwn({ methods: [{ ngram: 10 }] });
    const last = hits.at(-1) as { span_start: number; span_end: number; text: string; span_count: number };
    expect([...(rows[5]?.prompt ?? '')].slice(last.span_start, last.span_end).join('')).toBe(question);
    expect(last).toMatchObject({ span_start: 3, text: question, span_count: 1, score: 100 });
  });

  it('looks into reasoning and answers with `traces`, and there only the row itself is flagged', async () => {
    const { verdicts, hits } = await runOwn({ methods: [{ ngram: 10 }], traces: true });
    const failed = verdicts.filter((row) => row.first_failed !== null).map((row) => row.id);
    expect(failed).toEqual(['wrapped', 'other', 'wrapped-again', 'emoji']);
    expect(hits.find((hit) => hit.field === 'reasoning')).toMatchObject({ id: 'other', span_start: 12 });
  });

  it('lets rows pass whose only hits a person allowed, and says how many', async () => {
    const context = await makeRun(rows, [2, 3]);
    writeFileSync(context.resolve('bench.json'), JSON.stringify(own));
    writeFileSync(
      context.resolve('allow.yaml'),
      `- { prompt_key: ${promptKey(rows[0]?.prompt ?? '')}, benchmark: bench, item: 0 }\n`,
    );
    const { verdicts, hits, report } = await runStage(context, { benchmarks: ['bench.json'], allow: 'allow.yaml' });
    expect(verdicts.filter((row) => row.first_failed === null).map((row) => row.id)).toContain('wrapped');
    expect(hits).toHaveLength(4);
    expect(report.figures.allowed_hits).toBe(1);
  });

  it('writes the same bytes however the rows are cut into files', async () => {
    const hashes = await Promise.all(
      [[6], [1, 1, 1, 1, 1, 1], [4, 2]].map(async (sizes) => {
        const { context } = await runOwn({ presets: ['ii-medical'], traces: false }, sizes);
        return Promise.all(
          [context.run.file('hits', '00001.parquet'), context.run.file('verdicts/decontam', '00000.parquet')].map(
            sha256File,
          ),
        );
      }),
    );
    expect(new Set(hashes.map(String)).size).toBe(1);
  });

  it('says in coverage what a method cannot see and what was not checked', async () => {
    const { context, report } = await runOwn({
      benchmarks: ['bench.json', { use: 'lancet', path: 'none.json', optional: true }],
    });
    const { benchmarks } = JSON.parse(readFileSync(context.run.table('coverage.json'), 'utf8')) as {
      benchmarks: Record<string, unknown>[];
    };
    expect(benchmarks).toMatchObject([
      {
        name: 'bench',
        checked: true,
        items: 2,
        methods: [
          { method: 'ngram_10', seen: 1, unseen: 1, why: 'with fewer than 10 words', examples: ['1'] },
          { method: 'fuzzy_90', seen: 2, unseen: 0, why: '' },
        ],
      },
      { name: 'lancet', checked: false, items: 0, known: 412 },
    ]);
    expect(report.warnings).toEqual(['named and not checked, because there is no copy: lancet']);
  });

  it('gives an empty account where no row came through', async () => {
    const context = await makeRun([], []);
    writeFileSync(context.resolve('bench.json'), JSON.stringify(own));
    const { report } = await runStage(context, { benchmarks: ['bench.json'] });
    expect(report).toMatchObject({ in: 0, kept: 0 });
  });

  it('stops before it starts where a benchmark is missing', async () => {
    const context = await makeRun(rows, [6]);
    await expect(runStage(context, { benchmarks: [{ use: 'nejm' }, 'medqaa'] })).rejects.toThrow(Problem);
    await expect(runStage(context, { benchmarks: ['medqaa'] })).rejects.toMatchObject({
      message: 'no benchmark "medqaa"',
      parts: { try: 'did you mean medqa? Or a path' },
    });
  });
});
