import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Adapter, Unfit } from '../../src/ingest/adapter.js';
import { adapterNamed } from '../../src/ingest/adapters.js';
import { canonicalise } from '../../src/ingest/canonical.js';
import { readSourceFile } from '../../src/ingest/source-file.js';
import { LongTexts } from '../../src/store/readers/long-texts.js';
import { publishedShapes } from './published-shapes.js';

const pieces = fc.oneof(
  fc.constantFrom('<think>', '</think>', '<answer>', '</answer>', '<Thought>', '</Thought>', '<Output>', '</Output>'),
  fc.constantFrom('<|begin_of_thought|>', '<|end_of_thought|>', '<|im_start|>assistant', '<|im_end|>', '<|eot_id|>'),
  fc.constantFrom('<｜end▁of▁sentence｜>', '<｜Assistant｜>', '<s>', '</s>', '<', '>'),
  fc.constantFrom(' ', '\n', '\x1c', '\x85', '\xa0', '\u1680', '\u2003', '\u2028', '\u3000', '\ufeff', '\u200b'),
  fc.constantFrom('R', 'Wait', 'Wai', 't', '患者', '한국어', 'é', '𠀀', '🙂', '\0', '"', '\\', 'the words of it '),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));

/** The row with some of its texts in the place of others. */
function changed(value: unknown, next: () => string | null): unknown {
  if (typeof value === 'string') return next() ?? value;
  if (Array.isArray(value)) return value.map((each) => changed(each, next));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, changed(each, next)]));
}

/** All that becomes of a row, or why it is none. */
function outcome(row: unknown, adapter: Adapter, map: Record<string, string>): unknown {
  try {
    const source = { adapter, map, name: 's', group: 'g', license: null as unknown as string };
    const { row: canonical, contentKey, size, utf8 } = canonicalise(row, source, 'f', 1);
    const { prompt, reasoning, answer } = canonical;
    return {
      ...canonical,
      prompt: String(prompt),
      reasoning: reasoning === null ? null : String(reasoning),
      answer: answer === null ? null : String(answer),
      contentKey,
      size,
      bytes: [utf8.prompt, utf8.reasoning, utf8.answer].map((text) =>
        text === null ? null : Buffer.from(text).toString(),
      ),
    };
  } catch (error) {
    if (error instanceof Unfit) return error.message;
    throw error;
  }
}

const shapes = publishedShapes.flatMap(({ source, entry, rows }) => {
  const adapter = adapterNamed(String(entry?.adapter ?? readSourceFile(source).adapter));
  const map = (entry?.map ?? {}) as Record<string, string>;
  const columns = adapter.longTextsOf?.(map) ?? adapter.longTexts;
  return columns === undefined ? [] : rows.map((row) => ({ adapter, map, row, texts: new LongTexts(columns, 1) }));
});
const columnsShape = {
  adapter: adapterNamed('columns'),
  map: { prompt: 'q', reasoning: 'r', model: 'answer' },
  row: { q: 'Q', r: 'R', answer: 'A', trace: 'T', left: 'L' },
  texts: new LongTexts(
    adapterNamed('columns').longTextsOf?.({ prompt: 'q', reasoning: 'r', model: 'answer' }) ?? [],
    1,
  ),
};

it('a row read with its long texts as UTF-8 becomes the row that it becomes read as strings', () => {
  let parsed = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...shapes, columnsShape),
      fc.array(fc.option(texts, { freq: 3 }), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      ({ adapter, map, row, texts: longTexts }, replacements, escaped) => {
        let at = 0;
        const next = () => replacements[at++ % replacements.length] ?? null;
        const plain = JSON.stringify(changed(row, next));
        const json = escaped
          ? plain.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
          : plain;
        longTexts.startBatch();
        const read = longTexts.parse(Buffer.from(json));
        if (read === undefined) return;
        parsed += 1;
        expect(outcome(read, adapter, map)).toEqual(outcome(JSON.parse(json), adapter, map));
      },
    ),
    { numRuns: 6000, seed: 31 },
  );
  expect(parsed).toBeGreaterThan(3000);
});
