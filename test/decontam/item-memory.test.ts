import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type JudgedItems, readShared, shareItems } from '../../src/decontam/item-memory.js';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constant('\ud800'),
);

/** As benchmarks are read: most items of a file bear its name, and their question is what is compared. */
const item = fc
  .record({
    benchmark: fc.constantFrom('one', 'other'),
    item: text,
    question: text,
    options: fc.array(text, { maxLength: 5 }),
    stem: fc.option(text),
    compared: fc.option(text),
  })
  .map((each) => ({ ...each, stem: each.stem ?? each.question, compared: each.compared ?? each.question }));

it('gives threads the items as they were read, whatever characters they hold', () => {
  const file = {
    benchmark: { name: 'one', file: '/bench/é.jsonl', whole: null, where: { split: 'test' }, sets: ['ü'] },
    name: 'one',
    warnings: ['two items – “the same”'],
  };
  fc.assert(
    fc.property(fc.array(fc.array(item, { maxLength: 8 }), { maxLength: 4 }), (files) => {
      const items = {
        benchmarks: [file.benchmark],
        loaded: files.map((each) => ({ ...file, items: each })),
      } as unknown as JudgedItems;
      expect(readShared(shareItems(items))).toEqual(items);
    }),
    { numRuns: 300 },
  );
});
