import { type Folded, symbolText, wordEnd } from '../text/fold.js';
import type { Evidence } from './evidence.js';
import type { Field } from './fields.js';
import { negations } from './wrapper-words.js';

/** How a field and the place of a text that resembles it agree, in nats. */
export interface Agreement {
  /** Of the field's words that stand there, typing errors included. */
  matched: number;
  /** Of the field's words that are missing between matched ones, before the first and after the last. */
  lost: number;
  lostHead: number;
  lostTail: number;
  /** Of the text's words between matched ones that the field does not have. */
  extra: number;
  /** Words of the field, and how many of them stand there. */
  wordCount: number;
  matchedWords: number;
  typos: number;
  /** Whether one of the two denies what the other asks, or gives another number. */
  contradicts: boolean;
  /** The place: half-open range of the text's symbols. */
  first: number;
  end: number;
}

/** Judges an alignment word by word. Null where nothing stands there. */
export function agree(field: Field, text: Folded, places: Int32Array, evidence: Evidence): Agreement | null {
  const verdicts = field.words.map((word) => judgeWord(word, text, places, evidence));
  const firstWord = verdicts.findIndex((verdict) => verdict !== 'missing');
  if (firstWord === -1) return null;
  const lastWord = verdicts.findLastIndex((verdict) => verdict !== 'missing');
  const found: Agreement = {
    matched: 0,
    lost: 0,
    lostHead: 0,
    lostTail: 0,
    extra: 0,
    wordCount: field.words.length,
    matchedWords: 0,
    typos: 0,
    contradicts: false,
    ...placeOf(field, places, firstWord, lastWord),
  };
  let lostNumber = false;
  field.words.forEach((word, index) => {
    const verdict = verdicts[index];
    if (verdict === 'missing') {
      if (index < firstWord) found.lostHead += word.nats;
      else if (index > lastWord) found.lostTail += word.nats;
      else {
        found.lost += word.nats;
        if (negations.has(word.text)) found.contradicts = true;
        if (isNumber(word.text)) lostNumber = true;
      }
      return;
    }
    found.matched += verdict === 'typo' ? word.nats * typoWorth : word.nats;
    found.matchedWords += 1;
    if (verdict === 'typo') found.typos += 1;
  });
  for (const word of unmatchedWords(text, places, found)) {
    if (negations.has(word)) found.contradicts = true;
    if (isNumber(word)) {
      // A number in place of another asks something else; one more is a line's number or a note's.
      if (lostNumber) found.contradicts = true;
      else if (word.length <= 3) continue;
    }
    found.extra += evidence.word(word);
  }
  return found;
}

// ---------------------------------------------------------------------------------------------------------------------

const typoWorth = 0.9;

type WordVerdict = 'same' | 'typo' | 'missing';

function judgeWord(word: Field['words'][number], text: Folded, places: Int32Array, evidence: Evidence): WordVerdict {
  let first = -1;
  let last = -1;
  let matched = 0;
  for (let symbol = word.start; symbol < word.end; symbol += 1) {
    const place = places[symbol] as number;
    if (place === -1) continue;
    if (first === -1) first = place;
    last = place;
    matched += 1;
  }
  const length = word.end - word.start;
  if (matched * 2 < length || matched === 0) return 'missing';
  const own = ownSymbols(word, text, places, first, last);
  const swapped = own.count === length && length >= 4 && sorted(own.text) === sorted(word.text);
  const edits = swapped ? Math.min(1, length - matched) : Math.max(length - matched, own.count - matched);
  if (edits === 0) return 'same';
  if (/^\d+$/.test(word.text) || edits > allowedEdits(length)) return 'missing';
  // A word that people use is another word, not a mistyped one.
  return evidence.known(own.text) ? 'missing' : 'typo';
}

/** The symbols of the text that stand for the word: from its first match to its last, with what sticks to them. */
function ownSymbols(
  word: Field['words'][number],
  text: Folded,
  places: Int32Array,
  first: number,
  last: number,
): { count: number; text: string } {
  const before = word.start > 0 ? (places[word.start - 1] as number) : -1;
  const after = word.end < places.length ? (places[word.end] as number) : -1;
  let start = first;
  while (start > 0 && text.begins[start] === 0 && start - 1 !== before && first - start < 6) start -= 1;
  let end = last + 1;
  while (end < text.count && text.begins[end] === 0 && end !== after && end - last < 7) end += 1;
  return { count: end - start, text: symbolText(text, start, end) };
}

function sorted(word: string): string {
  return [...word].sort().join('');
}

function allowedEdits(length: number): number {
  if (length >= 9) return 2;
  return length >= 3 ? 1 : 0;
}

function placeOf(
  field: Field,
  places: Int32Array,
  firstWord: number,
  lastWord: number,
): { first: number; end: number } {
  let first = -1;
  let end = -1;
  const from = field.words[firstWord]?.start ?? 0;
  const to = field.words[lastWord]?.end ?? 0;
  for (let symbol = from; symbol < to; symbol += 1) {
    const place = places[symbol] as number;
    if (place === -1) continue;
    if (first === -1) first = place;
    end = place + 1;
  }
  return { first, end };
}

/** Words of the text in the place of which less than half was matched. */
function unmatchedWords(text: Folded, places: Int32Array, { first, end }: { first: number; end: number }): string[] {
  const mapped = new Uint8Array(end - first);
  for (const place of places) if (place >= first && place < end) mapped[place - first] = 1;
  const words: string[] = [];
  let start = first;
  while (start < end) {
    const stop = wordEnd(text, start);
    let matched = 0;
    for (let at = start; at < Math.min(stop, end); at += 1) matched += mapped[at - first] as number;
    if (matched * 2 < Math.min(stop, end) - start) words.push(symbolText(text, start, stop));
    start = stop;
  }
  return words;
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
