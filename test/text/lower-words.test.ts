import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LowerWords } from '../../src/text/lower-words.js';
import { splitWords } from '../../src/text/words.js';

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
    const words = new LowerWords(2);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        words.clear();
        words.add(text);
        expect(wordsOf(words)).toEqual(splitWords(text.toLowerCase()));
        const { starts, ends } = words.placesIn(text);
        expect(Array.from({ length: words.count }, (_, word) => text.slice(starts[word], ends[word]))).toEqual(
          splitWords(text),
        );
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

  it('gives equal words equal hashes, wherever they stand', () => {
    const words = new LowerWords();
    words.add('Fever and');
    words.add('  AND\tfever');
    expect([...words.hashes.subarray(0, 4)]).toEqual([0, 1, 1, 0].map((at) => words.hashes[at]));
    expect(words.hashes[0]).not.toBe(words.hashes[1]);
  });
});
