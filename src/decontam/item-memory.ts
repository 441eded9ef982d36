import { deserialize, serialize } from 'node:v8';
import type { Benchmark } from './benchmarks.js';
import type { Item, LoadedBenchmark } from './items.js';

/** The benchmarks with their items, as every thread needs them. */
export interface JudgedItems {
  benchmarks: Benchmark[];
  loaded: LoadedBenchmark[];
}

/** Packed for threads: read and copied once, whatever their number. */
export function shareItems(items: JudgedItems): SharedArrayBuffer {
  const bytes = serialize({ ...items, loaded: items.loaded.map((each) => ({ ...each, items: each.items.map(pack) })) });
  const shared = new SharedArrayBuffer(bytes.length);
  Buffer.from(shared).set(bytes);
  return shared;
}

export function readShared(shared: SharedArrayBuffer): JudgedItems {
  const packed = deserialize(Buffer.from(shared)) as Packed;
  return { ...packed, loaded: packed.loaded.map((each) => ({ ...each, items: each.items.map(unpack) })) };
}

// ---------------------------------------------------------------------------------------------------------------------

/** An item without the texts that are its question again, which most of them are. */
type PackedItem = [Item['benchmark'], Item['item'], Item['question'], Item['options'], string | null, string | null];
type Packed = Omit<JudgedItems, 'loaded'> & { loaded: (Omit<LoadedBenchmark, 'items'> & { items: PackedItem[] })[] };

function pack({ benchmark, item, question, options, stem, compared }: Item): PackedItem {
  return [benchmark, item, question, options, stem === question ? null : stem, compared === question ? null : compared];
}

function unpack([benchmark, item, question, options, stem, compared]: PackedItem): Item {
  return { benchmark, item, question, options, stem: stem ?? question, compared: compared ?? question };
}
