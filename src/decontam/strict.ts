import { Aligner } from '../text/align.js';
import { type Folded, fold, symbolText, wordEnd } from '../text/fold.js';
import { GramIndex } from '../text/gram-index.js';
import { type Agreement, agree } from './agreement.js';
import type { Evidence } from './evidence.js';
import { type Field, type ItemFields, makeFields } from './fields.js';
import type { Item } from './items.js';
import type { Finding, Method } from './method.js';
import { wrapperWords } from './wrapper-words.js';

/**
 * Looks for items in whatever shape they leak: folded to letters and digits, aligned with typing errors, every word
 * weighed by how rare it is, options wherever they stand. How much may differ depends on how much agrees.
 */
export function strictMethod(items: readonly Item[]): Method {
  const { evidence, fields } = makeFields(items);
  const searched = fields.flatMap(({ questions, options }) =>
    isWeak(questions) ? [...questions, ...options.filter((option) => option.symbols.length >= 6)] : questions,
  );
  const index = new GramIndex(searched.map((field) => field.symbols));
  const tiny = tinyQuestions(fields);
  const aligner = new Aligner();
  return {
    name: 'strict',
    find(text) {
      const folded = fold(text);
      const proposed = index.propose(folded.symbols, folded.count).map((field) => (searched[field] as Field).item);
      const candidates = new Set([...proposed, ...(tiny.get(symbolText(folded, 0, Math.min(folded.count, 8))) ?? [])]);
      const found: Finding[] = [];
      const inspected = { text, folded, evidence, aligner };
      for (const item of [...candidates].sort((a, b) => a - b)) {
        const finding = inspect(item, fields[item] as ItemFields, inspected);
        if (finding !== null) found.push(finding);
      }
      return found.map((finding) => ({ ...finding, count: found.filter((other) => overlap(finding, other)).length }));
    },
    blindTo: (item) => ((fields[item] as ItemFields).questions[0]?.words.length === 0 ? 'without a word' : null),
    limitOf(item) {
      const { questions, options } = fields[item] as ItemFields;
      if (!isWeak(questions)) return null;
      return nats(questions) + options.reduce((sum, option) => sum + option.nats, 0) >= leastWithOptions
        ? 'found with their options or as a whole prompt only'
        : 'found as a whole prompt only';
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------------

/** A question that says less than this alone is found by its options, or as a whole prompt. */
const leastAlone = 22;
/** What a weak question and its options must say together. */
const leastWithOptions = 12;
/** What a whole prompt may say beyond a weak question, in nats: a word or two that instructions have. */
const mostUnexplained = 1.5;
/** Even a common word asks something else: "What is …", "… in children". */
const leastPerWord = 1.6;

interface Inspected {
  text: string;
  folded: Folded;
  evidence: Evidence;
  aligner: Aligner;
}

function nats(questions: readonly Field[]): number {
  return questions[0]?.nats ?? 0;
}

function isWeak(questions: readonly Field[]): boolean {
  return nats(questions) < leastAlone;
}

/** Questions too short for a gram, by all their symbols: they are looked up as whole prompts. */
function tinyQuestions(fields: readonly ItemFields[]): Map<string, number[]> {
  const tiny = new Map<string, number[]>();
  fields.forEach(({ questions }, item) => {
    const symbols = questions[0]?.symbols;
    if (symbols === undefined || symbols.length === 0 || symbols.length >= 6) return;
    const key = String.fromCharCode(...symbols);
    tiny.set(key, [...(tiny.get(key) ?? []), item]);
  });
  return tiny;
}

function inspect(item: number, { questions, options }: ItemFields, inspected: Inspected): Finding | null {
  for (const question of questions) {
    const { folded, aligner, evidence } = inspected;
    const places = aligner.align(question.symbols, folded.symbols, folded.count);
    const agreement = agree(question, folded, places, evidence);
    if (agreement === null) continue;
    if (!holds(question, agreement, options, inspected)) continue;
    return {
      item,
      score: Math.min(100, (100 * agreement.matched) / Math.max(1e-9, question.nats + agreement.extra)),
      start: folded.starts[agreement.first] as number,
      end: folded.ends[agreement.end - 1] as number,
      count: 1,
    };
  }
  return null;
}

/** Whether what agrees is enough, given what does not. */
function holds(question: Field, found: Agreement, options: readonly Field[], inspected: Inspected): boolean {
  const differs = found.lost + found.extra;
  const share = found.matched / Math.max(1e-9, question.nats);
  if (found.contradicts && found.matched < 60) return false;
  const words = found.matchedWords / found.wordCount;
  if (words < 0.85 && share < 0.4) return false;
  const matchedOptions = matchOptions(found, options, inspected);
  // The same stem before other options is another question, unless it says a lot.
  if (found.matched < 45 && options.length >= 2 && matchedOptions.length < options.length * 0.3)
    if (hasListAfter(found, inspected)) return false;
  if (found.matched < 45 && isPartOfOption(found, inspected)) return false;
  // The question says enough: whole, or a good part of it that nothing contradicts.
  if (found.matched >= leastAlone && differs <= found.matched * tolerance(found.matched)) {
    if (share >= 0.9) return true;
    if (share >= 0.45 && found.matched >= 45) return true;
    if (share >= 0.5 && found.matched >= 28 && found.matchedWords >= 6 && differs <= found.matched * 0.1)
      if (unexplained(found, matchedOptions, inspected) <= found.matched * 0.12) return true;
  }
  // The question and its options together do.
  const optionNats = matchedOptions.reduce((sum, option) => sum + option.nats, 0);
  const most = options.length >= 2 && matchedOptions.length >= Math.max(2, Math.ceil(options.length * 0.7));
  if (most && found.matched + optionNats >= leastWithOptions) {
    if (words >= 0.85 && differs <= 2 + found.matched * 0.15) return true;
    if (found.matched >= 20 && found.matched + optionNats >= 30 && differs <= found.matched * 0.35) return true;
  }
  // It says little, and is all that the prompt says, or a line of its own.
  if (found.matchedWords < found.wordCount || found.extra > 0) return false;
  if (unexplained(found, most ? matchedOptions : [], inspected) <= mostUnexplained) return true;
  return question.nats >= 10 && standsAlone(found, inspected);
}

/** Whether a list of options begins right after the place. */
function hasListAfter(found: Agreement, { text, folded }: Inspected): boolean {
  const end = folded.ends[found.end - 1] as number;
  return /^[^\n]{0,80}[\s\S]{0,40}?(?:^|\s)[([]?(?:A|a|1|I|i)[).:\]]\s/m.test(text.slice(end, end + 160));
}

/** The share of what agrees that may differ: nothing much in a few words, a good part in a whole vignette. */
function tolerance(matched: number): number {
  const points = [
    [20, 0.05],
    [30, 0.15],
    [60, 0.3],
    [120, 0.45],
    [200, 0.6],
  ] as const;
  let [before, low]: readonly [number, number] = points[0];
  for (const [at, share] of points) {
    if (matched < at) return low + ((share - low) * (matched - before)) / Math.max(1, at - before);
    before = at;
    low = share;
  }
  return low;
}

/** The options that stand in the text, exactly or with typing errors. */
function matchOptions(_found: Agreement, options: readonly Field[], { folded, aligner, evidence }: Inspected): Field[] {
  return options.filter((option) => {
    if (standsIn(option.symbols, folded)) return true;
    if (option.symbols.length < 8) return false;
    const places = aligner.align(option.symbols, folded.symbols, folded.count);
    const agreement = agree(option, folded, places, evidence);
    return agreement !== null && agreement.matchedWords >= option.words.length * 0.75 && agreement.extra <= 4;
  });
}

/** Whether the symbols stand in the text from the beginning of a word to the end of one. */
function standsIn(symbols: Uint16Array, folded: Folded): boolean {
  const size = symbols.length;
  for (let at = 0; at + size <= folded.count; at += 1) {
    if (folded.symbols[at] !== symbols[0] || folded.begins[at] === 0) continue;
    let length = 1;
    while (length < size && folded.symbols[at + length] === symbols[length]) length += 1;
    if (length === size && (at + size === folded.count || folded.begins[at + size] === 1)) return true;
  }
  return false;
}

/** What the text says outside the place and the given options, but for the words of instructions and labels. */
function unexplained(
  found: Pick<Agreement, 'first' | 'end'>,
  options: readonly Field[],
  { folded, evidence }: Inspected,
): number {
  const explained = new Set(options.flatMap((option) => option.words.map((word) => word.text)));
  let rest = 0;
  for (let start = 0; start < folded.count; ) {
    const end = wordEnd(folded, start);
    if (end <= found.first || start >= found.end) {
      const word = symbolText(folded, start, end);
      if (!wrapperWords.has(word) && !explained.has(word) && !/^\d{1,3}$/.test(word))
        rest += Math.max(leastPerWord, evidence.word(word));
    }
    start = end;
  }
  return rest;
}

/**
 * Whether the place stands alone, as a question does: a line, a quotation or a sentence of its own, but for a label. Not
 * an option of something else.
 */
function standsAlone(found: Agreement, inspected: Inspected): boolean {
  const { text, folded } = inspected;
  const start = folded.starts[found.first] as number;
  const end = folded.ends[found.end - 1] as number;
  const from = text.lastIndexOf('\n', start) + 1;
  const newline = text.indexOf('\n', end);
  const to = newline === -1 ? text.length : newline;
  if (/^\s*[([]?[a-j][).:\]]\s/i.test(text.slice(from, to))) return false;
  const before = text.slice(from, start);
  const after = text.slice(end, to);
  const opens = /(?:[:"“«「.?!]\s*|^\s*)$/.test(before) || saysNothing(before, inspected);
  const closes = /^\s*(?:[.?!:–-]*\s*$|[.?!]*["”»」]|[?])/.test(after) || saysNothing(after, inspected);
  return opens && closes && (found.wordCount >= 3 || (saysNothing(before, inspected) && saysNothing(after, inspected)));
}

/** Whether the place is a phrase in the midst of an option of something else. */
function isPartOfOption(found: Agreement, inspected: Inspected): boolean {
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

function saysNothing(text: string, inspected: Inspected): boolean {
  return unexplained({ first: 0, end: 0 }, [], { ...inspected, folded: fold(text) }) === 0;
}

function overlap(a: Finding, b: Finding): boolean {
  return a.start < b.end && b.start < a.end;
}
