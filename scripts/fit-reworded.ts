/**
 * Fits the model of the method `reworded` and writes data/reworded/model.json with what it was fitted on.
 *
 * `node --import tsx scripts/fit-reworded.ts FOLDER [NOTES.jsonl]`: FOLDER holds benchmark_items.parquet, prompts.parquet
 * and reworded_mmlu.parquet; NOTES are cases of AgentClinic (MIT), written by a model as structured notes from MedQA.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { miniLm } from '../src/compute/weights.js';
import type { Item } from '../src/decontam/items.js';
import { Random } from '../src/decontam/random.js';
import { featureNames } from '../src/decontam/reworded/features.js';
import { Finder } from '../src/decontam/reworded/finder.js';
import { type RewordingKind, reword } from '../src/decontam/reworded/reword.js';
import { type Model, scoreOf } from '../src/decontam/reworded/score.js';
import { Sentences } from '../src/decontam/reworded/sentences.js';
import { termsOf } from '../src/decontam/reworded/terms.js';
import { literal, Tables } from '../src/store/tables.js';

interface Positive {
  text: string;
  item: number;
  kind: string;
}

interface Pairs {
  name: string;
  items: Item[];
  positives: Positive[];
  negatives: string[];
}

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
const ridge = 100;
const vignettes: RewordingKind[] = ['sentences', 'notes', 'open question'];

const [folder, notesFile] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder with the Parquet files');
const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-fit') });
const sentences = await Sentences.open(miniLm.name, 'native');
const nothing: Model = {
  features: [...featureNames],
  mean: featureNames.map(() => 0),
  deviation: featureNames.map(() => 1),
  weight: featureNames.map(() => 0),
  bias: 0,
};
const examples: Example[] = [];
for (const set of [await mmlu(), await gsm8k(), await medqa(), await mediq(), await medmcqa()]) await measure(set);

const held: Record<string, unknown>[] = [];
for (const set of ['mmlu', 'gsm8k', 'medqa', 'mediq', 'medmcqa'])
  held.push(...evaluate(fitted(examples.filter((each) => each.set !== set)), set));
const model = fitted(examples);
const kinds = [...new Set(examples.filter((each) => each.kind !== '').map((each) => `${each.set} ${each.kind}`))];
const about = {
  what: 'a logistic regression over standardised features, each kind of rewording and each set of negatives of equal weight',
  kinds: kinds.map((kind) => ({ kind, rewordings: countTexts((each) => `${each.set} ${each.kind}` === kind) })),
  negatives: [...new Set(examples.map((each) => each.set))].map((set) => ({
    set,
    texts: countTexts((each) => each.set === set && each.kind === ''),
  })),
  held_out: held,
};
writeFileSync('data/reworded/model.json', `${JSON.stringify({ ...model, about }, null, 2)}\n`);
console.table(held);
tables.close();

// -- private

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

/** Iteratively reweighted least squares with a ridge on all but the bias. */
function fitted(rows: readonly Example[]): Model {
  const groupOf = (each: Example) => (each.right ? `${each.set} ${each.kind}` : `not ${each.set}`);
  const sizes = new Map<string, number>();
  for (const each of rows) sizes.set(groupOf(each), (sizes.get(groupOf(each)) ?? 0) + 1);
  const groups = [...sizes.keys()];
  const rightGroups = groups.filter((each) => !each.startsWith('not ')).length;
  const share = (each: Example) =>
    (rows.length * 0.5) /
    (each.right ? rightGroups : groups.length - rightGroups) /
    (sizes.get(groupOf(each)) as number);
  const mean = featureNames.map((_, index) => average(rows.map((each) => each.values[index] as number)));
  const deviation = featureNames.map(
    (_, index) =>
      Math.sqrt(average(rows.map((each) => ((each.values[index] as number) - (mean[index] as number)) ** 2))) || 1,
  );
  const size = featureNames.length + 1;
  let weights = new Array<number>(size).fill(0);
  for (let round = 0; round < 30; round += 1) {
    const gradient = weights.map((weight, index) => (index === 0 ? 0 : -ridge * weight));
    const hessian = weights.map((_, row) => weights.map((__, column) => (row === column && row > 0 ? ridge : 1e-9)));
    for (const each of rows) {
      const x = [
        1,
        ...each.values.map((value, index) => (value - (mean[index] as number)) / (deviation[index] as number)),
      ];
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, index) => sum + value * (weights[index] as number), 0)));
      const weight = share(each);
      for (let row = 0; row < size; row += 1) {
        gradient[row] = (gradient[row] as number) + weight * ((each.right ? 1 : 0) - p) * (x[row] as number);
        const line = hessian[row] as number[];
        for (let column = 0; column < size; column += 1)
          line[column] = (line[column] as number) + weight * p * (1 - p) * (x[row] as number) * (x[column] as number);
      }
    }
    const step = solve(hessian, gradient);
    weights = weights.map((weight, index) => weight + (step[index] as number));
    if (Math.max(...step.map(Math.abs)) < 1e-8) break;
  }
  const round = (value: number) => Number(value.toPrecision(6));
  return {
    features: [...featureNames],
    mean: mean.map(round),
    deviation: deviation.map(round),
    weight: weights.slice(1).map(round),
    bias: round(weights[0] as number),
  };
}

