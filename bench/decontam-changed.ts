import { letter, listed, type Make, sentencesOf, wordsOf } from './decontam-form.js';

const spellings: readonly (readonly [string, string])[] = [
  ['hemo', 'haemo'],
  ['anemi', 'anaemi'],
  ['edema', 'oedema'],
  ['tumor', 'tumour'],
  ['esophag', 'oesophag'],
  ['diarrhea', 'diarrhoea'],
  ['pediatric', 'paediatric'],
  ['leukemi', 'leukaemi'],
  ['color', 'colour'],
  ['estrogen', 'oestrogen'],
  ['fetal', 'foetal'],
  ['fetus', 'foetus'],
  ['ize ', 'ise '],
  ['ized', 'ised'],
  ['center', 'centre'],
  ['fiber', 'fibre'],
  ['gynec', 'gynaec'],
  ['orthoped', 'orthopaed'],
  ['behavior', 'behaviour'],
  ['labor', 'labour'],
  ['liter', 'litre'],
  ['ischemi', 'ischaemi'],
  ['hypoglycemi', 'hypoglycaemi'],
  ['cecum', 'caecum'],
  ['etiology', 'aetiology'],
];
const numerals = 'zero one two three four five six seven eight nine ten'.split(' ');
const smallcaps: Record<string, string> = {
  a: 'ᴀ',
  b: 'ʙ',
  c: 'ᴄ',
  d: 'ᴅ',
  e: 'ᴇ',
  f: 'ꜰ',
  g: 'ɢ',
  h: 'ʜ',
  i: 'ɪ',
  j: 'ᴊ',
  k: 'ᴋ',
  l: 'ʟ',
  m: 'ᴍ',
  n: 'ɴ',
  o: 'ᴏ',
  p: 'ᴘ',
  r: 'ʀ',
  s: 'ꜱ',
  t: 'ᴛ',
  u: 'ᴜ',
  v: 'ᴠ',
  w: 'ᴡ',
  y: 'ʏ',
  z: 'ᴢ',
};
const neighbours: Record<string, string> = {
  a: 's',
  s: 'a',
  d: 'f',
  e: 'r',
  r: 'e',
  t: 'y',
  o: 'p',
  i: 'u',
  n: 'm',
  m: 'n',
  l: 'k',
  c: 'v',
};

/** Forms that keep less than the whole question, its order and every word: the others keep it whole. */
export const lossyForms = new Set([
  'tail 65',
  'head 65',
  'tail 65 wrapped',
  'tail 50',
  'head 50',
  'tail 50 options',
  'middle out 30',
  'mid-window 60',
  'one word out',
  'two words out',
  'one function word changed',
  'one word put in',
  'stop words out',
  'articles out',
  'year old to yo',
]);

