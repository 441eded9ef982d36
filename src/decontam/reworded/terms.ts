/**
 * What two wordings of one question have in common: beginnings of words, so that "hospitalised" and "hospitalization"
 * are one term, and numbers by their value, so that "1,200", "1200.0" and "twelve" are what they are.
 */

/** Letters of a word that count. */
const beginning = 6;

const numberWords = new Map<string, string>(
  Object.entries({
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    eleven: 11,
    twelve: 12,
    thirteen: 13,
    fourteen: 14,
    fifteen: 15,
    sixteen: 16,
    seventeen: 17,
    eighteen: 18,
    nineteen: 19,
    twenty: 20,
    thirty: 30,
    forty: 40,
    fifty: 50,
    sixty: 60,
    seventy: 70,
    eighty: 80,
    ninety: 90,
    hundred: 100,
    thousand: 1000,
    dozen: 12,
  }).map(([word, value]) => [word, String(value)]),
);

const pieces = /\p{L}[\p{L}\p{M}]*|\p{N}+(?:[.,]\p{N}+)*/gu;
const marks = /\p{M}+/gu;
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** The terms of a text in order, repeats included. Scripts without spaces give pairs of characters. */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  const plain = isAscii(text) ? text.toLowerCase() : text.normalize('NFKD').replace(marks, '').toLowerCase();
  for (const [piece] of plain.matchAll(pieces)) {
    const first = piece.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) terms.push(numberTerm(piece));
    else if (first > 0x7f && unspaced.test(piece)) terms.push(...pairs(piece));
    else terms.push(numberWords.get(piece) ?? (piece.length > beginning ? piece.slice(0, beginning) : piece));
  }
  return terms;
}

/** Whether a term is a number. */
export function isNumber(term: string): boolean {
  const first = term.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

// ---------------------------------------------------------------------------------------------------------------------

/** A comma before three digits groups them; zeros after the point say nothing. */
function numberTerm(piece: string): string {
  const whole = piece.replace(/,(?=\d{3}(?:\D|$))/g, '').replace(/,/g, '.');
  const trimmed = whole.includes('.') ? whole.replace(/\.?0+$/, '') : whole;
  return trimmed.replace(/^0+(?=\d)/, '');
}

function pairs(piece: string): string[] {
  const characters = [...piece];
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
