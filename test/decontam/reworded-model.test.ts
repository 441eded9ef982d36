import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { embedTexts } from '../../src/compute/embedder.js';
import { parquet } from '../../src/store/tables.js';
import { makeTinyModel } from '../compute/tiny-model.js';
import { makeRun, runStage, type TestRow } from './run-folder.js';

const subjects = 'fever cough rash ulcer angina stroke gout asthma anemia jaundice'.split(' ');
const items = subjects.flatMap((subject, place) => [
  { question: `Which drug treats ${subject} in a patient of ${20 + place} years?`, options: [`drug ${place}`] },
  { question: `Which organ causes ${subject} after ${40 + place} days of travel?`, options: [`organ ${place}`] },
]);
const german = {
  question: 'Welches Mittel hilft einem Kind von 7 Jahren gegen Keuchhusten und Scharlach?',
  options: ['Penicillin'],
};
const model = makeTinyModel(
  [...new Set(`${items.map((item) => item.question).join(' ')} ${german.question}`.toLowerCase().match(/\p{L}+/gu))],
  11,
);
const leak = 'Gegen Keuchhusten und Scharlach: welches Mittel hilft Jahren, einem Kind von 7?';
const rows: TestRow[] = [
  { id: 'german', prompt: leak, language: 'de' },
  { id: 'english', prompt: 'Write a poem about the sea and a lighthouse.', language: 'en' },
  { id: 'code', prompt: 'print("fever")', language: 'code' },
];

async function judged(reworded: object) {
  const context = await makeRun(rows, [2]);
  writeFileSync(context.resolve('bench.json'), JSON.stringify([...items, german]));
  const result = await runStage(context, { benchmarks: ['bench.json'], presets: ['reworded'], reworded });
  const tables = await context.openTables();
  const candidates = await tables.rows<{ item: string; cosine: number | null; prompt_key: string; rank: number }>(
    `SELECT * FROM ${parquet(context.run.files('candidates'))} ORDER BY prompt_key, rank`,
  );
  tables.close();
  return { ...result, candidates };
}

describe("reworded with a model of the user's own", () => {
  it('finds a leak in a language that MiniLM does not read, by the vectors of that model', async () => {
    const { hits, report, candidates } = await judged({ model: model.folder, false_alarms: 0.1 });
    expect(hits.map((hit) => [hit.method, hit.text])).toEqual([['reworded', leak]]);
    expect(report.figures.reworded).toMatchObject({
      model: model.folder.split('/').at(-1),
      languages: 'all',
      prompts: 3,
      prompts_not_read: 0,
      prompts_hit: 1,
    });
    const texts = [leak, german.question, `${german.question}\n${german.options[0]}`];
    const vectors = await embedTexts(texts, { compute: 'native', model: model.folder });
    const product = (place: number) =>
      vectors.subarray(0, 24).reduce((sum, value, at) => sum + value * (vectors[place * 24 + at] as number), 0);
    const found = candidates.find((each) => each.cosine !== null && each.item === hits[0]?.item);
    expect(found?.cosine).toBeCloseTo(Math.max(product(1), product(2)), 5);
  });

  it('counts as not checked what is in none of the languages that are said to be read', async () => {
    const { hits, report } = await judged({ model: model.folder, languages: ['en', 'fr'] });
    expect(hits).toEqual([]);
    expect(report.figures.reworded).toMatchObject({ languages: 'en fr', prompts: 3, prompts_not_read: 1 });
  });

  it('reads only English with MiniLM unless told otherwise', async () => {
    const { report } = await judged({});
    expect(report.figures.reworded).toMatchObject({ languages: 'en', prompts_not_read: 1 });
  });
});
