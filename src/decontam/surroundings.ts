import type { Aligner } from '../text/align.js';
import { type Folded, fold, symbolText, wordEnd } from '../text/fold.js';
import type { Agreement } from './agreement.js';
import type { Evidence } from './evidence.js';
import type { Field } from './fields.js';
import { wrapperWords } from './wrapper-words.js';

/** A text that is looked into, with what it takes to judge it. */
export interface Inspected {
  text: string;
  folded: Folded;
  evidence: Evidence;
  aligner: Aligner;
}

/** What a whole prompt may say beyond a question that says little, in nats: a word or two that instructions have. */
export const mostUnexplained = 1.5;

/** What the text says outside the place and the given options, in nats, but for the words of instructions and labels. */
export function unexplained(
  found: Pick<Agreement, 'first' | 'end'>,
  options: readonly Field[],
  { folded, evidence }: Pick<Inspected, 'folded' | 'evidence'>,
  within: { first: number; end: number } = { first: 0, end: folded.count },
): number {
  const explained = new Set(options.flatMap((option) => option.words.map((word) => word.text)));
  let rest = 0;
  for (let start = within.first; start < within.end; ) {
    const end = wordEnd(folded, start);
    if (end <= found.first || start >= found.end) {
      const word = symbolText(folded, start, end);
      if (!wrapperWords.has(word) && !explained.has(word) && !/^(?:\d{1,3}|(?:19|20)\d\d)$/.test(word))
        rest += Math.max(leastPerWord, evidence.word(word));
    }
    start = end;
  }
  return rest;
}

/** The symbols of the lines that the place lies in. */
export function linesOf(
  found: Pick<Agreement, 'first' | 'end'>,
  { text, folded }: Inspected,
): { first: number; end: number } {
  const from = text.lastIndexOf('\n', folded.starts[found.first] as number) + 1;
  const newline = text.indexOf('\n', folded.ends[found.end - 1] as number);
  const to = newline === -1 ? text.length : newline;
  let { first, end } = found;
  while (first > 0 && (folded.starts[first - 1] as number) >= from) first -= 1;
  while (end < folded.count && (folded.ends[end] as number) <= to) end += 1;
  return { first, end };
}

/** Whether a list of options begins right after the place. */
export function hasListAfter(found: Agreement, inspected: Inspected): boolean {
  const { text, folded } = inspected;
  const end = folded.ends[found.end - 1] as number;
  const list = /^([^\n]{0,80}[\s\S]{0,40}?)(?:^|\s)[([]?(?:A|a|1|I|i)[).:\]]\s/m.exec(text.slice(end, end + 160));
  return list !== null && saidIn(list[1] as string, inspected) <= mostBeforeList;
}

/**
 * What the text says, in nats, in place of a lost last part: right after what agrees, which ends before the symbol `from`, up to
 * a list of options or an empty line.
 */
export function saidInstead(
  from: number,
  options: readonly Field[],
  { text, folded, evidence }: Inspected,
): { nats: number; beforeList: boolean } {
  const at = folded.ends[from - 1] as number;
  const after = text.slice(at, at + 400);
  const stop = /\n\s*\n|\n\s*[([]?[A-Ja-j1][).:\]]\s/.exec(after.replace(/^\s+/, (blank) => '_'.repeat(blank.length)));
  const until = at + (stop?.index ?? after.length);
  let end = from;
  while (end < folded.count && (folded.ends[end] as number) <= until) end += 1;
  const nats = unexplained({ first: 0, end: from }, options, { folded, evidence }, { first: from, end });
  return { nats, beforeList: stop !== null && /\S/.test(stop[0]) };
}

/**
 * Whether the place stands alone, as a question does: a line, a quotation or a sentence of its own, but for a label. Not
 * an option of something else.
 */
export function standsAlone(found: Agreement, inspected: Inspected): boolean {
  const { text, folded } = inspected;
  const start = folded.starts[found.first] as number;
  const end = folded.ends[found.end - 1] as number;
  const from = text.lastIndexOf('\n', start) + 1;
  const newline = text.indexOf('\n', end);
  const to = newline === -1 ? text.length : newline;
  if (/^\s*[([]?[a-j][).:\]]\s/i.test(text.slice(from, to))) return false;
  const before = text.slice(from, start);
  const after = text.slice(end, to);
  const opens = /(?:[:"“«「.?!：。？！]\s*|^\s*)$/.test(before) || saysNothing(before, inspected);
  const closes = /^\s*(?:[.?!:–-]*\s*$|[.?!:,;–-]*["”»」]|[?])/.test(after) || saysNothing(after, inspected);
  return opens && closes && (found.wordCount >= 3 || (saysNothing(before, inspected) && saysNothing(after, inspected)));
}

/** Whether the place is a phrase in the midst of an option of something else. */
export function isPartOfOption(found: Agreement, inspected: Inspected): boolean {
  const { text, folded } = inspected;
  const start = folded.starts[found.first] as number;
  const end = folded.ends[found.end - 1] as number;
  const before = text.slice(text.lastIndexOf('\n', start) + 1, start);
  const newline = text.indexOf('\n', end);
  const label = /^\s*[([]?[a-j][).:\]]\s/i.exec(before);
  if (label === null) return false;
  const after = text.slice(end, newline === -1 ? text.length : newline);
  return !saysNothing(before.slice(label[0].length), inspected) || !saysNothing(after, inspected);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Even a common word asks something else: "What is …", "… in children". */
const leastPerWord = 1.6;

/** What may stand between a question and its list of options, in nats. */
const mostBeforeList = 8;

/** Words of instructions alone, or of another script: an English question among Chinese instructions. */
function saysNothing(text: string, inspected: Inspected): boolean {
  return saidIn(text.replace(otherScripts, ' '), inspected) === 0;
}

function saidIn(text: string, { evidence }: Inspected): number {
  return unexplained({ first: 0, end: 0 }, [], { evidence, folded: fold(text) });
}

const otherScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Thai}\p{Script=Telugu}\p{Script=Tamil}]+/gu;
