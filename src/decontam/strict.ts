import { Aligner } from '../text/align.js';
import { type Folded, fold, symbolText } from '../text/fold.js';
import { GramIndex } from '../text/gram-index.js';
import { agree } from './agreement.js';
import { holds, leastAlone, leastWithOptions, leastWordForWord } from './decision.js';
import { type Field, type ItemFields, makeFields } from './fields.js';
import type { Item } from './items.js';
import type { Finding, Method } from './method.js';
import { findEnd } from './question-end.js';
import { findReordered } from './reordered.js';
import type { Inspected } from './surroundings.js';

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
      const [question] = questions;
      if (question === undefined || !isWeak(questions)) return null;
      if (question.nats >= leastWordForWord.nats && question.words.length >= leastWordForWord.words) return null;
      return nats(questions) + options.reduce((sum, option) => sum + option.nats, 0) >= leastWithOptions
        ? 'found with their options or as a whole prompt only'
        : 'found as a whole prompt only';
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------------

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
    const agreement = agree(question, folded, places, evidence, inspected.text);
    if (agreement === null) continue;
    const matched = () => matchOptions(options, inspected);
    const isThere = holds(question, agreement, options, matched, inspected);
    const found = isThere
      ? agreement
      : (findReordered(question, inspected) ??
        (agreement.otherNumbers ? null : findEnd(question, places, matched, inspected)));
    if (found === null) continue;
    return {
      item,
      score: Math.min(100, (100 * found.matched) / Math.max(1e-9, question.nats + (isThere ? agreement.extra : 0))),
      start: folded.starts[found.first] as number,
      end: folded.ends[found.end - 1] as number,
      count: 1,
    };
  }
  return null;
}

/** The options that stand in the text, exactly or with typing errors. */
function matchOptions(options: readonly Field[], { text, folded, aligner, evidence }: Inspected): Field[] {
  return options.filter((option) => {
    if (standsIn(option.symbols, folded)) return true;
    if (option.symbols.length < 8) return false;
    const places = aligner.align(option.symbols, folded.symbols, folded.count);
    const agreement = agree(option, folded, places, evidence, text);
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

function overlap(a: Finding, b: Finding): boolean {
  return a.start < b.end && b.start < a.end;
}
