import type { Field } from './fields.js';
import { type Inspected, mostUnexplained, unexplained } from './surroundings.js';

/** Where the last part of a question stands that is all that a prompt says. */
export interface QuestionEnd {
  /** In nats: its words. */
  matched: number;
  /** Half-open range of the text's symbols. */
  first: number;
  end: number;
}

/** What the part must say, in nats, its words, and its share of both. */
const least = { nats: 12, words: 4, share: 0.5 };

/**
 * The last part of a question, word for word, in a prompt that says nothing else but instructions and, if given, the options
 * `matchOptions` finds; else null. Nobody asks "cannot provide a substrate for gluconeogenesis?". The first part proves
 * nothing: another end asks something else.
 */
export function findEnd(
  question: Field,
  places: Int32Array,
  matchOptions: () => readonly Field[],
  inspected: Inspected,
): QuestionEnd | null {
  const { folded } = inspected;
  let from = question.symbols.length - 1;
  const last = places[from] ?? -1;
  if (last === -1 || (last + 1 < folded.count && folded.begins[last + 1] === 0)) return null;
  while (from > 0 && places[from - 1] === (places[from] as number) - 1) from -= 1;
  const words = question.words.filter(({ start }) => start >= from && folded.begins[places[start] as number] === 1);
  const matched = words.reduce((sum, { nats }) => sum + nats, 0);
  if (words.length < Math.max(least.words, question.words.length * least.share)) return null;
  if (matched < Math.max(least.nats, question.nats * least.share)) return null;
  const place = { first: places[words[0]?.start ?? 0] as number, end: last + 1 };
  if (unexplained(place, matchOptions(), inspected) > mostUnexplained) return null;
  return { matched, ...place };
}
