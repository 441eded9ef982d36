import { eld } from 'eld/small';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tables } from '../../src/store/tables.js';
import { LanguageGrams } from '../../src/text/language-grams.js';

const grams = new LanguageGrams();

it('prompts of every shipped sample get the language that eld gives them, whole and cut', async () => {
  const tables = await Tables.open();
  try {
    const rows = await tables.rows<{ text: string }>(
      `SELECT conversations[1].value AS text FROM read_parquet('data/samples/openthoughts2/*.parquet')
       UNION ALL SELECT question FROM read_parquet('data/samples/general-thought/*.parquet')
       UNION ALL SELECT json::VARCHAR FROM read_json_objects('data/samples/medical-o1/*.json')
       UNION ALL SELECT json::VARCHAR FROM read_json_objects('data/samples/medical-r1-distill-zh/*.json')`,
    );
    expect(rows.length).toBeGreaterThan(500);
    for (const { text } of rows)
      for (const part of [text, text.slice(0, 160), text.slice(3, 50)])
        expect(grams.detect(part), part).toBe(eld.detect(part).language);
  } finally {
    tables.close();
  }
});

/** Letters of many scripts, among them those whose bytes the table does not know, and what parts words. */
const unit = fc.oneof(
  fc.constantFrom(
    ...'aeinrstéüßñçøåığşИванкаРосαβγΣςאבשعرбңұөक्षगুதமிไทยქართԱբ',
    'ʼ',
    'ǅ',
    'ʃ',
    'Ԁ',
    'ހ',
    'ߊ',
    'ܐ',
    '̈',
    'İ',
  ),
  fc.constantFrom(' ', '  ', '\n', "'", '’', '`', '-', '1', '.', '\u{1D400}', '\ud800', '漢', 'か', '한', 'Ω', 'ﬁ'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const texts = fc.oneof(
  fc.array(unit, { maxLength: 60 }).map((units) => units.join('')),
  fc.array(fc.constantFrom(...'abcdeéǅʃ漢 '), { minLength: 60, maxLength: 700 }).map((units) => units.join('')),
  // Around the length at which eld cuts a word.
  fc
    .tuple(fc.integer({ min: 60, max: 80 }), unit)
    .map(([length, end]) => `${'ǅab'.repeat(40).slice(0, length)}${end}cd`),
);

it('any text gets the language that eld gives it', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(grams.detect(text)).toBe(eld.detect(text).language);
    }),
    { numRuns: 20_000 },
  );
});
