import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Encoded } from '../../src/text/encoded.js';
import { splitWords, strip } from '../../src/text/spaces.js';
import { Utf8Text } from '../../src/text/utf8-text.js';
import { countSegmentedWords, countWaits, countWords, measureEncoded, measureWords } from '../../src/text/words.js';

/** What Python itself says, for many texts in one process. */
function python(texts: readonly string[]): { words: number; waits: number; strip: string }[] {
  const program =
    'import json,sys\nprint(json.dumps([{"words":len(t.split()),"waits":t.count("Wait"),"strip":t.strip()} for t in json.load(sys.stdin)]))';
  return JSON.parse(
    execFileSync('python3', ['-c', program], {
      input: JSON.stringify(texts),
      maxBuffer: 64 << 20,
      env: { ...process.env, PYTHONIOENCODING: 'utf8' },
    }).toString(),
  );
}

const spaces = [
  '\t',
  '\n',
  '\v',
  '\f',
  '\r',
  '\x1c',
  '\x1d',
  '\x1e',
  '\x1f',
  ' ',
  '\x85',
  '\xa0',
  '\u1680',
  '\u2000',
  '\u200a',
  '\u2028',
  '\u2029',
  '\u202f',
  '\u205f',
  '\u3000',
];
const noSpaces = ['\ufeff', '\u200b', '\u180e', '\u2060'];
const pieces = fc.oneof(
  fc.constantFrom(
    ...spaces,
    ...noSpaces,
    'Wait',
    'wait',
    'Await',
    'WaitWait',
    'Wai',
    't',
    '患者',
    'ไทย',
    '𠀀',
    '1.5',
    '"',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));

describe('words', () => {
  it('are those of Python’s str.split, "Wait" that of str.count, outer whitespace that of str.strip', () => {
    const sample = fc.sample(texts, { numRuns: 3000, seed: 7 }).filter((text) => text.isWellFormed());
    const expected = python(sample);
    expect(sample.map((text) => ({ words: countWords(text), waits: countWaits(text), strip: strip(text) }))).toEqual(
      expected,
    );
  });

  it('are as many as split gives', () => {
    fc.assert(fc.property(texts, (text) => splitWords(text).length === countWords(text)));
  });

  it('cover every whitespace character that Python knows, and no other', () => {
    const all = Array.from({ length: 0x10000 }, (_, unit) => unit).filter((unit) => unit < 0xd800 || unit > 0xdfff);
    const counted = python(all.map((unit) => `a${String.fromCharCode(unit)}b`)).map((each) => each.words);
    expect(all.map((unit) => countWords(`a${String.fromCharCode(unit)}b`))).toEqual(counted);
  });

  it('"Waiting" counts as a wait, "wait" and "Await" do not', () => {
    expect(countWaits('Wait, Waiting: wait Await WAIT')).toBe(2);
  });
});

describe('segmented words', () => {
  it('equal the literal count where no script is written without spaces', () => {
    const spaced = fc.array(
      fc.constantFrom('x-ray', "don't", '1.5 mg', '한국어 문장', 'Ελληνικά', 'עברית', 'العربية', '\n', ' ', '🙂'),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(spaced, (parts) => {
        const text = parts.join(' ');
        expect(countSegmentedWords(text)).toBe(countWords(text));
      }),
    );
  });

  it.each([
    ['急性心肌梗死的治疗', 3, 6],
    ['ผู้ป่วยมีไข้สูง', 3, 5],
    ['患者の血圧は高い。', 4, 7],
    ['𠀀𠀁', 1, 2],
  ])('count %s as several words though it is one for str.split', (text, least, most) => {
    expect(countWords(text)).toBe(1);
    expect(countSegmentedWords(text)).toBeGreaterThanOrEqual(least);
    expect(countSegmentedWords(text)).toBeLessThanOrEqual(most);
  });

  it('leave the spaced words of a mixed text alone', () => {
    expect(measureWords("患者 don't take 血压120mmHg")).toEqual({ words: 4, segmented: 5 });
  });
});

it('counting by bytes finds every character of an unspaced script', () => {
  const found: string[] = [];
  const script =
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    // Such a piece is a word of its own only for the segmented count.
    if (script.test(character) && measureWords(`a${character}b`).segmented === 1) found.push(character);
  }
  expect(found).toEqual([]);
});

it('a text longer than a piece counts as one', () => {
  for (const [unit, words] of [
    ['ab ', 1],
    ['🙂', 0],
    ['a\u3000', 1],
    ['é', 0],
  ] as const) {
    for (const shift of ['', 'x', 'xy']) {
      const text = shift + unit.repeat(200_000);
      expect(countWords(text)).toBe(words === 0 ? 1 : 200_000);
    }
  }
});

it('sixteen bytes at a time count what one by one do, wherever a text begins among others', () => {
  const plain = fc.array(
    fc.constantFrom(
      'a',
      'bc',
      ' ',
      '\n',
      '\t',
      '\x00',
      '\x0e',
      '\x1c',
      '\x7f',
      'é',
      '患',
      '\u2003',
      'Wait',
      'Wai',
      't',
      '🙂',
      '\xa0',
      '\u1680',
    ),
    {
      maxLength: 40,
    },
  );
  const encoded = new Encoded();
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 6 }), (lists) => {
      encoded.reset(1000);
      const list = lists.map((parts) => parts.join(''));
      for (const text of list) {
        const start = encoded.length;
        const end = encoded.add(text);
        const { words, waits, units } = measureEncoded(text, encoded, start, end);
        expect({ words, waits, units }).toEqual({
          words: splitWords(text).length,
          waits: countWaits(text),
          units: text.length,
        });
      }
      expect(encoded.bytes.subarray(0, encoded.length).toString()).toBe(list.join(''));
    }),
    { numRuns: 2000 },
  );
});

it('outer whitespace of bytes is that of the string', () => {
  fc.assert(
    fc.property(texts, (text) => {
      if (!text.isWellFormed()) return;
      const bytes = Buffer.from(`\u3000${text} `);
      const found = strip(new Utf8Text(bytes, 3, bytes.length - 1));
      expect(found.toString()).toBe(strip(text));
    }),
    { numRuns: 3000 },
  );
});
