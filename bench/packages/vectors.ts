import { seededRandom } from '../../src/cluster/random.js';
import { loadEmbedder } from '../../src/compute/embedder.js';
import { miniLm } from '../../src/compute/weights.js';

export const dimensions = 384;

/** Vectors of the texts, then the same again with noise, of length 1, until there are `count`. */
export async function vectorsLike(texts: readonly string[], count: number): Promise<Float32Array> {
  const embedder = await loadEmbedder(miniLm.name, 'native');
  const real = await embedder.embed(texts.map(embedder.tokenize));
  const vectors = new Float32Array(count * dimensions);
  const random = seededRandom(2, 'noise');
  for (let row = 0; row < count; row += 1) {
    if (row < texts.length) rowOf(vectors, row).set(rowOf(real, row));
    else noisy(rowOf(real, row % texts.length), rowOf(vectors, row), random);
  }
  return vectors;
}

/** `from` with noise of about half its length, at length 1. */
export function noisy(from: Float32Array, into: Float32Array, random: () => number): void {
  const amount = 0.5 * Math.sqrt(12 / dimensions);
  for (let place = 0; place < dimensions; place += 1) into[place] = (from[place] ?? 0) + amount * (random() - 0.5);
  const length = Math.sqrt(product(into, into));
  for (let place = 0; place < dimensions; place += 1) into[place] = (into[place] ?? 0) / length;
}

export function inertiaOf(vectors: Float32Array, centroids: Float32Array): number {
  let inertia = 0;
  for (let point = 0; point < vectors.length; point += dimensions) {
    let least = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < centroids.length; cluster += dimensions) {
      let distance = 0;
      for (let place = 0; place < dimensions; place += 1) {
        distance += ((vectors[point + place] ?? 0) - (centroids[cluster + place] ?? 0)) ** 2;
      }
      least = Math.min(least, distance);
    }
    inertia += least;
  }
  return inertia;
}

export function rowOf(vectors: Float32Array, row: number): Float32Array {
  return vectors.subarray(row * dimensions, (row + 1) * dimensions);
}

export function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < a.length; place += 1) sum += (a[place] ?? 0) * (b[place] ?? 0);
  return sum;
}
