import { deserialize, serialize } from 'node:v8';
import type { Benchmark } from './benchmarks.js';
import type { LoadedBenchmark } from './items.js';

/** The benchmarks with their items, as every thread needs them. */
export interface JudgedItems {
  benchmarks: Benchmark[];
  loaded: LoadedBenchmark[];
}

/** Packed for threads: read and copied once, whatever their number. */
export function shareItems(items: JudgedItems): SharedArrayBuffer {
  const bytes = serialize(items);
  const shared = new SharedArrayBuffer(bytes.length);
  Buffer.from(shared).set(bytes);
  return shared;
}

export function readShared(shared: SharedArrayBuffer): JudgedItems {
  return deserialize(Buffer.from(shared)) as JudgedItems;
}
