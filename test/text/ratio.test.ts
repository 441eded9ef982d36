import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RatioIndex } from '../../src/text/ratio.js';

interface Vector {
  name: string;
  a: string;
  b: string;
  ratio: number;
  flag: Record<string, boolean>;
}
const vectors = JSON.parse(readFileSync(new URL('../decontam/vectors/fuzz.json', import.meta.url), 'utf8')) as Vector[];

/** The textbook table, a row at a time, over code points. */
function lcs(a: string, b: string): number {
  const left = Int32Array.from(a, (point) => point.codePointAt(0) as number);
  const right = Int32Array.from(b, (point) => point.codePointAt(0) as number);
  let row = new Int32Array(right.length + 1);
  for (const point of left) {
    const next = new Int32Array(right.length + 1);
    for (let at = 0; at < right.length; at += 1)
      next[at + 1] =
        point === right[at] ? (row[at] as number) + 1 : Math.max(row[at + 1] as number, next[at] as number);
    row = next;
  }
  return row[right.length] as number;
}

function expected(text: string, documents: string[], threshold: number): [number, number][] {
  return documents.flatMap((document, index): [number, number][] => {
    const lengths = [[...text].length, [...document].length];
    const total = Math.max(...lengths) + Math.min(...lengths);
    // Not even the whole of the shorter one would do: the table would have a hundred million cells.
    if (200 * Math.min(...lengths) < threshold * total) return [];
    const common = lcs(text, document);
    if (200 * common < threshold * total) return [];
    return [[index, total === 0 ? 100 : (200 * common) / total]];
  });
}

describe('RatioIndex', () => {
  it.each(vectors)('agrees with RapidFuzz: $name', ({ a, b, ratio, flag }) => {
    for (const [threshold, wanted] of Object.entries(flag)) {
      const found = new RatioIndex([b], Number(threshold)).find(a);
      expect(found.length === 1).toBe(wanted);
      if (found[0] !== undefined) expect(found[0].ratio).toBeCloseTo(ratio, 9);
    }
  });

  it.each([1, 50, 66, 67, 68, 90, 93, 95, 100])('finds exactly what the textbook LCS finds at %i', (threshold) => {
    const unit = fc.constantFrom(...'ab', '😀', '\ud800', '患', 'é', 'c');
    const base = fc.array(unit, { maxLength: 90 });
    const change = fc.array(fc.tuple(fc.nat(100), fc.constantFrom('drop', 'add', 'swap'), unit), { maxLength: 9 });
    const near = fc.tuple(base, change).map(([units, changes]) => {
      const other = [...units];
      for (const [at, kind, put] of changes)
        other.splice(at % (other.length + 1), kind === 'add' ? 0 : 1, ...(kind === 'drop' ? [] : [put]));
      return [units.join(''), other.join('')];
    });
    fc.assert(
      fc.property(fc.array(near, { minLength: 1, maxLength: 6 }), (pairs) => {
        const documents = pairs.map((pair) => pair[1] as string);
        const index = new RatioIndex(documents, threshold);
        for (const [text] of pairs as [string, string][])
          expect(index.find(text).map((match) => [match.document, match.ratio])).toEqual(
            expected(text, documents, threshold),
          );
      }),
      { numRuns: 150 },
    );
  });

  it('finds what the textbook LCS finds of real questions on either side of the threshold', () => {
    const file = new URL('../../data/samples/benchmarks/medqa/medqa.json.gz', import.meta.url);
    const { medqa } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as { medqa: { question: string }[] };
    const documents = medqa.map((item) => item.question).filter((question) => question.length < 700);
    const indexes = [80, 90, 95].map((threshold) => new RatioIndex(documents, threshold));
    const place = fc.nat(10_000);
    // One edit in about as many characters as just reaches, or just misses, one of the thresholds.
    const every = fc.constantFrom(5, 6, 8, 9, 10, 11, 17, 19, 21, 24);
    const kinds = fc.constantFrom('drop', 'add', 'swap', 'move', 'mixed');
    let near = 0;
    fc.assert(
      fc.property(fc.nat(documents.length - 1), every, kinds, place, (which, distance, kind, seed) => {
        const original = [...(documents[which] as string)];
        const units = original.flatMap((unit, at) => {
          if ((at + seed) % distance !== 0) return [unit];
          const way = kind === 'mixed' ? ['drop', 'add', 'swap'][(at * 7 + seed) % 3] : kind;
          return way === 'drop' ? [] : way === 'add' ? [unit, 'ж'] : way === 'swap' ? ['q'] : [unit];
        });
        const text = (kind === 'move' ? [...units.slice(seed % 40), ...units.slice(0, seed % 40)] : units).join('');
        const wanted = [80, 90, 95].map(
          (threshold) => expected(text, [documents[which] as string], threshold).length > 0,
        );
        const found = indexes.map((index) => index.find(text).some((match) => match.document === which));
        if (wanted.includes(true) && wanted.includes(false)) near += 1;
        expect(found).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
    expect(near).toBeGreaterThan(50);
  });

  it('judges ties in integers, on either side of the threshold', () => {
    for (let threshold = 50; threshold <= 100; threshold += 1) {
      const index = new RatioIndex(['a'.repeat(threshold) + 'b'.repeat(100 - threshold)], threshold);
      const text = (kept: number) => 'a'.repeat(kept) + 'c'.repeat(100 - kept);
      expect(index.find(text(threshold))).toEqual([{ document: 0, ratio: threshold }]);
      expect(index.find(text(threshold - 1))).toEqual([]);
    }
  });

  it('takes texts of 5,000 characters, all equal ones and far longer ones', () => {
    const long = Array.from({ length: 5000 }, (_, at) => String.fromCharCode(97 + ((at * at * 7 + at) % 26))).join('');
    const edited = `${long.slice(0, 900)}####${long.slice(1100, 4000)}${long.slice(4050)}${'z'.repeat(60)}`;
    const documents = [long, 'a'.repeat(5000), '', edited, long.slice(0, 4600), 'a'.repeat(4100)];
    const index = new RatioIndex(documents, 90);
    for (const text of [...documents, 'a'.repeat(20_000), long + long])
      expect(index.find(text).map((match) => [match.document, match.ratio])).toEqual(expected(text, documents, 90));
  });

  it('gives the same answer whatever it was asked before', () => {
    const index = new RatioIndex(['the quick brown fox', 'jumps over the lazy dog'], 80);
    const once = index.find('the quick brown box');
    index.find('jumps over the lazy dog and more of it than fits one word of bits');
    index.find('');
    expect(index.find('the quick brown box')).toEqual(once);
    expect(once.map((match) => match.document)).toEqual([0]);
  });
});
