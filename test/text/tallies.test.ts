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

/** Documents whose characters answer so many of the text's that the ratio may reach the threshold. */
function mayReach(text: readonly number[], documents: readonly (readonly number[])[], threshold: number): number[] {
  return documents.flatMap((document, index) => {
    const common = text.length - surplus(text, document);
    return 200 * common >= threshold * (text.length + document.length) ? [index] : [];
  });
}

function near(text: readonly number[], documents: readonly (readonly number[])[], threshold: number): number[] {
  const tallies = new Tallies(
    documents.map((document) => Int32Array.from(document)),
    threshold,
  );
  // Asked twice: an answer must not depend on the text before.
  tallies.near(Int32Array.from([1, 2, 3]), 3, 0, documents.length);
  return [...tallies.near(Int32Array.from(text), text.length, 0, documents.length)];
}

/** Few kinds with many repeats, many kinds, and kinds beyond those that have a class of their own. */
const points = (least: number) =>
  fc.oneof(
    fc.array(fc.integer({ min: least, max: 3 }), { maxLength: 400 }),
    fc.array(fc.integer({ min: least, max: 300 }), { maxLength: 300 }),
    fc
      .array(fc.tuple(fc.integer({ min: least, max: 90 }), fc.integer({ min: 0, max: 300 })), { maxLength: 5 })
      .map((runs) => runs.flatMap(([point, count]) => new Array<number>(count).fill(point))),
  );

describe('Tallies', () => {
  it('never discard a document that has enough of every character', () => {
    fc.assert(
      fc.property(
        fc.array(points(1), { minLength: 1, maxLength: 5 }),
        points(0),
        fc.integer({ min: 1, max: 100 }),
        (documents, text, threshold) => {
          // The text again with a few characters changed, so that some are near.
          const all = [...documents, text.map((point, at) => (at % 9 === 0 || point === 0 ? 5 : point))];
          expect(near(text, all, threshold)).toEqual(expect.arrayContaining(mayReach(text, all, threshold)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('discard every other where each character has its own class', () => {
    const own = fc.array(fc.integer({ min: 1, max: 48 }), { maxLength: 120 });
    fc.assert(
      fc.property(
        fc.array(own, { maxLength: 6 }),
        own,
        fc.integer({ min: 1, max: 100 }),
        (documents, text, threshold) => {
          const all = [...documents, text.map((point, at) => (at % 7 === 0 ? 1 : point))];
          expect(near(text, all, threshold)).toEqual(mayReach(text, all, threshold));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('look at the documents of a range alone, and at counts beyond what their bits hold', () => {
    const runs = [40_000, 70_000, 200, 300].map((count, point) => new Int32Array(count).fill(point * 10 + 1));
    const tallies = new Tallies(runs, 100);
    for (const [index, run] of runs.entries()) {
      expect([...tallies.near(run, run.length, 0, 4)]).toEqual([index]);
      expect([...tallies.near(run, run.length, 0, index)]).toEqual([]);
      expect([...tallies.near(run, run.length, index + 1, 4)]).toEqual([]);
      expect([...tallies.near(run, run.length, 2, 2)]).toEqual([]);
    }
  });
});
