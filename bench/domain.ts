import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fitDirections, type LabelledVectors } from '../src/classify/fit-directions.js';
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
    ...(await askedOf(args, texts, english(items))),
    'prototypes alone': likeliest(prototypes, vectors),
    'as it ships (saw MMLU dev and val)': likeliest(fitDirections(prototypes, await ownExamples()), vectors),
    'calibrated without its family': await heldOut(items, vectors, prototypes),
  };
  console.log('\nEnglish, each prompt on its own; every source weighs the same');
  const truth = items.map((item) => isKept(item.label));
  printTable(
    headings,
    [...Object.entries(votes)].map(([name, labels]) => row(name, items, truth, keptBy(labels), english(items))),
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
  const asked = questions.flatMap((item, at) => (item.family === 'mmlu' ? [at] : []));
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
    'as it ships (saw MMLU dev and val)': likeliest(fitDirections(prototypes, await ownExamples()), all),
    'calibrated without its family': await heldOut(items, all, prototypes),
  };
  const truth = items.map((item) => isKept(item.label));
  const judged = items.map((item) => item.family !== unknownFamily);
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
        row(name, items, truth, clusterKept(clusters, labels, items.length), judged, same),
      ),
    );
  }
}

const headings = ['', 'precision', 'recall', 'MMLU precision', 'recall', 'MMLU-Pro precision', 'recall'];

// -- private

function english(items: Item[]): boolean[] {
  return items.map((item) => item.language === 'en');
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

function isKept(label: string | null): boolean {
  return label !== null && kept.includes(label);
}

function keptBy(labels: readonly number[]): boolean[] {
  return labels.map((label) => isKept(set.labels[label]?.name ?? null));
}

function row(
  name: string,
  items: Item[],
  truth: boolean[],
  says: boolean[],
  among: boolean[],
  promptsAlike = false,
): string[] {
  const share = (value: number) => value.toFixed(3);
  const all = score(items, truth, says, among, promptsAlike);
  const parts = ['mmlu', 'mmlu_pro'].map((source) =>
    score(
      items,
      truth,
      says,
      items.map((item, at) => among[at] === true && item.source === source),
    ),
  );
  return [name, ...[all, ...parts].flatMap(({ precision, recall }) => [share(precision), share(recall)])];
}

/** Precision and recall where each prompt, or else each source, counts as much as any other. */
function score(
  items: Item[],
  truth: boolean[],
  says: boolean[],
  among: boolean[],
  promptsAlike = true,
): { precision: number; recall: number } {
  const sizes = new Map<string, number>();
  items.forEach(({ source }, at) => {
    if (among[at] === true) sizes.set(source, (sizes.get(source) ?? 0) + 1);
  });
  let both = 0;
  let said = 0;
  let is = 0;
  items.forEach(({ source }, at) => {
    if (among[at] !== true) return;
    const weight = promptsAlike ? 1 : 1 / (sizes.get(source) ?? 1);
    if (says[at] === true) said += weight;
    if (truth[at] === true) is += weight;
    if (says[at] === true && truth[at] === true) both += weight;
  });
  return { precision: both / said, recall: both / is };
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
 * Each prompt is judged by directions that were fitted without the texts of its own family: four fits, each without a
 * quarter of the families.
 */
async function heldOut(items: Item[], vectors: Float32Array, prototypes: Directions): Promise<number[]> {
  const families = [...new Set((await takenTexts()).map(({ family }) => family))].sort();
  const result = new Array<number>(items.length).fill(0);
  for (let part = 0; part < parts; part += 1) {
    const test = items.flatMap((item, at) => (Math.max(0, families.indexOf(item.family)) % parts === part ? [at] : []));
    let directions = fitted.get(part);
    if (directions === undefined) {
      const own = await ownExamples(families.filter((_, place) => place % parts === part));
      directions = fitDirections(prototypes, own);
      fitted.set(part, directions);
    }
    likeliest(directions, rowsOf(vectors, test)).forEach((label, index) => {
      result[test[index] ?? 0] = label;
    });
  }
  return result;
}

const parts = 4;
const fitted = new Map<number, Directions>();

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
  const own = await ownExamples();
  const { weights, bias } = fitDirections(await prototypeDirections(set, model, 'native'), own);
  const bytes = Buffer.alloc(weights.length * 4);
  for (const [at, value] of weights.entries()) bytes.writeFloatLE(value, at * 4);
  const content = {
    labels: set.fingerprint,
    model,
    dimensions,
    texts: own.labels.length,
    bias: [...bias].map((value) => Number(value.toFixed(6))),
    weights: bytes.toString('base64'),
  };
  writeFileSync(labelFile('calibration.json'), `${JSON.stringify(content, null, 1)}\n`);
  console.log(`fitted on ${own.labels.length} texts: data/labels/medical-domains.calibration.json`);
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
