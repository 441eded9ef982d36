/**
 * Fits the model of the method `reworded` and writes data/reworded/model.json with what it was fitted on.
 *
 * `node --import tsx scripts/fit-reworded.ts FOLDER [NOTES.jsonl]`: FOLDER holds benchmark_items.parquet, prompts.parquet
 * and reworded_mmlu.parquet; NOTES are cases of AgentClinic (MIT), written by a model as structured notes from MedQA.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { miniLm } from '../src/compute/weights.js';
import { featureNames } from '../src/decontam/reworded/features.js';
import { Finder } from '../src/decontam/reworded/finder.js';
import { inputsOf, lengthOf, type Model, type Standards, scoreOf } from '../src/decontam/reworded/score.js';
import { Sentences } from '../src/decontam/reworded/sentences.js';
import { Tables } from '../src/store/tables.js';
import { otherSubjectsName, type Pairs, rewordedPairs } from './reworded-pairs.js';

interface Example {
  set: string;
  /** Kind of rewording; '' for a text that is none. */
  kind: string;
  text: number;
  right: boolean;
  values: number[];
}

/** A negative that repeats an item nearly word for word is none. */
const repeatCosine = 0.8;
const ridge = 33;
const hardRounds = 2;
/** How often MMLU counts: the one set of short questions that a model reworded. */
const mmluWeight = 3;
/** Parts that MMLU is cut into to be held out: some of its kinds with a fifth of its negatives each. */
const parts = 5;

const [folder, notesFile] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder with the Parquet files');
const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-fit') });
const sentences = await Sentences.open(miniLm.name, 'native');
const nothing: Model = {
  features: [...featureNames],
  mean: featureNames.map(() => 0),
  deviation: featureNames.map(() => 1),
  length: { mean: 0, deviation: 1 },
  weight: Array.from({ length: 3 * featureNames.length + 2 }, () => 0),
  bias: 0,
};
const examples: Example[] = [];
for (const set of await rewordedPairs(tables, folder, notesFile ?? null)) await measure(set);

const fitting = examples.filter((each) => each.set !== otherSubjectsName);
const model = fitted(fitting);
const held = evaluate('mmlu', scoresByParts());
for (const set of ['gsm8k', 'medqa', 'mediq', 'medmcqa'])
  held.push(...evaluate(set, scoresBy(fitted(fitting.filter((each) => each.set !== set)))));
held.push(...evaluate(otherSubjectsName, scoresBy(model)));
const kinds = [...new Set(fitting.filter((each) => each.kind !== '').map((each) => `${each.set} ${each.kind}`))];
const about = {
  what: `a logistic regression over standardised features, the same times the length of the question, and those of vignettes; each kind of rewording and each set of negatives of equal weight, MMLU's ${mmluWeight} times, likely wrong candidates above unlikely ones`,
  kinds: kinds.map((kind) => ({ kind, rewordings: countTexts((each) => `${each.set} ${each.kind}` === kind) })),
  negatives: [...new Set(fitting.map((each) => each.set))].map((set) => ({
    set,
    texts: countTexts((each) => each.set === set && each.kind === ''),
  })),
  held_out: held,
};
writeFileSync('data/reworded/model.json', `${JSON.stringify({ ...model, about }, null, 2)}\n`);
console.table(held);
tables.close();

// ---------------------------------------------------------------------------------------------------------------------

async function measure(set: Pairs): Promise<void> {
  const finder = await Finder.open(set.items, sentences, 'native', nothing);
  const { twins } = finder.words;
  const texts = [...set.positives.map((each) => each.text), ...set.negatives];
  for (let start = 0; start < texts.length; start += 512) {
    const found = await finder.find(texts.slice(start, start + 512));
    found.forEach((candidates, place) => {
      const positive = set.positives[start + place];
      const values = candidates[0]?.values ?? [];
      if (positive === undefined && (values[featureNames.indexOf('term_cosine')] ?? 0) > repeatCosine) return;
      for (const candidate of candidates)
        examples.push({
          set: set.name,
          kind: positive?.kind ?? '',
          text: start + place,
          right: positive !== undefined && twins[candidate.item] === twins[positive.item],
          values: candidate.values,
        });
    });
    console.error(`${set.name}: ${Math.min(texts.length, start + 512)} of ${texts.length}`);
  }
  await finder.close();
}

