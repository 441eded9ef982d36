import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NgramIndex } from '../../src/text/ngrams.js';

interface Vector {
  name: string;
  train: string;
  eval: string;
  flag: Record<string, boolean>;
}
const vectors = JSON.parse(
  readFileSync(new URL('../decontam/vectors/ngram.json', import.meta.url), 'utf8'),
) as Vector[];

/** The rule written down as plainly as it goes: every n-gram as a string in a set. */
function naive(text: string, document: string, size: number): Set<string> {
  const grams = (of: string) => {
    const words = of.toLowerCase().split(/[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/);
    const kept = words.filter((word) => word !== '');
    return new Set(
      kept
        .map((_, at) => kept.slice(at, at + size))
        .filter((g) => g.length === size)
        .map((g) => g.join(' ')),
    );
  };
  const known = grams(document);
  return new Set([...grams(text)].filter((gram) => known.has(gram)));
}

describe('NgramIndex', () => {
  it.each(vectors.flatMap((vector) => Object.entries(vector.flag).map(([size, flag]) => ({ ...vector, size, flag }))))(
    'agrees with the reference: $name, n = $size',
    ({ train, eval: document, size, flag, name }) => {
      // The file shortens this one text to "lorem … lo…"; its name says what it holds.
      const long = `${'lorem '.repeat(2000)}one two three four five six seven eight nine ten${' lorem'.repeat(100)}`;
      const text = name.startsWith('train contains eval 10-gram') ? long : train;
      const expected = name.startsWith('train contains eval 10-gram') ? Number(size) <= 10 : flag;
      expect(new NgramIndex([document], Number(size)).find(text).length > 0).toBe(expected);
    },
  );

  it('finds what a naive set of n-grams finds, document by document', () => {
    const word = fc.constantFrom('a', 'b', 'A', 'İ', 'ß', 'é', '😀', 'ΟΔΟΣ', 'x,');
    const space = fc.constantFrom(' ', '\t\n', '\u3000', '\x85', '\ufeff');
    const text = fc.array(fc.tuple(word, space), { maxLength: 14 }).map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 6 }),
        text,
        fc.integer({ min: 1, max: 4 }),
        (all, one, n) => {
          const found = new Map(new NgramIndex(all, n).find(one).map((match) => [match.document, match.shared]));
          all.forEach((document, index) => {
            expect(found.get(index) ?? 0).toBe(naive(one, document, n).size);
          });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives the longest run with its place in the text as given, and how many documents hold it', () => {
    const index = new NgramIndex(['alpha beta gamma delta', 'beta gamma zeta', 'omega'], 2);
    const text = 'İİ  Alpha\tBETA gamma. beta  gamma';
    expect(index.find(text)).toEqual([
      { document: 0, shared: 2, start: 4, end: 14, documents: 1 },
      { document: 1, shared: 1, start: 22, end: 33, documents: 2 },
    ]);
    expect(text.slice(22, 33)).toBe('beta  gamma');
    expect([0, 1, 2].map((document) => index.count(document))).toEqual([3, 2, 0]);
  });
});
