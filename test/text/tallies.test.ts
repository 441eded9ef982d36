import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tallies } from '../../src/text/tallies.js';

/** How many characters of the text the document cannot answer, counted one kind at a time. */
function surplus(text: string, document: string): number {
  const left = new Map<string, number>();
  for (const point of document) left.set(point, (left.get(point) ?? 0) + 1);
  let alone = 0;
  for (const point of text) {
    const count = left.get(point) ?? 0;
    if (count === 0) alone += 1;
    else left.set(point, count - 1);
  }
  return alone;
}

/** Documents whose characters answer so many of the text's, or with so many more, that the ratio may reach the threshold. */
function mayReach(text: string, documents: readonly string[], threshold: number, more = 0): number[] {
  const length = [...text].length;
  return documents.flatMap((document, index) => {
    const common = length - surplus(text, document) + more;
    return 200 * common >= threshold * (length + [...document].length) ? [index] : [];
  });
}

function near(text: string, documents: readonly string[], threshold: number): number[] {
  const tallies = new Tallies(documents, threshold);
  // Asked twice: an answer must not depend on the text before.
  tallies.near(tallies.read('abc'), 0, documents.length);
  const length = tallies.read(text);
  expect(length).toBe([...text].length);
  return tallies.near(length, 0, documents.length);
}

/** Letters beyond those that have a class of their own, and beyond U+FFFF, and halves of such. */
const kinds = [
  ...Array.from({ length: 90 }, (_, at) => String.fromCharCode(0x20 + at)),
  ...Array.from({ length: 90 }, (_, at) => String.fromCharCode(0x4e00 + at)),
  ...['😀', '😁', '🩺', '𐐀', '𐐁', '𠀀', '\ud800', '\ud83d', '\udc00', '\ude00', '\0'],
];
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...kinds), maxLength: 300 }),
  fc
    .array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 0, max: 300 })), { maxLength: 5 })
    .map((runs) => runs.map(([letter, count]) => letter.repeat(count)).join('')),
);
const threshold = fc.integer({ min: 1, max: 100 });
const changed = (letters: string, every: number) =>
  [...letters].map((each, at) => (at % every === 0 ? 'e' : each)).join('');

describe('Tallies', () => {
  it('never discard a document that has enough of every character', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), text, threshold, (documents, one, least) => {
        // The text again with a few characters changed, so that some are near.
        const all = [...documents, changed(one, 9)];
        expect(near(one, all, least)).toEqual(expect.arrayContaining(mayReach(one, all, least)));
      }),
      { numRuns: 1000 },
    );
  });

  it('discard every other of a fitting length, but for one character, where each character has its own class', () => {
    const own = fc.string({ unit: fc.constantFrom(...kinds.slice(0, 48)), maxLength: 120 });
    fc.assert(
      fc.property(fc.array(own, { maxLength: 20 }), own, threshold, (documents, one, least) => {
        const all = [...documents, changed(one, 7)];
        const fitting = all.filter((each) => 200 * one.length >= least * (one.length + each.length));
        // Whole numbers stand for fractions, so that one character may be granted.
        expect(mayReach(one, fitting, least, 1)).toEqual(expect.arrayContaining(near(one, fitting, least)));
      }),
      { numRuns: 1000 },
    );
  });

  it('look at the documents of a range alone, and at counts beyond what their bits hold', () => {
    const runs = [200, 300, 40_000, 70_000, 140_000].map((count, at) => String.fromCharCode(97 + at).repeat(count));
    const tallies = new Tallies(runs, 100);
    for (const [index, run] of runs.entries()) {
      const length = tallies.read(run);
      // Of more than 131,070 characters nothing is known.
      const [all, less, more] = length > 131_070 ? [[0, 1, 2, 3, 4], [0, 1, 2, 3], []] : [[index], [], []];
      expect(tallies.near(length, 0, 5)).toEqual(all);
      expect(tallies.near(length, 0, index)).toEqual(less);
      expect(tallies.near(length, index + 1, 5)).toEqual(more);
      expect(tallies.near(length, 2, 2)).toEqual([]);
    }
  });
});