/**
 * In rounds: the wrong candidates that count are each text's likeliest by the round before, and the likelier, the more
 * (by the root of the probability), as a threshold is set by the likeliest of them.
 */
function fitted(rows: readonly Example[]): Model {
  const about = standards(rows);
  let model = regression(rows, about, () => 1);
  for (let round = 0; round < hardRounds; round += 1) {
    const scores = new Map(rows.map((row) => [row, scoreOf(model, row.values) / 100]));
    const likeliest = new Map<string, Example>();
    for (const row of rows) {
      if (row.right) continue;
      const key = `${row.set} ${row.kind} ${row.text}`;
      const known = likeliest.get(key);
      if (known === undefined || (scores.get(row) as number) > (scores.get(known) as number)) likeliest.set(key, row);
    }
    const hard = rows.filter((row) => row.right || likeliest.get(`${row.set} ${row.kind} ${row.text}`) === row);
    model = regression(hard, about, (row) => (row.right ? 1 : Math.sqrt((scores.get(row) as number) + 0.02)));
  }
  return model;
}

function standards(rows: readonly Example[]): Standards {
  const spread = (values: readonly number[]) => {
    const mean = average(values);
    return { mean: round(mean), deviation: round(Math.sqrt(average(values.map((each) => (each - mean) ** 2))) || 1) };
  };
  const each = featureNames.map((_, index) => spread(rows.map((row) => row.values[index] as number)));
  return {
    features: [...featureNames],
    mean: each.map(({ mean }) => mean),
    deviation: each.map(({ deviation }) => deviation),
    length: spread(rows.map((row) => lengthOf(row.values))),
  };
}

/** Iteratively reweighted least squares with a ridge on all but the bias. Kinds and sets have equal weight. */
function regression(rows: readonly Example[], about: Standards, emphasis: (row: Example) => number): Model {
  const groupOf = (each: Example) => (each.right ? `${each.set} ${each.kind}` : `not ${each.set}`);
  const sums = new Map<string, number>();
  for (const each of rows) sums.set(groupOf(each), (sums.get(groupOf(each)) ?? 0) + emphasis(each));
  const groups = [...sums.keys()];
  const weigh = (right: boolean) =>
    groups.filter((each) => each.startsWith('not ') !== right).reduce((sum, each) => sum + weightOf(each), 0);
  const totals = { right: weigh(true), wrong: weigh(false) };
  const points = rows.map((each) => ({
    x: [1, ...inputsOf(about, each.values)],
    right: each.right ? 1 : 0,
    share:
      ((rows.length * 0.5 * weightOf(groupOf(each))) /
        (each.right ? totals.right : totals.wrong) /
        (sums.get(groupOf(each)) as number)) *
      emphasis(each),
  }));
  const size = 3 * featureNames.length + 3;
  let weights = new Array<number>(size).fill(0);
  for (let step = 0; step < 30; step += 1) {
    const gradient = weights.map((weight, index) => (index === 0 ? 0 : -ridge * weight));
    const hessian = weights.map((_, row) => weights.map((__, column) => (row === column && row > 0 ? ridge : 1e-9)));
    for (const { x, right, share } of points) {
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, index) => sum + value * (weights[index] as number), 0)));
      const curvature = share * p * (1 - p);
      for (let row = 0; row < size; row += 1) {
        gradient[row] = (gradient[row] as number) + share * (right - p) * (x[row] as number);
        const line = hessian[row] as number[];
        const factor = curvature * (x[row] as number);
        for (let column = 0; column <= row; column += 1)
          line[column] = (line[column] as number) + factor * (x[column] as number);
      }
    }
    for (let row = 0; row < size; row += 1)
      for (let column = row + 1; column < size; column += 1)
        (hessian[row] as number[])[column] = (hessian[column] as number[])[row] as number;
    const change = solve(hessian, gradient);
    weights = weights.map((weight, index) => weight + (change[index] as number));
    if (Math.max(...change.map(Math.abs)) < 1e-8) break;
  }
  return { ...about, weight: weights.slice(1).map(round), bias: round(weights[0] as number) };
}

