import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tallies } from '../../src/text/tallies.js';

/** How many characters of the text the document cannot answer, counted one kind at a time. */
function surplus(text: readonly number[], document: readonly number[]): number {
  const left = new Map<number, number>();
  for (const point of document) left.set(point, (left.get(point) ?? 0) + 1);
  let alone = 0;
  for (const point of text) {
    const count = left.get(point) ?? 0;
    if (count === 0) alone += 1;
    else left.set(point, count - 1);
  }
  return alone;
}

/** Few kinds with many repeats, many kinds, and kinds beyond those that have a class of their own. */
const points = (least: number) =>
  fc.oneof(
    fc.array(fc.integer({ min: least, max: 3 }), { maxLength: 400 }),
    fc.array(fc.integer({ min: least, max: 300 }), { maxLength: 300 }),
    fc
      .array(fc.tuple(fc.integer({ min: least, max: 90 }), fc.integer({ min: 0, max: 200 })), { maxLength: 5 })
      .map((runs) => runs.flatMap(([point, count]) => new Array<number>(count).fill(point))),
  );

describe('Tallies', () => {
  it('never discards a document that has enough of every character', () => {
    fc.assert(
      fc.property(fc.array(points(1), { minLength: 1, maxLength: 5 }), points(0), (documents, text) => {
        const tallies = new Tallies(documents.map((document) => Int32Array.from(document)));
        tallies.take(Int32Array.from(text), text.length);
        documents.forEach((document, index) => {
          expect(tallies.withinSpare(index, surplus(text, document))).toBe(true);
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('discards what lacks one character too many, where every character has its own class', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 48 }), { maxLength: 120 }),
        fc.array(fc.integer({ min: 1, max: 48 }), { minLength: 1, maxLength: 120 }),
        (document, text) => {
          const tallies = new Tallies([Int32Array.from(document)]);
          tallies.take(Int32Array.from(text), text.length);
          const alone = surplus(text, document);
          expect([alone - 1, alone].map((spare) => tallies.withinSpare(0, spare))).toEqual([false, true]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('counts beyond what its bits hold', () => {
    const runs = [40_000, 70_000, 200].map((count, point) => new Int32Array(count).fill(point * 20 + 1));
    const tallies = new Tallies(runs);
    for (const [index, run] of runs.entries()) {
      tallies.take(run, run.length);
      expect(runs.map((_, other) => tallies.withinSpare(other, 0))).toEqual(runs.map((_, other) => other === index));
    }
  });
});
