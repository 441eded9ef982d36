import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { findBenchmarks } from '../../src/decontam/benchmarks.js';
import { loadBenchmarks } from '../../src/decontam/items.js';
import { Judge } from '../../src/decontam/judge.js';
import { parquet, Tables } from '../../src/store/tables.js';

const samples = new URL('../../data/samples/', import.meta.url).pathname;
const names = ['medmcqa', 'medqa', 'pubmedqa', 'mmlu-pro-health', 'mmlu-pro-biology', 'medxpertqa'];

/** All shipped rows that are MMLU-Pro questions; those of health and biology are true leaks, verbatim in a wrapper. */
let rows: { prompt: string; isLeak: boolean }[];
let others: string[];
let judge: Judge;

/** The questions as the shipped files hold them, read without the product. */
function questionsOf(name: string): string[] {
  const text = gunzipSync(readFileSync(join(samples, 'benchmarks', name, `${name}.json.gz`))).toString('utf8');
  return ((JSON.parse(text) as Record<string, { question: string }[]>)[name] ?? []).map((item) => item.question);
}

beforeAll(async () => {
  const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-reference') });
  const found = await tables.rows<{ question: string }>(
    `SELECT question FROM ${parquet([join(samples, 'general-thought', 'rml-mmlu-pro.parquet')])}`,
  );
  const verbatim = questionsOf('mmlu-pro-health').concat(questionsOf('mmlu-pro-biology'));
  rows = found.map(({ question }) => ({
    prompt: question,
    isLeak: verbatim.some((each) => question.includes(each.trim())),
  }));
  const traces = await tables.rows<{ prompt: string }>(
    `SELECT question AS prompt FROM ${parquet([join(samples, 'openthoughts2', 'thought-anchors.parquet')])}
     UNION ALL SELECT question FROM ${parquet([join(samples, 'openthoughts2', 'dipg-safety-gym.parquet')])}
     UNION ALL SELECT problem FROM ${parquet([join(samples, 'r1-distill-sft', 'marco-o1.parquet')])}`,
  );
  others = traces.map((row) => row.prompt);
  const loaded = await loadBenchmarks(
    findBenchmarks(names, (path) => path),
    tables,
  );
  tables.close();
  judge = await Judge.of(
    loaded.flatMap((each) => each.items),
    [{ kind: 'ngram', size: 10 }, { kind: 'fuzzy', threshold: 90 }, { kind: 'strict' }],
  );
});

function flagged(method: number, prompts: readonly { prompt: string }[]): number {
  return prompts.filter(({ prompt }) => (judge.methods[method]?.find(prompt) ?? []).length > 0).length;
}

describe('the shipped rows that are benchmark questions', () => {
  it('are 260, of which the 10-gram rule finds 202, as a set of strings does', () => {
    const words = (text: string) => text.toLowerCase().trim().split(/\s+/);
    const grams = (text: string) =>
      words(text).flatMap((_, at, all) => (at + 10 > all.length ? [] : [all.slice(at, at + 10).join(' ')]));
    const known = new Set(names.flatMap(questionsOf).flatMap(grams));
    const leaks = rows.filter((row) => row.isLeak);
    expect(leaks).toHaveLength(260);
    expect(leaks.filter((row) => grams(row.prompt).some((gram) => known.has(gram)))).toHaveLength(202);
    expect(flagged(0, leaks)).toBe(202);
  });

  it('are not found by the ratio of whole prompt and question', () => {
    expect(flagged(1, rows)).toBe(0);
  });

  it('are all found by strict, which flags no other MMLU-Pro question and no other trace', () => {
    expect(
      flagged(
        2,
        rows.filter((row) => row.isLeak),
      ),
    ).toBe(260);
    expect(
      flagged(
        2,
        rows.filter((row) => !row.isLeak),
      ),
    ).toBe(0);
    expect(
      flagged(
        2,
        others.map((prompt) => ({ prompt })),
      ),
    ).toBe(0);
  });
});
