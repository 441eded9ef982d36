import { join } from 'node:path';
import { loadEmbedder } from '../../src/compute/embedder.js';
import { maximumTokens } from '../../src/compute/graph.js';
import { miniLm } from '../../src/compute/weights.js';
import type { Tables } from '../../src/store/tables.js';
import { cpuSeconds, type Line, rival } from './rivals.js';
import { writeModel } from './transformers-model.js';
import { product } from './vectors.js';

const endToken = 102;

interface Extractor {
  (texts: string[], options: { pooling: 'mean'; normalize: boolean }): Promise<{ data: Float32Array }>;
  tokenizer: (
    text: string,
    options: { truncation: boolean; max_length?: number },
  ) => { input_ids: { data: BigInt64Array } };
}

interface TransformersJs {
  env: { localModelPath: string; allowRemoteModels: boolean; allowLocalModels: boolean };
  pipeline(task: string, model: string, options: object): Promise<Extractor>;
}

export async function transformers(texts: readonly string[], tables: Tables, work: string): Promise<Line[]> {
  const { env, pipeline } = (await rival('@huggingface/transformers')) as TransformersJs;
  await writeModel(join(work, 'models', 'minilm'));
  env.localModelPath = join(work, 'models');
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  const extractor = await pipeline('feature-extraction', 'minilm', {
    dtype: 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  const embedder = await loadEmbedder(miniLm.name, 'native');
  const embedTheirs = async (some: string[]) =>
    Float32Array.from((await extractor(some, { pooling: 'mean', normalize: true })).data);
  const embedOurs = (some: readonly string[]) => embedder.embed(some.map(embedder.tokenize));

  await embedTheirs(texts.slice(0, 8));
  await embedOurs(texts.slice(0, 8));
  const inBatches = async (some: readonly string[], size: number) => {
    for (let start = 0; start < some.length; start += size) await embedTheirs(some.slice(start, start + size));
  };
  const ours = await cpuSeconds(() => embedOurs(texts));
  const rate = (time: number) => `${(texts.length / time).toFixed(0)} texts/s`;
  const byLength = [...texts].sort((a, b) => a.length - b.length);
  const lines: Line[] = [];
  for (const [name, some, size] of [
    ['in batches of 32', texts, 32],
    ['sorted by length for it, in batches of 32', byLength, 32],
    ['one by one', texts, 1],
  ] as const) {
    const theirs = await cpuSeconds(() => inBatches(some, size));
    const what = `transformers.js: ${texts.length} prompts ${name}`;
    lines.push([what, rate(theirs), rate(ours), (theirs / ours).toFixed(2)]);
  }

  const references = await tables.rows<{ text: string; ids: string; vector: string }>(
    `SELECT text, to_json(input_ids)::VARCHAR AS ids, to_json(vector)::VARCHAR AS vector
     FROM read_parquet('test/compute/minilm.parquet')`,
  );
  const read = references.map((row) => ({
    text: row.text,
    ids: JSON.parse(row.ids) as number[],
    vector: Float32Array.from(JSON.parse(row.vector) as number[]),
  }));
  const leastCosine = async (some: typeof read, embed: (texts: string[]) => Promise<Float32Array>) => {
    let least = 1;
    for (const { text, vector } of some) least = Math.min(least, product(await embed([text]), vector));
    return least;
  };
  const agreement = async (what: string, some: typeof read): Promise<Line> => [
    `  ${some.length} ${what}: least cosine to sentence-transformers`,
    (await leastCosine(some, embedTheirs)).toFixed(7),
    (await leastCosine(some, embedOurs)).toFixed(7),
    '',
  ];
  const whole = read.filter((row) => row.ids.length < maximumTokens).slice(0, 20);
  const cut = read.filter((row) => row.ids.length === maximumTokens).slice(0, 20);
  lines.push(await agreement('texts of fewer than 256 tokens', whole), await agreement('texts of 256 or more', cut));
  for (const [name, options] of [
    ['', { truncation: true }],
    [', told max_length 256', { truncation: true, max_length: maximumTokens }],
  ] as const) {
    const found = cut.map(({ text }) => [...extractor.tokenizer(text, options).input_ids.data].map(Number));
    const equal = (ids: Iterable<number>, place: number) => [...ids].join() === cut[place]?.ids.join();
    const lost = found.filter((ids) => ids.at(-1) !== endToken).length;
    lines.push([
      `  the same: token ids equal to sentence-transformers'${name}`,
      `${found.filter(equal).length} of ${cut.length}, ${lost} without [SEP]`,
      `${cut.map(({ text }) => embedder.tokenize(text)).filter(equal).length} of ${cut.length}`,
      '',
    ]);
  }
  return lines;
}