/** In which characters, words and parts a question may stand in data: as `decontam-wrapped.ts`. */
export const changed: Record<string, Make> = {
  'British/American': (it) => inOtherSpelling(it.question),
  contractions: (it) =>
    it.question
      .replace(/\bdoes not\b/g, "doesn't")
      .replace(/\bis not\b/g, "isn't")
      .replace(/\bcannot\b/g, "can't")
      .replace(/\bhas not\b/g, "hasn't")
      .replace(/\bdid not\b/g, "didn't")
      .replace(/\bare not\b/g, "aren't"),
  'numbers as words': (it) => it.question.replace(/\b(\d|10)\b(?![.\-/])/g, (n) => numerals[Number(n)] ?? n),
  'words as numbers': (it) =>
    it.question.replace(/\b(one|two|three|four|five|six|seven|eight|nine|ten)\b/g, (w) => String(numerals.indexOf(w))),
  units: (it) =>
    it.question
      .replace(/°\s?C/g, ' degrees Celsius')
      .replace(/°\s?F/g, ' degrees Fahrenheit')
      .replace(/\/min\b/g, ' per minute')
      .replace(/mm\s?Hg/g, 'mmHg')
      .replace(/mg\/dL/g, 'mg/dl')
      .replace(/(\d)\s?%/g, '$1 percent')
      .replace(/μ/g, 'µ')
      .replace(/(\d)-year-old/g, '$1 year old')
      .replace(/\bg\/dL/g, 'g/dl'),
  'year old to yo': (it) =>
    it.question
      .replace(/(\d+)[- ]year[- ]old/g, '$1 y/o')
      .replace(/\bman\b/g, 'male')
      .replace(/\bwoman\b/g, 'female'),
  'Roman/type': (it) =>
    it.question
      .replace(/\btype 2\b/gi, 'type II')
      .replace(/\btype 1\b/gi, 'type I')
      .replace(/\btype II\b/g, 'type 2')
      .replace(/\btype I\b/g, 'type 1'),
  subscripts: (it) =>
    it.question
      .replace(/CO2/g, 'CO₂')
      .replace(/O2\b/g, 'O₂')
      .replace(/H2O/g, 'H₂O')
      .replace(/(\d)/g, (d, _, at: number) => (at % 7 === 0 ? String.fromCodePoint(0x2080 + Number(d)) : d)),
  symbols: (it) =>
    it.question
      .replaceAll('>=', '≥')
      .replaceAll('≥', '>=')
      .replaceAll('×', 'x')
      .replaceAll('1/2', '½')
      .replaceAll('–', '-')
      .replaceAll('—', ' - ')
      .replaceAll('…', '...'),
  ligatures: (it) =>
    it.question.replaceAll('ffi', 'ﬃ').replaceAll('fi', 'ﬁ').replaceAll('fl', 'ﬂ').replaceAll('ff', 'ﬀ'),
  'ligature lost': (it) => it.question.replaceAll('fi', '').replaceAll('fl', ''),
  'bold math': (it) => mathAlpha(0x1d5d4, 0x1d5ee)(it.question),
  fraktur: (it) => mathAlpha(0x1d56c, 0x1d586)(it.question),
  'circled letters': (it) => mathAlpha(0x24b6, 0x24d0)(it.question),
  'small caps': (it) => it.question.toLowerCase().replace(/[a-z]/g, (c) => smallcaps[c] ?? c),
  'full width': (it) => it.question.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
  'Cyrillic twins all': (it) =>
    swapped(it.question, /[aeopcxyiAEOPCXTHKMB]/g, {
      a: 'а',
      e: 'е',
      o: 'о',
      p: 'р',
      c: 'с',
      x: 'х',
      y: 'у',
      i: 'і',
      A: 'А',
      E: 'Е',
      O: 'О',
      P: 'Р',
      C: 'С',
      X: 'Х',
      T: 'Т',
      H: 'Н',
      K: 'К',
      M: 'М',
      B: 'В',
    }),
  'Greek twins': (it) =>
    swapped(it.question, /[ovAEHIKMNOPTXYZB]/g, {
      o: 'ο',
      v: 'ν',
      A: 'Α',
      E: 'Ε',
      H: 'Η',
      I: 'Ι',
      K: 'Κ',
      M: 'Μ',
      N: 'Ν',
      O: 'Ο',
      P: 'Ρ',
      T: 'Τ',
      X: 'Χ',
      Y: 'Υ',
      Z: 'Ζ',
      B: 'Β',
    }),
  'combining strike': (it) => [...it.question].map((c) => (/\w/.test(c) ? `${c}\u0336` : c)).join(''),
  zalgo: (it, r) => [...it.question].map((c) => (/\w/.test(c) && r.chance(0.5) ? `${c}\u0301\u0323` : c)).join(''),
  'odd invisibles': (it, r) =>
    [...it.question]
      .map((c) =>
        r.chance(0.15)
          ? c + r.pick(['\u200e', '\u202c', '\u2063', '\u034f', '\ufe0f', '\u00ad', '\u061c', '\u180e', '\u{e0041}'])
          : c,
      )
      .join(''),
  'odd blanks': (it, r) =>
    it.question.replace(/ /g, () => r.pick(['\u3164', '\u2800', '\u180e ', '\u00a0', '\u3000', '\u202f', '\u2028'])),
  'emoji between': (it, _r) =>
    wordsOf(it.question)
      .map((w, i) => (i % 4 === 3 ? `${w} 🩺` : w))
      .join(' '),
  leet: (it) =>
    it.question.replace(/[oeia]/g, (c, at: number) =>
      at % 3 === 0 ? (({ o: '0', e: '3', i: '1', a: '4' } as Record<string, string>)[c] ?? c) : c,
    ),
  'zero for o': (it) => it.question.replace(/o/g, (c, at: number) => (at % 2 === 0 ? '0' : c)),
  'alternating case': (it) => [...it.question].map((c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join(''),
  'keyboard typos /8': (it, r) =>
    wordsOf(it.question)
      .map((w) => (w.length > 3 && r.chance(1 / 8) ? w.replace(/[asdertoinmlc]/, (c) => neighbours[c] ?? c) : w))
      .join(' '),
  'dropped letters /6': (it, r) =>
    wordsOf(it.question)
      .map((w) => (w.length > 4 && r.chance(1 / 6) ? without(w, 1 + r.below(w.length - 2)) : w))
      .join(' '),
  'doubled letters /6': (it, r) =>
    wordsOf(it.question)
      .map((w) => (w.length > 3 && r.chance(1 / 6) ? doubled(w, 1 + r.below(w.length - 2)) : w))
      .join(' '),
  'joined words /6': (it, r) => it.question.replace(/ /g, () => (r.chance(1 / 6) ? '' : ' ')),
  'split words /6': (it, r) =>
    wordsOf(it.question)
      .map((w) => (w.length > 5 && r.chance(1 / 6) ? `${w.slice(0, 3)} ${w.slice(3)}` : w))
      .join(' '),
  'vowels dropped': (it, r) =>
    wordsOf(it.question)
      .map((w) => (w.length > 6 && r.chance(1 / 5) ? w.slice(0, 1) + w.slice(1).replace(/[aeiou]/, '') : w))
      .join(' '),
  'stop words out': (it) =>
    wordsOf(it.question)
      .filter((w) => !/^(the|a|an|of|to|in|is|and)$/i.test(w))
      .join(' '),
  'articles out': (it) =>
    wordsOf(it.question)
      .filter((w) => !/^(the|a|an)$/i.test(w))
      .join(' '),
  'hyphen wraps': (it) =>
    it.question.replace(/(\w{4})(\w{4})/g, (m, a: string, b: string, at: number) => (at % 5 === 0 ? `${a}-\n${b}` : m)),
  'sentences shuffled': (it, r) => r.shuffle(sentencesOf(it.question)).join(' '),
  'one word out': (it, r) => {
    const w = wordsOf(it.question);
    w.splice(r.below(w.length), 1);
    return w.join(' ');
  },
  'two words out': (it, r) => {
    const w = wordsOf(it.question);
    w.splice(r.below(w.length), 1);
    w.splice(r.below(w.length), 1);
    return w.join(' ');
  },
  'one word put in': (it, r) => {
    const w = wordsOf(it.question);
    w.splice(r.below(w.length), 0, r.pick(['quite', 'new', 'such', 'thing', 'maybe']));
    return w.join(' ');
  },
  'one function word changed': (it, _r) => {
    let done = false;
    return it.question.replace(/\b(of|in|the|with|for|to|a)\b/g, (w) => {
      if (done) return w;
      done = true;
      return (
        (
          { of: 'for', in: 'within', the: 'a', with: 'having', for: 'of', to: 'for', a: 'the' } as Record<
            string,
            string
          >
        )[w] ?? w
      );
    });
  },
  'tail 65': (it) => {
    const w = wordsOf(it.question);
    return w.slice(Math.ceil(w.length * 0.35)).join(' ');
  },
  'head 65': (it) => {
    const w = wordsOf(it.question);
    return w.slice(0, Math.floor(w.length * 0.65)).join(' ');
  },
  'tail 65 wrapped': (it) => {
    const w = wordsOf(it.question);
    return (
      'Please answer the following question step by step.\n\n' +
      w.slice(Math.ceil(w.length * 0.35)).join(' ') +
      '\n\nGive only the letter.'
    );
  },
  'tail 50': (it) => {
    const w = wordsOf(it.question);
    return w.slice(Math.ceil(w.length * 0.5)).join(' ');
  },
  'head 50': (it) => {
    const w = wordsOf(it.question);
    return w.slice(0, Math.floor(w.length * 0.5)).join(' ');
  },
  'tail 50 options': (it) => {
    const w = wordsOf(it.question);
    return `${w.slice(Math.ceil(w.length * 0.5)).join(' ')}\n${listed(it, (i) => `${letter(i)}. `)}`;
  },
  'middle out 30': (it) => {
    const w = wordsOf(it.question);
    return `${w.slice(0, Math.floor(w.length * 0.35)).join(' ')} ... ${w.slice(Math.ceil(w.length * 0.65)).join(' ')}`;
  },
  'mid-window 60': (it) => {
    const w = wordsOf(it.question);
    return w.slice(Math.floor(w.length * 0.2), Math.ceil(w.length * 0.8)).join(' ');
  },
};

// ---------------------------------------------------------------------------------------------------------------------

function swapped(text: string, pattern: RegExp, twins: Record<string, string>): string {
  return text.replace(pattern, (character) => twins[character] ?? character);
}

function mathAlpha(upper: number, lower: number): (text: string) => string {
  return (text) =>
    text.replace(/[A-Za-z]/g, (letter) => {
      const code = letter.charCodeAt(0);
      return String.fromCodePoint(code < 97 ? upper + code - 65 : lower + code - 97);
    });
}

/** British spelling of an American text, and the other way round. */
function inOtherSpelling(text: string): string {
  let other = text;
  for (const [american, british] of spellings)
    other = other.includes(british) ? other.replaceAll(british, american) : other.replaceAll(american, british);
  return other;
}

function without(word: string, at: number): string {
  return word.slice(0, at) + word.slice(at + 1);
}

function doubled(word: string, at: number): string {
  return word.slice(0, at) + word.slice(at - 1);
}
