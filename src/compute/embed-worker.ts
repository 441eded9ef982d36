import { loadEmbedder } from './embedder.js';
import { miniLm } from './weights.js';

/** Vectors of texts in a worker thread, natively: for whoever embeds outside a run. Piscina calls the default export. */
export default async function work(texts: string[]): Promise<Float32Array> {
  const embedder = await loadEmbedder(miniLm.name, 'native');
  return embedder.embed(texts.map(embedder.tokenize));
}
