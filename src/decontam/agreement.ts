import { type Folded, symbolText, wordEnd } from '../text/fold.js';
import { forgetStrays, mendSeam } from './accidents.js';
import type { Evidence } from './evidence.js';
import type { Field } from './fields.js';
import { fillers, joints, negations } from './wrapper-words.js';

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
  /** Whether a good part of the numbers are others. */
  otherNumbers: boolean;
  /** The place: half-open range of the text's symbols. */
  first: number;
  end: number;
  /** The last part of the field that the place lacks, whatever lone word of it agrees: its nats, and where the rest ends. */
  tail: { lost: number; end: number };
  /** The same for its last sentence, if most of that is lacking; else nothing is lost. */
  ask: { lost: number; end: number };
}

/** Judges an alignment word by word; `written` is the text as it was before folding. Null where nothing stands there. */
export function agree(
  field: Field,
  text: Folded,
  places: Int32Array,
  evidence: Evidence,
  written: string,
): Agreement | null {
  for (const word of field.words) mendSeam(field, word, text, places);
  const verdicts = field.words.map((word) => judgeWord(word, text, places, evidence));
  forgetStrays(field, verdicts);
  const firstWord = verdicts.findIndex((verdict) => verdict !== 'missing');
  if (firstWord === -1) return null;
  const lastWord = verdicts.findLastIndex((verdict) => verdict !== 'missing');
  const place = placeOf(field, places, firstWord, lastWord);
  const extras = unmatchedWords(text, places, place);
  settleMoved(field, verdicts, text, places, place, extras);
  settleInterruption(field, verdicts, places, text, extras, written);
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
    otherNumbers: false,
    ...place,
    tail: lostTail(field, verdicts, places, place.end),
    ask: lostAsk(field, verdicts, places, place.end),
  };
  let numbers = 0;
  let lostNumbers = 0;
  let lostJoints = 0;
  field.words.forEach((word, index) => {
    const verdict = verdicts[index] as WordVerdict;
    if (isNumber(word.text)) numbers += 1;
    if (verdict === 'missing') {
      if (index < firstWord) found.lostHead += word.nats;
      else if (index > lastWord) found.lostTail += word.nats;
      else {
        found.lost += word.nats;
        if (joints.has(word.text)) lostJoints += 1;
        if (negations.has(word.text)) found.contradicts = true;
        if (isNumber(word.text)) lostNumbers += 1;
      }
      return;
    }
    found.matched += word.nats * worth[verdict];
    found.matchedWords += 1;
    if (verdict === 'typo') found.typos += 1;
  });
  for (const { text: word, settled, repeats } of extras) {
    if (settled || repeats) continue;
    if (negations.has(word)) found.contradicts = true;
    if (isNumber(word)) {
      // A number in place of another asks something else; one more is a line's number or a note's.
      if (lostNumbers > 0) {
        found.contradicts = true;
        found.otherNumbers = lostNumbers >= numbers * 0.2;
      } else if (word.length <= 3) continue;
    }
    if (lostJoints > 0 && joints.has(word)) lostJoints -= 1;
    else if (!fillers.has(word)) found.extra += evidence.word(word);
  }
  return found;
}

// ---------------------------------------------------------------------------------------------------------------------

export type WordVerdict = 'same' | 'typo' | 'moved' | 'missing';

const worth: Record<Exclude<WordVerdict, 'missing'>, number> = { same: 1, typo: 0.9, moved: 0.8 };

/** Symbols that a word may have moved: two or three words. */
const mostMoved = 24;

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
  const ends = last + 1 === text.count || text.begins[last + 1] === 1;
  if (matched === length && last - first + 1 === length && text.begins[first] === 1 && ends) return 'same';
  const own = ownSymbols(word, text, places, first, last);
  const swapped = own.count === length && length >= 4 && sorted(own.text) === sorted(word.text);
  const edits = swapped ? Math.min(1, length - matched) : Math.max(length - matched, own.count - matched);
  if (edits === 0) return 'same';
  if (/^\d+$/.test(word.text)) return 'missing';
  if (spelled(own.text) === spelled(word.text)) return 'typo';
  if (edits > allowedEdits(length)) return misread(own.text) === misread(word.text) ? 'typo' : 'missing';
  // A word that people use is another word, not a mistyped one.
  return evidence.isTypo(own.text, word.text) ? 'typo' : 'missing';
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

/** British and American spelling as one. */
function spelled(word: string): string {
  return word
    .replace(/[ao]e/g, 'e')
    .replace(/our/g, 'or')
    .replace(/is(?=(?:e[ds]?|ing|ation)$)/, 'iz')
    .replace(/tre(?=s?$)/, 'ter');
}

/** What a reader of printed pages takes for the same. */
function misread(word: string): string {
  return word
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/cl/g, 'd')
    .replace(/[1i]/g, 'l')
    .replace(/0/g, 'o')
    .replace(/3/g, 'e')
    .replace(/4/g, 'a')
    .replace(/5/g, 's');
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

/** A word of the text that no word of the field stands for. */
interface Extra {
  text: string;
  /** Its first symbol. */
  start: number;
  /** Written twice in a row: it adds nothing. */
  repeats: boolean;
  /** It adds nothing either: a word of the field, a few words away from where the field has it, or an interruption. */
  settled: boolean;
}

