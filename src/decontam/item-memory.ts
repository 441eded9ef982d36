import type { Benchmark } from './benchmarks.js';
import type { Item, LoadedBenchmark } from './items.js';

/** The benchmarks with their items, as every thread needs them. */
export interface JudgedItems {
  benchmarks: Benchmark[];
  loaded: LoadedBenchmark[];
}

/** Packed for threads: read and copied once, whatever their number. */
export function shareItems(items: JudgedItems): SharedArrayBuffer {
  const latins: string[] = [];
  const others: string[] = [];
  const lengths: number[] = [];
  for (const { items: each } of items.loaded)
    for (const { item, question, options, stem, compared } of each) {
      let text = '';
      const put = (part: string) => {
        text += part;
        lengths.push(part.length);
      };
      const place = lengths.push(0) - 1;
      put(item);
      put(question);
      // Of most items these are the question again.
      for (const part of [stem, compared])
        if (part === question) lengths.push(again);
        else put(part);
      lengths.push(options.length);
      options.forEach(put);
      const isLatin = !/[^\0-\xff]/.test(text);
      (isLatin ? latins : others).push(text);
      lengths[place] = Number(isLatin);
    }
  const loaded = items.loaded.map((each) => ({
    ...each,
    items: each.items.length,
    names: each.items.every(({ benchmark }) => benchmark === each.name)
      ? null
      : each.items.map((item) => item.benchmark),
  }));
  // One text of all and where to cut it: several times faster, here and in each thread, than tens of thousands of texts.
  const latin = latins.join('');
  const other = others.join('');
  const header: Header = { ...items, loaded, latin: latin.length, other: other.length, lengths: lengths.length };
  const head = Buffer.from(JSON.stringify(header));
  const shared = new SharedArrayBuffer(4 + head.length + 4 * lengths.length + latin.length + 2 * other.length);
  const bytes = Buffer.from(shared);
  let at = bytes.writeUInt32LE(head.length);
  at += head.copy(bytes, at);
  at += Buffer.from(Int32Array.from(lengths).buffer).copy(bytes, at);
  at += bytes.write(latin, at, 'latin1');
  bytes.write(other, at, 'utf16le');
  return shared;
}

export function readShared(shared: SharedArrayBuffer): JudgedItems {
  const bytes = Buffer.from(shared);
  let at = 4 + bytes.readUInt32LE();
  const header = JSON.parse(bytes.toString('utf8', 4, at)) as Header;
  const lengths = new Int32Array(shared.slice(at, at + 4 * header.lengths));
  at += 4 * header.lengths;
  let next = 0;
  const length = () => lengths[next++] as number;
  const texts: [Stretch, Stretch] = [
    { text: bytes.toString('utf16le', at + header.latin), end: 0 },
    { text: bytes.toString('latin1', at, at + header.latin), end: 0 },
  ];
  return {
    benchmarks: header.benchmarks,
    loaded: header.loaded.map(({ names, ...each }) => {
      const items = Array.from({ length: each.items }, (_, index): Item => {
        const benchmark = names === null ? each.name : (names[index] as string);
        const from = texts[length() as 0 | 1];
        const cut = (units: number) => {
          from.end += units;
          return from.text.slice(from.end - units, from.end);
        };
        const item = cut(length());
        const question = cut(length());
        const cutOrAgain = (units: number) => (units === again ? question : cut(units));
        const stem = cutOrAgain(length());
        const compared = cutOrAgain(length());
        const options = Array.from({ length: length() }, () => cut(length()));
        return { benchmark, item, question, options, stem, compared };
      });
      return { ...each, items };
    }),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

/** In place of a length, which none is: the question once more. */
const again = -1;

/** A text that is cut from its start on. */
interface Stretch {
  readonly text: string;
  end: number;
}

/** What stands before the texts of the items. */
interface Header {
  benchmarks: Benchmark[];
  loaded: (Omit<LoadedBenchmark, 'items'> & { items: number; names: string[] | null })[];
  /**
   * How many numbers follow: of each item whether it is all Latin-1, the lengths of id, question, stem and what is
   * compared, then how many options and theirs.
   */
  lengths: number;
  /** Units of the items that are Latin-1, whose texts come next; then of the others, in UTF-16. */
  latin: number;
  other: number;
}
