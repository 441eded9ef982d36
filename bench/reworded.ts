import { join } from 'node:path';
import { type Pairs, rewordedPairs, subjectsAlone } from '../scripts/reworded-pairs.js';
import { miniLm } from '../src/compute/weights.js';
import { Judge } from '../src/decontam/judge.js';
import { fallingScores, tailThreshold, thresholdFor } from '../src/decontam/reworded/calibrate.js';
import { featureNames } from '../src/decontam/reworded/features.js';
import { Finder, type Scored } from '../src/decontam/reworded/finder.js';
import { nats, scoreAt, shippedModel } from '../src/decontam/reworded/score.js';
import { Sentences } from '../src/decontam/reworded/sentences.js';
import { candidateRows } from '../src/decontam/reworded/table.js';
import { ownTails } from '../src/decontam/reworded/tails.js';
import { Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
import { optionOf } from './vectors.js';

/** Share of the texts that are none which a limit chosen on them flags. */
const rate = 0.005;
const leakShare = 0.02;
const batchSize = 512;

/**
 * Recall per kind of rewording and false alarms of `reworded`, cosine alone, 10-grams and fuzzy in one run, and what
 * finding costs beyond the embedding. `npm run bench -- reworded --data FOLDER [--notes CASES.jsonl] [--only SET] [--alone]`;
 * FOLDER as for scripts/fit-reworded.ts; `--alone`: each subject of MMLU as a benchmark of its own. All sets but `mmlu, other
 * subjects` are those that the model was fitted on: what it finds in a set that was kept from it stands in
 * data/reworded/model.json.
 */
export async function run(args: string[]): Promise<void> {
  const data = optionOf(args, '--data');
  if (data === null) throw new Error('--data FOLDER with benchmark_items, prompts and reworded_mmlu as Parquet');
  const tables = await Tables.open({ temporaryFolder: join(import.meta.dirname, '.cache', 'tmp') });
  const only = optionOf(args, '--only');
  const every = (await rewordedPairs(tables, data, optionOf(args, '--notes'))).filter(
    (each) => only === null || each.name === only,
  );
  const sets = args.includes('--alone') ? every.flatMap(subjectsAlone) : every;
  tables.close();
  console.log(conditions());
  const sentences = await Sentences.open(miniLm.name, 'native');
  const rows: (string | number)[][] = [];
  for (const set of sets) rows.push(...(await quality(set, sentences)));
  printTable(
    [
      'set',
      'texts',
      'first 5',
      'reworded',
      `at ${rate * 100} %`,
      `cosine at ${rate * 100} %`,
      'cosine 0.80',
      'ngram_10',
      'fuzzy_90',
    ],
    rows,
  );
  await speed(sets, sentences);
}

// ---------------------------------------------------------------------------------------------------------------------

async function quality(set: Pairs, sentences: Sentences): Promise<(string | number)[][]> {
  const finder = await Finder.open(set.items, sentences, 'native', shippedModel());
  const judge = await Judge.of(set.items, [
    { kind: 'ngram', size: 10 },
    { kind: 'fuzzy', threshold: 90 },
  ]);
  const { twins } = finder.words;
  const isItem = (item: number, other: number) => twins[item] === twins[other];
  const found = await findAll(
    finder,
    set.positives.map((each) => each.text),
  );
  const others = await findAll(finder, set.negatives);
  const repeats = others.map((each) => (each[0]?.values[featureNames.indexOf('term_cosine')] ?? 0) > 0.8);
  const [tails] = await ownTails(finder, [{ name: 'b', items: set.items }]);
  await finder.close();
  // A run's prompts, unlabelled: those that are none, and so many leaks that they are two in a hundred.
  const every = Math.ceil(found.length / (leakShare * others.length));
  const run = [...others, ...found.filter((_, place) => place % every === 0)];
  const seconds = run.flatMap((each) => {
    const beside = candidateRows(each, set.items, twins).filter((row) => row.beside === true);
    return beside.length === 0 ? [] : [Math.max(...beside.map((row) => nats(row.score as number)))];
  });
  const prompts = run.length;
  const firsts = run.flatMap((each) => (each.length === 0 ? [] : [Math.max(...each.map(({ score }) => nats(score)))]));
  const threshold = scoreAt(
    await thresholdFor(
      {
        first: tailThreshold(tails?.firsts ?? [], set.items.length, rate),
        second: tailThreshold(tails?.seconds ?? [], set.items.length, rate),
      },
      { prompts, seconds, firsts: fallingScores(firsts) },
      rate,
    ),
  );
  const cosine = (each: Scored) => each.values[0] ?? 0;
  const best = (of: (each: Scored) => number) =>
    others.filter((_, place) => !repeats[place]).map((each) => Math.max(0, ...each.map(of)));
  const limit = (of: (each: Scored) => number) => {
    const falling = best(of).sort((a, b) => b - a);
    return falling[Math.floor(rate * falling.length)] ?? 0;
  };
  const limits = { score: limit((each) => each.score), cosine: limit(cosine) };
  const hits = (text: string, method: string) => judge.find(text).some((hit) => hit.method === method);
  const negatives = set.negatives.filter((_, place) => !repeats[place]);
  const share = (count: number, of: number) => (count / Math.max(1, of)).toFixed(3);
  const ofBest = (of: (each: Scored) => number, from: number) => best(of).filter((each) => each > from).length;
  const rows = [...new Set(set.positives.map((each) => each.kind))].map((kind): (string | number)[] => {
    const places = set.positives.flatMap((each, place) => (each.kind === kind ? [place] : []));
    const recall = (holds: (each: Scored) => boolean) =>
      share(
        places.filter((place) =>
          found[place]?.some((each) => isItem(each.item, set.positives[place]?.item ?? -1) && holds(each)),
        ).length,
        places.length,
      );
    const flagged = (method: string) =>
      share(places.filter((place) => hits(set.positives[place]?.text ?? '', method)).length, places.length);
    return [
      `${set.name}: ${kind}`,
      places.length,
      recall(() => true),
      recall((each) => each.score >= threshold),
      recall((each) => each.score > limits.score),
      recall((each) => cosine(each) > limits.cosine),
      recall((each) => cosine(each) >= 0.8),
      flagged('ngram_10'),
      flagged('fuzzy_90'),
    ];
  });
  const alarms = (method: string) => share(negatives.filter((text) => hits(text, method)).length, negatives.length);
  return [
    ...rows,
    [
      `${set.name}: false alarms`,
      negatives.length,
      '',
      share(
        ofBest((each) => each.score, threshold),
        negatives.length,
      ),
      share(
        ofBest((each) => each.score, limits.score),
        negatives.length,
      ),
      share(ofBest(cosine, limits.cosine), negatives.length),
      share(ofBest(cosine, 0.8), negatives.length),
      alarms('ngram_10'),
      alarms('fuzzy_90'),
    ],
  ];
}

async function findAll(finder: Finder, texts: readonly string[]): Promise<Scored[][]> {
  const found: Scored[][] = [];
  for (let start = 0; start < texts.length; start += batchSize)
    found.push(...(await finder.find(texts.slice(start, start + batchSize))));
  return found;
}

/** All items in one finder, whose vectors and those of the prompts are in the cache by now. */
async function speed(sets: readonly Pairs[], sentences: Sentences): Promise<void> {
  const items = sets.flatMap((each) => each.items);
  const texts = sets.flatMap((each) => each.negatives);
  const finder = await Finder.open(items, sentences, 'native', shippedModel());
  const begin = process.cpuUsage();
  await findAll(finder, texts);
  const { user, system } = process.cpuUsage(begin);
  await finder.close();
  const each = (user + system) / texts.length;
  const minutes = (each * 2e6 * (12_000 / items.length)) / 1e6 / 60 / 2;
  console.log(
    `${texts.length.toLocaleString('en-US')} prompts × ${items.length.toLocaleString('en-US')} items: ${each.toFixed(0)} µs of CPU a prompt with vectors from the cache; 2 M × 12,000 on two cores: ${minutes.toFixed(1)} min`,
  );
}