/** Words of the text in the place of which less than half was matched. */
function unmatchedWords(text: Folded, places: Int32Array, { first, end }: { first: number; end: number }): Extra[] {
  const mapped = new Uint8Array(end - first);
  for (const place of places) if (place >= first && place < end) mapped[place - first] = 1;
  const words: { text: string; start: number; matched: boolean }[] = [];
  for (let start = first; start < end; ) {
    const stop = wordEnd(text, start);
    let matched = 0;
    for (let at = start; at < Math.min(stop, end); at += 1) matched += mapped[at - first] as number;
    const word = symbolText(text, start, stop);
    const length = Math.min(stop, end) - start;
    // Half a number is another number.
    words.push({ text: word, start, matched: isNumber(word) ? matched === length : matched * 2 >= length });
    start = stop;
  }
  return words.flatMap(({ text: word, start, matched }, index) => {
    if (matched) return [];
    const repeats = words[index - 1]?.text === word || words[index + 1]?.text === word;
    return [{ text: word, start, repeats, settled: false }];
  });
}

/** Finds words of the field that stand a few words away from where they should: two words that changed places. */
function settleMoved(
  field: Field,
  verdicts: WordVerdict[],
  text: Folded,
  places: Int32Array,
  place: { first: number; end: number },
  extras: Extra[],
): void {
  if (verdicts.filter((verdict) => verdict === 'missing').length > Math.max(1, field.words.length * 0.15)) return;
  const around = [
    ...wordsBetween(text, place.first - mostMoved, place.first),
    ...extras,
    ...wordsBetween(text, place.end, place.end + mostMoved),
  ];
  field.words.forEach((word, index) => {
    if (verdicts[index] !== 'missing' || negations.has(word.text)) return;
    const before = index === 0 ? place.first : (places[word.start - 1] as number);
    const after = index === field.words.length - 1 ? place.end : (places[word.end] as number);
    const near = around.find(
      ({ text: other, start, settled }) =>
        !settled &&
        other === word.text &&
        (before === -1 || start >= before - mostMoved) &&
        (after === -1 || start <= after + mostMoved),
    );
    if (near === undefined || (before === -1 && after === -1)) return;
    near.settled = true;
    verdicts[index] = 'moved';
  });
}

/**
 * Where all words of the field stand there and one stretch of other lines lies between two of them, that is the end of a page
 * or a turn of a conversation, and no part of the question.
 */
function settleInterruption(
  field: Field,
  verdicts: readonly WordVerdict[],
  places: Int32Array,
  text: Folded,
  extras: readonly Extra[],
  written: string,
): void {
  const [first] = extras;
  const last = extras[extras.length - 1];
  if (first === undefined || last === undefined || verdicts.includes('missing')) return;
  const end = wordEnd(text, last.start);
  const after = field.words.findIndex((word) => (places[word.start] as number) >= end);
  if (after < 2 || after > field.words.length - 2 || after === -1) return;
  const before = field.words[after - 1] as Field['words'][number];
  const from = places[before.end - 1] as number;
  const to = places[(field.words[after] as Field['words'][number]).start] as number;
  // All in one stretch, and the stretch is lines of its own.
  if (from === -1 || from >= first.start || to !== end) return;
  const opens = written.slice(text.ends[from] as number, text.starts[first.start] as number);
  const closes = written.slice(text.ends[end - 1] as number, text.starts[to] as number);
  if (!opens.includes('\n') || !/\n|:\s*$/.test(closes)) return;
  for (const extra of extras) extra.settled = true;
}

function wordsBetween(text: Folded, from: number, to: number): Extra[] {
  const words: Extra[] = [];
  let start = Math.max(0, from);
  while (start > 0 && start < text.count && text.begins[start] === 0) start += 1;
  while (start < Math.min(to, text.count)) {
    const end = wordEnd(text, start);
    words.push({ text: symbolText(text, start, end), start, repeats: false, settled: false });
    start = end;
  }
  return words;
}

/** The last words of the field that are missing, a lone match among them included. */
function lostTail(field: Field, verdicts: readonly WordVerdict[], places: Int32Array, end: number): Agreement['tail'] {
  let sum = 0;
  let lost = 0;
  let from = field.words.length;
  for (let index = field.words.length - 1; index >= 0; index -= 1) {
    const { nats } = field.words[index] as Field['words'][number];
    sum += verdicts[index] === 'missing' ? nats : -3 * nats;
    if (sum <= lost) continue;
    lost = sum;
    from = index;
  }
  return { lost, end: from === field.words.length ? end : endBefore(field, places, from, end) };
}

function lostAsk(field: Field, verdicts: readonly WordVerdict[], places: Int32Array, end: number): Agreement['ask'] {
  const asked = field.words.slice(field.askFrom);
  const all = asked.reduce((sum, word) => sum + word.nats, 0);
  const lost = asked.reduce(
    (sum, word, index) => sum + (verdicts[field.askFrom + index] === 'missing' ? word.nats : 0),
    0,
  );
  // What is cut off begins anywhere; another question begins where the old one did.
  if (field.askFrom === 0 || lost * 2 < all || verdicts.slice(field.askFrom - 4, field.askFrom).includes('missing'))
    return { lost: 0, end };
  return { lost, end: endBefore(field, places, field.askFrom, end) };
}

/** The place's end but for what stands for the field's words from `word` on. */
function endBefore(field: Field, places: Int32Array, word: number, end: number): number {
  for (let symbol = (field.words[word]?.start ?? 0) - 1; symbol >= 0; symbol -= 1)
    if (places[symbol] !== -1) return (places[symbol] as number) + 1;
  return end;
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
