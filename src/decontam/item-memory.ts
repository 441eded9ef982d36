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
  const texts: string[] = [];
  const lengths: number[] = [];
  const put = (text: string) => {
    texts.push(text);
    lengths.push(text.length);
  };
  for (const { items: each } of items.loaded)
    for (const { item, question, options, stem, compared } of each) {
      put(item);
      put(question);
      // Of most items these are the question again.
      for (const text of [stem, compared])
        if (text === question) lengths.push(again);
        else put(text);
      lengths.push(options.length);
      for (const option of options) put(option);
    }
  const loaded = items.loaded.map((each) => ({
    ...each,
    items: each.items.length,
    names: each.items.every(({ benchmark }) => benchmark === each.name)
      ? null
      : each.items.map((item) => item.benchmark),
  }));
  const header: Header = { ...items, loaded, lengths: Int32Array.from(lengths) };
  const head = serialize(header);
  // One text of all and where to cut it: several times faster, here and in each thread, than tens of thousands of texts.
  const text = texts.join('');
  const shared = new SharedArrayBuffer(4 + head.length + 2 * text.length);
  const bytes = Buffer.from(shared);
  bytes.writeUInt32LE(head.length);
  bytes.set(head, 4);
  bytes.write(text, 4 + head.length, 'utf16le');
  return shared;
}

export function readShared(shared: SharedArrayBuffer): JudgedItems {
  const bytes = Buffer.from(shared);
  const start = 4 + bytes.readUInt32LE();
  const { lengths, loaded, benchmarks } = deserialize(bytes.subarray(4, start)) as Header;
  const text = bytes.toString('utf16le', start);
  let next = 0;
  let end = 0;
  const length = () => lengths[next++] as number;
  const cut = (units: number) => {
    end += units;
    return text.slice(end - units, end);
  };
  const takeOr = (question: string) => {
    const units = length();
    return units === again ? question : cut(units);
  };
  return {
    benchmarks,
    loaded: loaded.map(({ names, ...each }) => {
      const items = Array.from({ length: each.items }, (_, index): Item => {
        const benchmark = names === null ? each.name : (names[index] as string);
        const item = cut(length());
        const question = cut(length());
        const stem = takeOr(question);
        const compared = takeOr(question);
        const options = Array.from({ length: length() }, () => cut(length()));
        return { benchmark, item, question, options, stem, compared };
      });
      return { ...each, items };
    }),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

/** In place of a length: the question once more. */
const again = -1;

/** What stands before the texts of the items. */
interface Header {
  benchmarks: Benchmark[];
  loaded: (Omit<LoadedBenchmark, 'items'> & { items: number; names: string[] | null })[];
  /** In UTF-16 units, of each item: id, question, stem, what is compared, then the number of its options and each. */
  lengths: Int32Array;
}
