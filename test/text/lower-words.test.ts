import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LowerWords } from '../../src/text/lower-words.js';
import { splitWords, wordPlaces } from '../../src/text/spaces.js';

function wordsOf(words: LowerWords): string[] {
  return Array.from({ length: words.count }, (_, word) =>
    String.fromCharCode(...words.units.subarray(words.starts[word], words.ends[word])),
  );
}

describe('LowerWords', () => {
  it('gives the words of the lower case, whatever the characters', () => {
    const odd = fc.constantFrom(
      'İ',
      'Σ',
      'ΟΔΟΣ',
      'ẞ',
      'ﬃ',
      '😀',
      '𐐀',
      '\ud800',
      '\udc00',
      'Ǆ',
      'K',
      '\u0307',
      '\ufeff',
      'Ⅷ',
    );
    const space = fc.constantFrom(' ', '\n', '\t', '\u3000', '\x85', '\x1c', '\u2028');
    const part = fc.oneof(odd, space, fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ maxLength: 8 }));
    const words = new LowerWords(0);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        words.clear();
        words.add(text);
        expect(wordsOf(words)).toEqual(splitWords(text.toLowerCase()));
        expect(wordPlaces(text).starts).toHaveLength(words.count);
      }),
      { numRuns: 3000 },
    );
  });

  it('knows the lower case of every single unit and of every pair of surrogates', () => {
    for (let high = 0xd800; high < 0xdc00; high += 1) {
      const all = Array.from({ length: 1024 }, (_, low) => `${String.fromCharCode(high, 0xdc00 + low)}`).join('');
      const units = Array.from({ length: 64 }, (_, at) => String.fromCharCode((high - 0xd800) * 64 + at)).join('x');
      const words = new LowerWords();
      words.add(all);
      words.add(units);
      expect(wordsOf(words)).toEqual([...splitWords(all.toLowerCase()), ...splitWords(units.toLowerCase())]);
    }
  });

  it('gives equal words equal hashes, wherever they stand and whatever was added before', () => {
    const words = new LowerWords(0);
    words.add('Fever and');
    words.keep();
    const part = fc.oneof(
      fc.constantFrom('fever', ' ', '\n', '\0', 'FEVER', 'pneumonoultramicroscopic', '\u2028', 'é'),
      fc.string({ unit: fc.constantFrom('a', 'B', ' ', '患'), maxLength: 70 }),
    );
    const known = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        words.clear();
        words.add(parts.join(''));
        const all = wordsOf(words);
        expect(all).toEqual(['fever', 'and', ...splitWords(parts.join('').toLowerCase())]);
        all.forEach((word, at) => {
          const hash = words.hashes[at] as number;
          expect(known.get(word) ?? hash).toBe(hash);
          known.set(word, hash);
        });
      }),
      { numRuns: 1000 },
    );
    const byHash = new Map<number, string[]>();
    for (const [word, hash] of known) byHash.set(hash, [...(byHash.get(hash) ?? []), word]);
    expect([...byHash.values()].filter((each) => each.length > 1)).toEqual([]);
  });
});
