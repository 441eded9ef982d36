import { setImmediate } from 'node:timers/promises';
import type { RunFolder } from '../store/folder.js';
import { VectorFile } from '../store/vectors.js';
import type { EmbeddedLabeler } from './labelers/embedded.js';

const rowsAtOnce = 1_024;

/**
 * The place of the label of every prompt, from the vectors that the run already has. Reads each vector file once. Between
 * blocks others have their turn: a prompt takes the better part of a millisecond, and there may be half a million.
 */
export async function embeddedVotes(
  run: RunFolder,
  promptKeys: readonly string[],
  labeler: EmbeddedLabeler,
  hear: (done: number) => void,
  signal: AbortSignal,
): Promise<number[]> {
  const placeOf = new Map(promptKeys.map((key, place) => [key, place]));
  const votes = new Array<number>(promptKeys.length).fill(-1);
  let done = 0;
  for (const path of run.files('vectors', '.arrow')) {
    const file = new VectorFile(path);
    try {
      for (const count of votesOfFile(file, placeOf, labeler, votes)) {
        done += count;
        hear(done);
        await setImmediate();
        signal.throwIfAborted();
      }
    } finally {
      file.close();
    }
  }
  if (done !== placeOf.size) throw new Error(`${placeOf.size - done} prompts have no vector`);
  return votes;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Yields how many votes each block gave. */
function* votesOfFile(
  file: VectorFile,
  placeOf: ReadonlyMap<string, number>,
  labeler: EmbeddedLabeler,
  votes: number[],
): Generator<number> {
  const wanted: { row: number; place: number }[] = [];
  let row = 0;
  for (const keys of file.keys()) {
    for (const key of keys) {
      const place = placeOf.get(key);
      if (place !== undefined) wanted.push({ row, place });
      row += 1;
    }
  }
  const { dimensions } = file;
  let next = 0;
  while (next < wanted.length) {
    const start = wanted[next]?.row ?? 0;
    const end = Math.min(start + rowsAtOnce, file.rowCount);
    const block = new Float32Array((end - start) * dimensions);
    file.read(start, end, block);
    const places: number[] = [];
    const chosen: number[] = [];
    while (next < wanted.length && (wanted[next]?.row ?? end) < end) {
      places.push(wanted[next]?.place ?? -1);
      chosen.push((wanted[next]?.row ?? start) - start);
      next += 1;
    }
    const vectors = new Float32Array(chosen.length * dimensions);
    chosen.forEach((from, index) => {
      vectors.set(block.subarray(from * dimensions, (from + 1) * dimensions), index * dimensions);
    });
    labeler.classify(vectors).forEach((label, index) => {
      votes[places[index] ?? -1] = label;
    });
    yield places.length;
  }
}
