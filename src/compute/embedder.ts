import { embeddingGraph } from './graph.js';
import { openModel } from './local-model.js';
import { type Compute, openSession, type Session } from './session.js';
import { makeTokenizer, type Tokenize } from './tokenizer.js';
import { ensureModel, type ModelSpec, readModelFile } from './weights.js';

/** Tokens of one product. More do not go faster, as what lies between two layers then leaves the cache. */
const batchTokens = 1024;

export interface Embedder {
  tokenize: Tokenize;
  dimensions: number;
  /**
   * Vectors of tokenized texts, one after another in the order given. Texts of equal length share a product; a text's bits
   * are the same whatever its company. `progress` hears how many are done.
   */
  embed(texts: readonly Int32Array[], progress?: (done: number) => void, signal?: AbortSignal): Promise<Float32Array>;
}

const loaded = new Map<string, Promise<Embedder>>();

/** The embedder of a model, by name or folder, loaded once per thread. Fetches a pinned one where it is not there yet. */
export function loadEmbedder(modelName: string, compute: Compute, threads = 1): Promise<Embedder> {
  const key = `${modelName} ${compute} ${threads}`;
  let embedder = loaded.get(key);
  if (embedder === undefined) {
    embedder = openModel(modelName).then((model) => makeEmbedder(model, compute, threads));
    loaded.set(key, embedder);
    embedder.catch(() => loaded.delete(key));
  }
  return embedder;
}

/** Vectors of a few texts in this thread, one after another: `texts.length` × 384 floats. */
export async function embedTexts(
  texts: readonly string[],
  options: { compute: Compute; model?: string; threads?: number },
): Promise<Float32Array> {
  const model = options.model ?? 'sentence-transformers/all-MiniLM-L6-v2';
  const embedder = await loadEmbedder(model, options.compute, options.threads ?? 1);
  return embedder.embed(texts.map(embedder.tokenize));
}

// ---------------------------------------------------------------------------------------------------------------------

async function makeEmbedder(model: ModelSpec, compute: Compute, threads: number): Promise<Embedder> {
  const folder = await ensureModel(model);
  const [tokenizerJson, configJson] = await Promise.all([
    readModelFile(model, folder, 'tokenizer.json'),
    readModelFile(model, folder, 'tokenizer_config.json'),
  ]);
  const graph = embeddingGraph(await readModelFile(model, folder, 'model.safetensors'), model.shape);
  const session = await openSession(graph, compute, threads);
  return {
    tokenize: makeTokenizer(tokenizerJson, configJson, model.shape.tokens),
    dimensions: model.dimensions,
    embed: (texts, progress, signal) => embedBatches(session, model.dimensions, texts, progress, signal),
  };
}

async function embedBatches(
  session: Session,
  dimensions: number,
  texts: readonly Int32Array[],
  progress: (done: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Float32Array> {
  const vectors = new Float32Array(texts.length * dimensions);
  let done = 0;
  for (const batch of batches(texts)) {
    signal?.throwIfAborted();
    const tokens = texts[batch[0] ?? 0]?.length ?? 0;
    const ids = new Int32Array(batch.length * tokens);
    batch.forEach((text, place) => {
      ids.set(texts[text] ?? [], place * tokens);
    });
    const outputs = await session.run({
      ids: { shape: [batch.length, tokens], content: ids },
      mask: { shape: [batch.length, 1, tokens], content: new Float32Array(ids.length).fill(1 / tokens) },
    });
    const result = outputs.vectors;
    if (!(result instanceof Float32Array)) throw new Error('the graph gave no vectors');
    batch.forEach((text, place) => {
      vectors.set(result.subarray(place * dimensions, (place + 1) * dimensions), text * dimensions);
    });
    done += batch.length;
    progress(done);
  }
  return vectors;
}

/** Places of texts of one token length each, longest first, in products of up to `batchTokens`. */
function* batches(texts: readonly Int32Array[]): Generator<number[]> {
  const byLength = new Map<number, number[]>();
  texts.forEach((text, place) => {
    const places = byLength.get(text.length);
    if (places === undefined) byLength.set(text.length, [place]);
    else places.push(place);
  });
  for (const length of [...byLength.keys()].sort((a, b) => b - a)) {
    const places = byLength.get(length) ?? [];
    const size = Math.max(1, Math.floor(batchTokens / length));
    for (let start = 0; start < places.length; start += size) yield places.slice(start, start + size);
  }
}
