import { loadEmbedder } from '../../compute/embedder.js';
import { openModel } from '../../compute/local-model.js';
import type { Compute } from '../../compute/session.js';
import { openVectorCache, type VectorCache } from '../../compute/vector-cache.js';

import { sha256 } from '../../store/fingerprint.js';

/** Characters of a text's end that are looked at on their own where the text is longer than the model reads. */
const windowCharacters = 1_000;
/** From here on a text is longer: 254 tokens of plain English are some 1,100 characters. */
const longCharacters = 1_200;

/**
 * What is embedded of a text: the text, of which the model reads the first 254 tokens, and of a long one its end, where
 * the question stands after an instruction or a passage.
 */
export function windowsOf(text: string): string[] {
  if (text.length <= longCharacters) return [text];
  const from = text.indexOf(' ', text.length - windowCharacters);
  const end = text.slice(from === -1 ? text.length - windowCharacters : from + 1).toWellFormed();
  return [text, end];
}

/** Vectors of texts, from the cache that `embed` fills too, the others computed and put there. */
export class Sentences {
  readonly dimensions: number;
  private readonly model: string;
  private readonly compute: Compute;
  private readonly cache: VectorCache;

  private constructor(model: string, dimensions: number, compute: Compute, cache: VectorCache) {
    this.model = model;
    this.dimensions = dimensions;
    this.compute = compute;
    this.cache = cache;
  }

  static async open(model: string, compute: Compute): Promise<Sentences> {
    const spec = await openModel(model);
    return new Sentences(model, spec.dimensions, compute, await openVectorCache(spec, compute));
  }

  /** One vector per text, one after another. */
  async vectorsOf(
    texts: readonly string[],
    progress: (done: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { dimensions } = this;
    const places = new Map<string, number[]>();
    texts.forEach((text, place) => {
      const known = places.get(text);
      if (known === undefined) places.set(text, [place]);
      else known.push(place);
    });
    const distinct = [...places.keys()];
    const keys = distinct.map((text) => sha256(text).slice(0, 32));
    const vectors = new Float32Array(texts.length * dimensions);
    const put = (text: string, vector: Float32Array) => {
      for (const place of places.get(text) ?? []) vectors.set(vector, place * dimensions);
    };
    const missing = new Set(distinct.keys());
    this.cache.find(keys, (index, vector) => {
      put(distinct[index] as string, vector);
      missing.delete(index);
    });
    if (missing.size === 0) return vectors;
    const embedder = await loadEmbedder(this.model, this.compute);
    const left = [...missing];
    const made = await embedder.embed(
      left.map((index) => embedder.tokenize(distinct[index] as string)),
      (done) => progress(texts.length - left.length + done),
      signal,
    );
    left.forEach((index, place) => {
      put(distinct[index] as string, made.subarray(place * dimensions, (place + 1) * dimensions));
    });
    await this.cache.add(
      left.map((index) => keys[index] as string),
      made,
    );
    return vectors;
  }
}
