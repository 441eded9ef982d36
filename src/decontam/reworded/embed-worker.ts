import type { Compute } from '../../compute/session.js';
import { Sentences } from './sentences.js';

/** Puts the vectors of texts into the cache, in a thread of its own. Piscina calls the default export. */
export default async function work(task: { texts: string[]; model: string; compute: Compute }): Promise<void> {
  const sentences = await Sentences.open(task.model, task.compute);
  await sentences.vectorsOf(task.texts);
}
