import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  fitKernelRidge,
  type KernelRidge,
  type LabelledVectors,
  likeliestByExamples,
} from '../src/classify/kernel-ridge.js';
import { readLabelSet } from '../src/classify/label-set.js';
import { type Directions, likeliest, prototypeDirections, prototypesOf } from '../src/classify/labelers/embedded.js';
import { classifyOptions } from '../src/classify/options.js';
import { makeQuestion } from '../src/classify/question.js';
import { decide } from '../src/classify/votes.js';
import { makeArrays } from '../src/cluster/arrays.js';
import { arraySizes } from '../src/cluster/cost.js';
import { exemplars } from '../src/cluster/exemplars.js';
import { countDistinct, kMeans } from '../src/cluster/kmeans.js';
import { MemoryPoints } from '../src/cluster/points.js';
import { openAlone } from '../src/cluster/team.js';
import { embedTexts } from '../src/compute/embedder.js';
import { openNearest } from '../src/compute/nearest.js';
import { askerSettings, withAsker } from '../src/llm/asker.js';
import { sha256 } from '../src/store/fingerprint.js';
import { conditions, printTable } from './conditions.js';
import { type Item, readItems, unknownFamily } from './domain/items.js';
import { readingsOf } from './domain/readings.js';
import { headings, row } from './domain/score.js';
import { optionOf } from './vectors.js';

const folder = join(import.meta.dirname, '.cache', 'domain');
const model = 'sentence-transformers/all-MiniLM-L6-v2';
const dimensions = 384;
const kept = ['Medical', 'Biology'];
const set = readLabelSet('medical-domains', (path) => path);
const places = new Map(set.labels.map(({ name }, place) => [name, place]));

/**
 * How well labels fit, by whole sources that the labeler was not calibrated on: `npm run bench -- domain --data DIR
 * [--per-source 60] [--questions 1200] [--prompts 12000] [--endpoint URL --model M]`, where DIR holds `prompts.parquet` and `benchmark_items.parquet`. `--fit`
 * instead writes the calibration that ships, from the prototypes and examples in data/labels alone.
 */
export async function run(args: string[]): Promise<void> {
  if (args.includes('--fit')) return writeCalibration();
  const data = optionOf(args, '--data');
  if (data === null) throw new Error('--data DIR: a folder with prompts.parquet and benchmark_items.parquet');
  const items = await readItems(
    data,
    { each: Number(optionOf(args, '--per-source') ?? 60) },
    Number(optionOf(args, '--questions') ?? 1200),
  );
  console.log(conditions());
  console.log(
    `${items.length} prompts of ${new Set(items.map((item) => item.source)).size} sources; kept: Medical and Biology`,
  );
  const vectors = await vectorsOf(items.map((item) => item.text));
  const prototypes = await prototypeDirections(set, model, 'native');
  const texts = items.map((item) => item.text);
  const votes: Record<string, number[]> = {
    ...(await askedOf(args, texts, judged(items))),
    'prototypes alone': likeliest(prototypes, vectors),
    'as it ships (saw MMLU dev and val)': likeliestByExamples(await fitWithout([]), vectors),
    'calibrated without its family': await heldOut(items, vectors),
  };
  console.log('\nEnglish, each prompt on its own; every source weighs the same');
  const truth = items.map((item) => isKept(item.label));
  printTable(
    headings,
    [...Object.entries(votes)].map(([name, labels]) => row(name, items, truth, keptBy(labels), judged(items))),
  );

  const readings = readingsOf(items);
  const count = readings.filter((reading) => reading !== null).length;
  console.log(`\nThe same against what a reader says who saw the texts alone (${count} of them, weighted back to all)`);
  const read = readings.map((reading) => reading?.kept === true);
  const shares = readings.map((reading) => reading?.share ?? 0);
  printTable(
    headings,
    Object.entries({ 'the domain of the source': truth, ...mapped(votes, keptBy) }).map(([name, says]) =>
      row(name, items, read, says, judged(items), false, shares),
    ),
  );

  await benchClusters(data, items, vectors, prototypes, args);
  console.log('\nBy source, each prompt on its own, calibrated without its family');
  printSources(items, truth, keptBy(votes['calibrated without its family'] ?? []));
}