/** A subject that was reworded for this bench is one of seven such kinds. */
function weightOf(group: string): number {
  return /^(?:not )?mmlu(?! mild)/.test(group) ? mmluWeight : 1;
}

/** MMLU's scores by models that saw neither a text's kind of rewording nor, of a negative, its part. */
function scoresByParts(): Map<Example, number> {
  const own = fitting.filter((each) => each.set === 'mmlu');
  const ownKinds = [...new Set(own.map((each) => each.kind))].filter((kind) => kind !== '');
  const partOf = (each: Example) => (each.kind === '' ? each.text : ownKinds.indexOf(each.kind)) % parts;
  const scores = new Map<Example, number>();
  for (let part = 0; part < parts; part += 1) {
    const isHeld = (each: Example) => each.set === 'mmlu' && partOf(each) === part;
    const from = fitted(fitting.filter((each) => !isHeld(each)));
    for (const each of own) if (isHeld(each)) scores.set(each, scoreOf(from, each.values));
  }
  return scores;
}

function scoresBy(from: Model): Map<Example, number> {
  return new Map(examples.map((each) => [each, scoreOf(from, each.values)]));
}

/** Recall of each kind in a set at shares of its negatives. */
function evaluate(set: string, scores: ReadonlyMap<Example, number>): Record<string, unknown>[] {
  const best = new Map<number, number>();
  const own = examples.filter((each) => each.set === set);
  const scoreFor = (each: Example) => scores.get(each) ?? 0;
  for (const each of own) if (each.kind === '') best.set(each.text, Math.max(best.get(each.text) ?? 0, scoreFor(each)));
  const falling = [...best.values()].sort((a, b) => b - a);
  return [...new Set(own.map((each) => each.kind))]
    .filter((kind) => kind !== '')
    .map((kind) => {
      const rows = own.filter((each) => each.kind === kind);
      const texts = new Set(rows.map((each) => each.text)).size;
      const right = new Map<number, number>();
      for (const each of rows)
        if (each.right) right.set(each.text, Math.max(right.get(each.text) ?? 0, scoreFor(each)));
      const recall = (rate: number) => {
        const limit = falling[Math.floor(rate * falling.length)] ?? 0;
        return Number(([...right.values()].filter((score) => score > limit).length / texts).toFixed(3));
      };
      return {
        set,
        kind,
        rewordings: texts,
        first_five: Number((right.size / texts).toFixed(3)),
        at_half_percent: recall(0.005),
        at_five_percent: recall(0.05),
        at_ten_percent: recall(0.1),
      };
    });
}

function countTexts(wanted: (each: Example) => boolean): number {
  return new Set(examples.filter(wanted).map((each) => `${each.set} ${each.text}`)).size;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
}

function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] as number]);
  for (let pivot = 0; pivot < rows.length; pivot += 1) {
    let best = pivot;
    for (let row = pivot; row < rows.length; row += 1)
      if (Math.abs((rows[row] as number[])[pivot] as number) > Math.abs((rows[best] as number[])[pivot] as number))
        best = row;
    [rows[pivot], rows[best]] = [rows[best] as number[], rows[pivot] as number[]];
    const own = rows[pivot] as number[];
    for (const [row, line] of rows.entries()) {
      if (row === pivot) continue;
      const factor = (line[pivot] as number) / (own[pivot] as number);
      for (let column = pivot; column < line.length; column += 1)
        line[column] = (line[column] as number) - factor * (own[column] as number);
    }
  }
  return rows.map((row, index) => (row.at(-1) as number) / (row[index] as number));
}
