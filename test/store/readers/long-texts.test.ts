import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LongTexts } from '../../../src/store/readers/long-texts.js';
import { Utf8Text } from '../../../src/text/utf8-text.js';

const pieces = fc.oneof(
  fc.constantFrom(
    '\0',
    '\0' + '0000',
    '"',
    '\\',
    '\\u',
    '/',
    '\n',
    '\x1f',
    'é',
    '患者',
    '𠀀',
    '\u2028',
    '\ufeff',
    'plain text ',
  ),
  fc.constantFrom('x'.repeat(15), 'x'.repeat(16), 'y'.repeat(17), '\ud800', '\udc00', '__proto__', ':'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    texts,
    fc.double(),
    fc.constantFrom(true, false, null),
    tie('list'),
    tie('record'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  record: fc.dictionary(texts, tie('value'), { maxKeys: 4 }),
}));

/** JSON of the value with spaces where they may be, and every character escaped that `escapes` says. */
function written(value: unknown, escapes: (unit: number) => boolean, space: string): string {
  if (typeof value === 'string') {
    const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at));
    const inner = units.map((unit, at) =>
      escapes(unit) ? `\\u${unit.toString(16).padStart(4, '0')}` : JSON.stringify(value[at]).slice(1, -1),
    );
    return `"${inner.join('')}"`;
  }
  if (Array.isArray(value)) {
    return `[${space}${value.map((each) => written(each, escapes, space)).join(`${space},${space}`)}${space}]`;
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(
      ([key, each]) => `${written(key, escapes, space)}${space}:${space}${written(each, escapes, space)}`,
    );
    return `{${space}${entries.join(`${space},${space}`)}${space}}`;
  }
  return JSON.stringify(value);
}

/** Every text of it a string. */
function plain(value: unknown): unknown {
  if (value instanceof Utf8Text) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const styles = fc.record({
  escapes: fc.constantFrom(
    (unit: number) => unit > 0x7f,
    (unit: number) => unit % 3 === 0,
    () => false,
  ),
  space: fc.constantFrom('', ' ', '\r\n\t'),
});

it.each([1, 16])('what is parsed is what JSON.parse says, texts of %i bytes being long', (shortest) => {
  let kept = 0;
  fc.assert(
    fc.property(values, styles, (value, { escapes, space }) => {
      const longTexts = readerOf(shortest);
      const bytes = Buffer.from(written(value, escapes, space));
      const found = longTexts.parse(bytes);
      if (found !== undefined) {
        kept += 1;
        expect(plain(found)).toEqual(plain(parsed(bytes.toString())));
      }
    }),
    { numRuns: 10_000, seed: 21 },
  );
  expect(kept).toBeGreaterThan(1000);
});

it('what is no JSON is refused, or is what JSON.parse makes of it', () => {
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.nat({ max: 255 }),
    cut: fc.boolean(),
  });
  fc.assert(
    fc.property(
      values,
      styles,
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      (value, { escapes, space }, damages) => {
        let bytes = Buffer.from(written(value, escapes, space));
        for (const { at, byte, cut } of damages) {
          const place = Math.floor(at * bytes.length);
          if (cut) bytes = bytes.subarray(0, place);
          else bytes[place] = byte;
        }
        const longTexts = readerOf(1);
        const found = longTexts.parse(bytes);
        if (found !== undefined) expect(plain(found)).toEqual(plain(parsed(bytes.toString())));
        // Bytes that are no UTF-8 would have been read as U+FFFD.
        if (found !== undefined) expect(Buffer.from(bytes.toString()).equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 15_000, seed: 22 },
  );
});

it('only under its keys does a text stay UTF-8, at any depth, and no key does', () => {
  const long = 'long '.repeat(10);
  const longTexts = new LongTexts(['text', 'list'], 16);
  const row = { text: long, other: long, list: [{ text: long, short: 'x' }], [long]: 1, nested: { text: long } };
  const found = longTexts.parse(Buffer.from(JSON.stringify(row))) as typeof row;
  expect(found.text).toBeInstanceOf(Utf8Text);
  expect(found.list[0]?.text).toBeInstanceOf(Utf8Text);
  expect(found.other).toBe(long);
  expect(found.nested.text).toBe(long);
  expect(plain(found)).toEqual(row);
});

it('texts of a batch stay what they are while more is parsed, until there is no more room', () => {
  const longTexts = new LongTexts(['text']);
  const texts = Array.from({ length: 12 }, (_, at) => `${at} `.repeat(400_000));
  const found = texts.map(
    (text) => longTexts.parse(Buffer.from(JSON.stringify({ text }))) as { text: Utf8Text } | undefined,
  );
  const kept = found.filter((row) => row !== undefined);
  expect(kept.length).toBeGreaterThan(4);
  expect(kept.length).toBeLessThan(12);
  expect(kept.map((row) => row.text.toString() === texts[found.indexOf(row)])).not.toContain(false);
  longTexts.startBatch();
  expect(longTexts.parse(Buffer.from(JSON.stringify({ text: texts[0] })))).toBeDefined();
});

it.each([
  ['nested too deep', `{"text":${'['.repeat(200)}"${'x'.repeat(200)}"${']'.repeat(200)}}`],
  ['half a surrogate pair', `{"text":"${'x'.repeat(200)}\\ud83d"}`],
  ['a second half alone', `{"text":"${'x'.repeat(200)}\\ude00"}`],
  ['a control character', `{"text":"${'x'.repeat(200)}\t"}`],
  ['an unknown escape', `{"text":"${'x'.repeat(200)}\\x41"}`],
  ['digits that are none', `{"text":"${'x'.repeat(200)}\\u12g4"}`],
  ['a text like a mark', `{"text":"${'x'.repeat(200)}","mark":"\\u00000000"}`],
  ['a quote that never closes', `{"text":"${'x'.repeat(200)}`],
  ['an escape at the end', `{"text":"${'x'.repeat(200)}\\`],
])('%s is left to JSON.parse', (_, json) => {
  expect(new LongTexts(['text']).parse(Buffer.from(json))).toBeUndefined();
});

/** One for all: its memory is large. */
const readers: Record<number, LongTexts> = { 1: new LongTexts(['', 'é'], 1), 16: new LongTexts(['', 'é'], 16) };

function readerOf(shortest: number): LongTexts {
  const reader = readers[shortest] as LongTexts;
  reader.startBatch();
  return reader;
}
