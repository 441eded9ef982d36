import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Aligner } from '../../src/text/align.js';
import { fold, foldedWords } from '../../src/text/fold.js';

const plain = 'A 45-year-old man has crushing chest pain (β = 2.5 µg). What is it?';
const words = (text: string) => foldedWords(fold(text));
const symbols = (text: string) => words(text).join('');

describe('fold', () => {
  it.each([
    ['capitals', plain.toUpperCase()],
    ['full width', plain.replace(/[!-~]/g, (each) => String.fromCharCode(each.charCodeAt(0) + 0xfee0))],
    ['decomposed letters and marks on them', plain.replace(/[aeiou]/g, '$&\u0301\u0327')],
    ['zero-width characters', [...plain].join('\u200b')],
    [
      'mathematical letters',
      plain.replace(/[a-z]/g, (each) => String.fromCodePoint(0x1d41a + each.charCodeAt(0) - 97)),
    ],
    ['circled letters', plain.replace(/[a-z]/g, (each) => String.fromCharCode(0x24d0 + each.charCodeAt(0) - 97))],
    ['Cyrillic look-alikes', plain.replace(/[aeo]/g, (each) => ({ a: 'а', e: 'е', o: 'о' })[each] ?? each)],
    [
      'small capitals',
      plain.replace(/[aeghimn]/g, (each) => ({ a: 'ᴀ', e: 'ᴇ', g: 'ɢ', h: 'ʜ', i: 'ɪ', m: 'ᴍ', n: 'ɴ' })[each] ?? each),
    ],
    ['HTML', `<p>${plain.replaceAll(' ', '&nbsp;').replace('What', '<b>Wh</b>at')}</p>`],
    ['HTML escaped twice', plain.replaceAll(' ', '&amp;nbsp;')],
    ['LaTeX', `\\textbf{${plain.replace('β', '$\\beta$')}}`],
    ['JSON', JSON.stringify(plain).replaceAll('µ', '\\u00b5')],
    ['an address', `${encodeURIComponent(plain.replace('β', 'beta').replace('µ', 'u'))}`],
    ['a chat template', `<|im_start|>${plain}<|im_end|>`],
    ['another template', `<start_of_turn>${plain}<end_of_turn>`],
    ['hyphens at line ends', plain.replace('crushing', 'crush-\ning')],
  ])('reads through %s', (_what, text) => {
    expect(symbols(text)).toBe(symbols(plain));
  });

  it('leaves a percentage, a comparison and a path as they are', () => {
    expect(words('50%20 of a < b & c, d:\\data')).toEqual(['50', '20', 'of', 'a', 'b', 'c', 'd', 'data']);
  });

  it('gives every symbol its place: places rise, lie within the text and cover what they show', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const folded = fold(text);
        let before = 0;
        for (let at = 0; at < folded.count; at += 1) {
          const [start, end] = [folded.starts[at] as number, folded.ends[at] as number];
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          before = start;
        }
      }),
    );
  });
});

describe('Aligner', () => {
  it('gives each symbol an equal one, in order, and all of them where the field stands in the text', () => {
    const aligner = new Aligner();
    const text = fc.string({ unit: fc.constantFrom(...'abcde '), maxLength: 80 });
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (before, middle, after, isIn) => {
        const field = fold(middle);
        const whole = fold(isIn ? `${before} ${middle} ${after}` : `${before} ${after}`);
        const own = field.symbols.slice(0, field.count);
        const places = aligner.align(own, whole.symbols, whole.count);
        let last = -1;
        places.forEach((place, at) => {
          if (place === -1) return;
          expect(place).toBeGreaterThan(last);
          expect(whole.symbols[place]).toBe(own[at]);
          last = place;
        });
        if (isIn && field.count >= 12) expect(places.filter((place) => place !== -1).length).toBe(field.count);
      }),
      { numRuns: 300 },
    );
  });
});