/** Labels of clusters, over prompts as they occur: many of a source that is large, MMLU and MMLU-Pro among them. */
async function benchClusters(
  data: string,
  questions: Item[],
  vectors: Float32Array,
  prototypes: Directions,
  args: string[],
): Promise<void> {
  const count = Number(optionOf(args, '--prompts') ?? 12_000);
  const asked = questions.flatMap((item, at) => (item.source === 'mmlu' || item.source === 'mmlu_pro' ? [at] : []));
  const drawn = await readItems(data, { draw: count }, 0);
  const items = [...drawn, ...asked.flatMap((at) => questions[at] ?? [])];
  const own = await vectorsOf(drawn.map((item) => item.text));
  const all = new Float32Array(items.length * dimensions);
  all.set(own);
  all.set(rowsOf(vectors, asked), own.length);
  const clusters = await cluster(all);
  const voters = new Set(clusters.flatMap(({ nearest }) => nearest));
  const votes = {
    'oracle (the truth of the ten)': items.map((item) => places.get(item.label ?? 'Everyday Life') ?? 0),
    ...(await askedOf(
      args,
      items.map((item) => item.text),
      items.map((_, at) => voters.has(at)),
    )),
    'prototypes alone': likeliest(prototypes, all),
    'as it ships (saw MMLU dev and val)': likeliestByExamples(await fitWithout([]), all),
    'calibrated without its family': await heldOut(items, all),
  };
  const truth = items.map((item) => isKept(item.label));
  console.log(
    `\nEnglish, ${items.length} prompts as they occur in ${clusters.length} clusters, labelled by the ten nearest, as a run does it`,
  );
  for (const [weight, same] of [
    ['every prompt weighs the same', true] as const,
    ['every source weighs the same', false] as const,
  ]) {
    printTable(
      [weight, ...headings.slice(1)],
      Object.entries(votes).map(([name, labels]) =>
        row(name, items, truth, clusterKept(clusters, labels, items.length), judged(items), same),
      ),
    );
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** English, and of a source or subject that is of one domain. */
function judged(items: Item[]): boolean[] {
  return items.map((item) => item.language === 'en' && item.family !== unknownFamily);
}

/**
 * What the model behind `--endpoint` says of the prompts among `which`, asked as `classify` asks, with answers kept in
 * bench/.cache. -1: not asked, or an invalid answer. Nothing where no endpoint is given.
 */
async function askedOf(args: string[], texts: string[], which: boolean[]): Promise<Record<string, number[]>> {
  const endpoint = optionOf(args, '--endpoint');
  const name = optionOf(args, '--model');
  if (endpoint === null) return {};
  if (name === null) throw new Error('--endpoint needs --model, as the server calls it');
  const { endpoint: _, ...options } = classifyOptions.parse({ labeler: 'llm', endpoint, model: name });
  const files = { ledger: join(folder, 'votes.jsonl'), spent: join(folder, 'spent.jsonl') };
  mkdirSync(folder, { recursive: true });
  const named = { option: '--endpoint', endpoint, key: undefined, model: name };
  const context = { expand: (text: string) => text, signal: new AbortController().signal };
  const question = makeQuestion(set, options.prompt_characters);
  return withAsker(askerSettings(named, options, files, context), question, async (asker) => {
    const wanted = new Map<string, string>();
    texts.forEach((text, at) => {
      if (which[at] === true && asker.known(sha256(text)) === undefined) wanted.set(sha256(text), text);
    });
    async function* subjects() {
      for (const [key, subject] of wanted) yield { key, subject };
    }
    if (wanted.size > 0) await asker.ask(subjects(), () => {});
    return { [name]: texts.map((text) => places.get(asker.known(sha256(text)) ?? '') ?? -1) };
  });
}

function mapped<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function isKept(label: string | null): boolean {
  return label !== null && kept.includes(label);
}

function keptBy(labels: readonly number[]): boolean[] {
  return labels.map((label) => isKept(set.labels[label]?.name ?? null));
}

function printSources(items: Item[], truth: boolean[], says: boolean[]): void {
  const sources = [...new Set(items.map(({ source, language }) => `${source} ${language}`))].sort();
  printTable(
    ['source', 'prompts', 'Medical or Biology', 'kept of these', 'kept of the others'],
    sources.map((name) => {
      const at = items.flatMap(({ source, language }, place) => (`${source} ${language}` === name ? [place] : []));
      const [yes, no] = [true, false].map((is) => at.filter((place) => truth[place] === is));
      const of = (those: number[] = []) =>
        those.length === 0 ? '' : (those.filter((place) => says[place]).length / those.length).toFixed(3);
      return [name, at.length, yes?.length ?? 0, of(yes), of(no)];
    }),
  );
}

/**
 * Each prompt is judged by what was fitted without the texts of its own family: four fits, each without a quarter of the
 * families.
 */
async function heldOut(items: Item[], vectors: Float32Array): Promise<number[]> {
  const families = [...new Set((await takenTexts()).map(({ family }) => family))].sort();
  const result = new Array<number>(items.length).fill(0);
  for (let part = 0; part < parts; part += 1) {
    const test = items.flatMap((item, at) => (Math.max(0, families.indexOf(item.family)) % parts === part ? [at] : []));
    const ridge = await fitWithout(families.filter((_, place) => place % parts === part));
    likeliestByExamples(ridge, rowsOf(vectors, test)).forEach((label, index) => {
      result[test[index] ?? 0] = label;
    });
  }
  return result;
}

async function fitWithout(families: readonly string[]): Promise<KernelRidge> {
  const known = fits.get(families.join());
  if (known !== undefined) return known;
  const ridge = fitKernelRidge(set.labels.length, dimensions, await ownExamples(families));
  fits.set(families.join(), ridge);
  return ridge;
}

const parts = 4;
const fits = new Map<string, KernelRidge>();

function rowsOf(vectors: Float32Array, at: readonly number[]): Float32Array {
  const rows = new Float32Array(at.length * dimensions);
  at.forEach((place, index) => {
    rows.set(vectors.subarray(place * dimensions, (place + 1) * dimensions), index * dimensions);
  });
  return rows;
}

function join2(a: LabelledVectors, b: LabelledVectors): LabelledVectors {
  const vectors = new Float32Array(a.vectors.length + b.vectors.length);
  vectors.set(a.vectors);
  vectors.set(b.vectors, a.vectors.length);
  return { vectors, labels: [...a.labels, ...b.labels] };
}

/** What ships: prototypes, the examples written for it, and texts of permissive sources. */
async function ownExamples(without: readonly string[] = []): Promise<LabelledVectors> {
  const texts: string[] = [];
  const labels: number[] = [];
  const add = (label: string, text: string) => {
    const place = places.get(label);
    if (place === undefined) throw new Error(`no label ${label}`);
    texts.push(text);
    labels.push(place);
  };
  for (const label of set.labels) for (const text of prototypesOf(label)) add(label.name, text);
  const written = parse(readFileSync(labelFile('examples.yaml'), 'utf8')) as Record<string, string[]>;
  for (const [label, each] of Object.entries(written)) for (const text of each) add(label, text);
  const taken = await takenTexts();
  const ours = await vectorsOf(texts);
  // Embedded as a whole, so that the cache holds it whatever is left out.
  const all = await vectorsOf(taken.map((each) => each.text));
  const left = taken.flatMap(({ family }, at) => (without.includes(family) ? [] : [at]));
  return join2(
    { vectors: ours, labels },
    { vectors: rowsOf(all, left), labels: left.map((at) => places.get(taken[at]?.label ?? '') ?? 0) },
  );
}

interface TakenText {
  label: string;
  text: string;
  family: string;
}

/** The texts of other people that the calibration is fitted on, too. */
async function takenTexts(): Promise<TakenText[]> {
  const lines = await readFile(labelFile('examples.jsonl'), 'utf8');
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TakenText);
}

function labelFile(ending: string): string {
  return join(import.meta.dirname, '..', 'data', 'labels', `medical-domains.${ending}`);
}

async function writeCalibration(): Promise<void> {
  const ridge = await fitWithout([]);
  const bytes = Buffer.alloc(ridge.weights.length * 4);
  for (const [at, value] of ridge.weights.entries()) bytes.writeFloatLE(value, at * 4);
  const content = {
    labels: set.fingerprint,
    model,
    dimensions,
    sharpness: ridge.sharpness,
    examples: Buffer.from(ridge.examples).toString('base64'),
    scale: ridge.scale,
    weights: bytes.toString('base64'),
    bias: ridge.bias,
  };
  writeFileSync(labelFile('calibration.json'), `${JSON.stringify(content, null, 1)}\n`);
  const count = ridge.examples.length / dimensions;
  console.log(`fitted on ${count} texts: data/labels/medical-domains.calibration.json`);
}

/** Vectors of texts, kept in bench/.cache: embedding them is what takes the time. */
async function vectorsOf(texts: readonly string[]): Promise<Float32Array> {
  mkdirSync(folder, { recursive: true });
  const all = new Float32Array(texts.length * dimensions);
  const at = 512;
  for (let start = 0; start < texts.length; start += at) {
    const part = texts.slice(start, start + at);
    const file = join(folder, `${sha256(part.join('\u0000')).slice(0, 24)}.f32`);
    if (!existsSync(file)) {
      const made = await embedTexts(part, { compute: 'native', model, threads: 2 });
      writeFileSync(file, new Uint8Array(made.buffer, made.byteOffset, made.byteLength));
    }
    const bytes = readFileSync(file);
    all.set(
      new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
      start * dimensions,
    );
  }
  return all;
}

async function cluster(vectors: Float32Array): Promise<{ members: number[]; nearest: number[] }[]> {
  const count = vectors.length / dimensions;
  const k = Math.round(count / 20);
  const points = new MemoryPoints(vectors, dimensions);
  const size = { points: count, clusters: k, dimensions, algorithm: 'mini-batch' as const, passes: 12, workers: 1 };
  const arrays = makeArrays(arraySizes(size, false));
  const team = await openAlone(points, 'native', arrays);
  const nearest = await openNearest(dimensions, 'native');
  const describe = (point: number) => sha256(new Uint8Array(vectors.buffer, point * dimensions * 4, dimensions * 4));
  await countDistinct(arrays, points, team, describe);
  await kMeans(arrays, points, team, nearest, { algorithm: 'mini-batch', passes: 12, settled: 0.002, seed: 1 });
  await team.close();
  await nearest.close();
  const clusters = Array.from({ length: k }, () => ({ members: [] as number[], nearest: [] as number[] }));
  for (const [point, each] of arrays.assigned.entries()) clusters[each]?.members.push(point);
  for (const { cluster: each, point } of exemplars(arrays.assigned, arrays.squared, k, 10, (a, b) => a - b)) {
    clusters[each]?.nearest.push(point);
  }
  return clusters;
}

function clusterKept(
  clusters: { members: number[]; nearest: number[] }[],
  labels: readonly number[],
  count: number,
): boolean[] {
  const says = new Array<boolean>(count).fill(false);
  for (const { members, nearest } of clusters) {
    const { label } = decide(
      nearest.map((point) => set.labels[labels[point] ?? -1]?.name ?? null),
      0,
      0.5,
    );
    for (const point of members) says[point] = isKept(label);
  }
  return says;
}