/** Recall of each kind in a set at shares of its negatives. */
function evaluate(from: Model, set: string): Record<string, unknown>[] {
  const best = new Map<number, number>();
  const own = examples.filter((each) => each.set === set);
  for (const each of own)
    if (each.kind === '') best.set(each.text, Math.max(best.get(each.text) ?? 0, scoreOf(from, each.values)));
  const falling = [...best.values()].sort((a, b) => b - a);
  return [...new Set(own.map((each) => each.kind))]
    .filter((kind) => kind !== '')
    .map((kind) => {
      const rows = own.filter((each) => each.kind === kind);
      const texts = new Set(rows.map((each) => each.text)).size;
      const right = new Map<number, number>();
      for (const each of rows)
        if (each.right) right.set(each.text, Math.max(right.get(each.text) ?? 0, scoreOf(from, each.values)));
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

async function itemsOf(where: string): Promise<(Item & { answer: string })[]> {
  const rows = await tables.rows<{
    question: string;
    options: Record<string, string | null> | null;
    answer: string | null;
  }>(`SELECT question, options, answer FROM ${source('benchmark_items')} WHERE ${where}`);
  return rows.map(({ question, options, answer }, index) => ({
    ...itemOf(question, index),
    options: Object.values(options ?? {}).filter((each): each is string => each !== null),
    answer: answer ?? '',
  }));
}

function itemOf(question: string, index: number): Item {
  return { benchmark: 'b', item: String(index), question, stem: question, options: [], compared: question };
}

async function prompts(name: string, most: number): Promise<string[]> {
  const rows = await tables.rows<{ prompt: string }>(
    `SELECT DISTINCT prompt FROM ${source('prompts')} WHERE source = ${literal(name)} ORDER BY md5(prompt) LIMIT ${most}`,
  );
  return rows.map((row) => row.prompt);
}

function source(name: string): string {
  return `read_parquet(${literal(join(folder as string, `${name}.parquet`))})`;
}

/** Some questions of each kind, reworded by rule. */
function byRule(items: readonly Item[], kinds: readonly RewordingKind[], perKind: number, seed: number): Positive[] {
  const random = new Random(seed, 0);
  return kinds.flatMap((kind) => {
    const made: Positive[] = [];
    for (let tries = 0; made.length < perKind && tries < perKind * 5; tries += 1) {
      const item = random.below(items.length);
      const text = reword((items[item] as Item).question, kind, random);
      if (text !== null) made.push({ text, item, kind: `by rule, ${kind}` });
    }
    return made;
  });
}

async function mmlu(): Promise<Pairs> {
  const subjects = [
    'abstract_algebra',
    'sociology',
    'college_mathematics',
    'high_school_mathematics',
    'philosophy',
    'human_sexuality',
    'college_biology',
    'anatomy',
    'high_school_government_and_politics',
  ]
    .map(literal)
    .join(', ');
  const items = await itemsOf(`bench = 'mmlu' AND split = 'test' AND meta.subject IN (${subjects})`);
  const places = new Map(items.map((item, place) => [item.question, place]));
  const rows = await tables.rows<{ subject: string; question: string; rephrased: string }>(
    `SELECT subject, question, rephrased FROM ${source('reworded_mmlu')}
     WHERE rephrased IS NOT NULL AND subject IN ('abstract_algebra', 'sociology') ORDER BY item`,
  );
  const positives = rows.flatMap(({ subject, question, rephrased }) => {
    const item = places.get(question);
    return item === undefined ? [] : [{ text: rephrased, item, kind: `by a model, ${subject}` }];
  });
  const others = await itemsOf(`bench = 'mmlu' AND split IN ('val', 'dev')`);
  return { name: 'mmlu', items, positives, negatives: others.map((item) => item.question) };
}

async function gsm8k(): Promise<Pairs> {
  const items = (await prompts('gsm8k_test', 5_000)).map(itemOf);
  return {
    name: 'gsm8k',
    items,
    positives: byRule(items, ['other words'], 300, 1),
    negatives: await prompts('gsm8k_train', 3_000),
  };
}

async function medqa(): Promise<Pairs> {
  const items = await itemsOf(`bench = 'medqa_usmle_4opt'`);
  const negatives = (await itemsOf(`bench = 'mediq_dev'`)).map((item) => item.question);
  return { name: 'medqa', items, positives: [...byRule(items, vignettes, 200, 2), ...notes(items)], negatives };
}

async function mediq(): Promise<Pairs> {
  const items = await itemsOf(`bench = 'mediq_dev'`);
  const negatives = (await itemsOf(`bench = 'medqa_usmle_4opt'`)).map((item) => item.question);
  return { name: 'mediq', items, positives: byRule(items, vignettes, 200, 3), negatives };
}

async function medmcqa(): Promise<Pairs> {
  const items = await itemsOf(`bench = 'medmcqa'`);
  const negatives = [...(await prompts('medquad', 500)), ...(await prompts('chatdoctor5k', 1_000))];
  return { name: 'medmcqa', items, positives: byRule(items, ['other words'], 300, 4), negatives };
}

/**
 * The notes name no item: a case is linked to the item that has its diagnosis among the options, its age in the text, and
 * most of its words. A case without one is left out.
 */
function notes(items: readonly (Item & { answer: string })[]): Positive[] {
  if (notesFile === undefined) return [];
  const terms = items.map((item) => new Set(termsOf(item.question)));
  return readFileSync(notesFile, 'utf8')
    .split('\n')
    .flatMap((line): Positive[] => {
      if (line.trim() === '') return [];
      const { OSCE_Examination: given } = JSON.parse(line) as { OSCE_Examination: { Correct_Diagnosis: string } };
      const { Correct_Diagnosis: diagnosis, ...rest } = given;
      const text = flat(rest);
      const age = /(\d+)[- ](?:year|month|week|day)/.exec(text)?.[1];
      const own = new Set(termsOf(text));
      const shared = (place: number) => {
        const of = terms[place] as Set<string>;
        return [...of].filter((term) => own.has(term)).length / of.size;
      };
      const fitting = [...items.keys()].filter(
        (place) =>
          items[place]?.options.some((option) => option.toLowerCase().trim() === diagnosis.toLowerCase().trim()) ===
            true &&
          age !== undefined &&
          new RegExp(`\\b${age}[- ](?:year|month|week|day)`).test(items[place]?.question ?? ''),
      );
      const item = fitting.sort((a, b) => shared(b) - shared(a) || a - b)[0];
      return item === undefined || shared(item) < 0.35 ? [] : [{ text, item, kind: 'by a model, notes' }];
    });
}

function flat(value: unknown): string {
  if (Array.isArray(value)) return `${value.map(flat).join(', ')}.`;
  if (value === null || typeof value !== 'object') return /\.$/.test(String(value)) ? String(value) : `${value}.`;
  return Object.entries(value)
    .map(([name, each]) =>
      typeof each === 'object' && !Array.isArray(each) ? flat(each) : `${name.replaceAll('_', ' ')}: ${flat(each)}`,
    )
    .join(' ');
}
