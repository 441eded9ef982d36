import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Aligner } from '../../src/text/align.js';

/** Every run of equal symbols on every diagonal, by comparing all with all. */
function naiveParts(field: Uint16Array, text: Uint16Array, least: number): Int32Array {
  const runs: { at: number; place: number; length: number }[] = [];
  for (let at = 0; at < field.length; at += 1)
    for (let place = 0; place < text.length; place += 1) {
      if (at > 0 && place > 0 && field[at - 1] === text[place - 1]) continue;
      let length = 0;
      while (at + length < field.length && place + length < text.length && field[at + length] === text[place + length])
        length += 1;
      if (length >= least) runs.push({ at, place, length });
    }
  const places = new Int32Array(field.length).fill(-1);
  runs.sort((a, b) => b.length - a.length || a.place - b.place || a.at - b.at);
  for (const { at, place, length } of runs)
    for (let index = 0; index < length; index += 1) if (places[at + index] === -1) places[at + index] = place + index;
  return places;
}

const symbols = (size: number) =>
  fc.array(fc.integer({ min: 97, max: 100 }), { maxLength: size }).map((units) => Uint16Array.from(units));

/** A text of few letters and fields cut out of it, so that much of each occurs more than once. */
const cases = fc.record({
  text: symbols(160),
  fields: fc.array(fc.array(fc.record({ from: fc.nat(160), length: fc.nat(30), own: symbols(6) }), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 4,
  }),
});

describe('Aligner', () => {
  it('finds the stretches that comparing all with all finds, of one field after another', () => {
    const aligner = new Aligner();
    fc.assert(
      fc.property(cases, ({ text, fields }) => {
        for (const pieces of fields) {
          const field = Uint16Array.from(
            pieces.flatMap(({ from, length, own }) => [...text.subarray(from, from + length), ...own]),
          );
          expect(aligner.alignParts(field, text, text.length, 9)).toEqual(naiveParts(field, text, 9));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
