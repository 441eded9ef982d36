import type { Agreement } from './agreement.js';
import type { Field } from './fields.js';
import {
  hasListAfter,
  type Inspected,
  isPartOfOption,
  linesOf,
  mostUnexplained,
  saidInstead,
  standsAlone,
  unexplained,
} from './surroundings.js';

/** A question that says less than this alone is found by its options, or as a whole prompt. */
export const leastAlone = 22;
/** A short question stands in the midst of anything if it stands there word for word: that is no accident. */
export const leastWordForWord = { nats: 16, words: 5 };
/** What a weak question and its options must say together. */
export const leastWithOptions = 12;

/**
 * Whether a question is in the text, given where it agrees with it and which of its options stand there: what agrees must
 * be enough, given what does not.
 */
export function holds(
  question: Field,
  found: Agreement,
  options: readonly Field[],
  matchOptions: () => readonly Field[],
  inspected: Inspected,
): boolean {
  const differs = found.lost + found.extra;
  const share = found.matched / Math.max(1e-9, question.nats);
  if (found.otherNumbers || (found.contradicts && found.matched < 60)) return false;
  const words = found.matchedWords / found.wordCount;
  if (words < 0.85 && share < 0.4) return false;
  const matchedOptions = matchOptions();
  const most = options.length >= 2 && matchedOptions.length >= Math.max(2, Math.ceil(options.length * 0.7));
  // The same stem before other options is another question, unless it says a lot.
  if (found.matched < 45 && options.length >= 2 && matchedOptions.length < options.length * 0.3)
    if (hasListAfter(found, inspected)) return false;
  if (found.matched < 45 && isPartOfOption(found, inspected)) return false;
  if (asksOtherwise(question, found, matchedOptions, inspected)) return false;
  return (
    saysEnough(found, share, differs, matchedOptions, inspected) ||
    (most && saysEnoughWithOptions(found, share, words, differs, matchedOptions)) ||
    isAllThatIsSaid(question, found, most ? matchedOptions : [], inspected)
  );
}

// ---------------------------------------------------------------------------------------------------------------------

/** What the last words of a question must say, in nats, so that others in their place ask something else. */
const tellingTail = 12;
/** The same case or passage before another question, or the same preamble before another case. */
function asksOtherwise(
  question: Field,
  found: Agreement,
  matchedOptions: readonly Field[],
  inspected: Inspected,
): boolean {
  const { tail, ask } = found;
  if (tail.lost >= tellingTail * 0.7) {
    const instead = saidInstead(tail.end, matchedOptions, inspected);
    const isLast = tail.lost < question.nats * 0.25 || instead.beforeList;
    // Much of a question that is cut off may be followed by instructions; they say less than what is gone.
    const least = isLast ? Math.max(tellingTail * 0.7, tail.lost * 0.5) : Math.max(20, tail.lost * 0.6);
    if ((tail.lost >= tellingTail || instead.beforeList) && instead.nats >= least) return true;
  }
  return (
    ask.lost >= tellingTail * 0.7 &&
    ask.lost < question.nats * 0.25 &&
    saidInstead(ask.end, matchedOptions, inspected).nats >= tellingTail * 0.7
  );
}

/** The question alone: whole, or a good part of it that nothing contradicts. */
function saysEnough(
  found: Agreement,
  share: number,
  differs: number,
  matchedOptions: readonly Field[],
  inspected: Inspected,
): boolean {
  const { matched, matchedWords, wordCount } = found;
  const wordForWord = matchedWords === wordCount && found.extra === 0 && found.typos === 0;
  if (wordForWord && matched >= leastWordForWord.nats && wordCount >= leastWordForWord.words) return true;
  if (lacksOneWord(found)) {
    if (found.lost > 0 && found.lost <= matched * 0.3 && matched >= leastAlone) return true;
    if (matched >= leastWordForWord.nats && standsAlone(found, inspected)) return true;
  }
  if (matched < leastAlone || differs > matched * tolerance(matched)) return false;
  if (share >= 0.9) return true;
  if (share >= 0.45 && matched >= 45) return true;
  if (share < 0.5 || matched < 28 || matchedWords < 6 || differs > matched * 0.1) return false;
  return unexplained(found, matchedOptions, inspected, linesOf(found, inspected)) <= matched * 0.12;
}

/** One word was left out, and nothing else is different. */
function lacksOneWord(found: Agreement): boolean {
  const lost = found.lost + found.lostHead + found.lostTail;
  return found.matchedWords === found.wordCount - 1 && found.wordCount >= 6 && found.extra === 0 && lost <= 7.5;
}

function saysEnoughWithOptions(
  found: Agreement,
  share: number,
  words: number,
  differs: number,
  matchedOptions: readonly Field[],
): boolean {
  const all = found.matched + matchedOptions.reduce((sum, option) => sum + option.nats, 0);
  if (all < leastWithOptions) return false;
  if (words >= 0.85 && differs <= 2 + found.matched * 0.15) return true;
  return (
    share >= 0.4 &&
    found.matched >= 20 &&
    all - found.matched >= leastWithOptions &&
    all >= 30 &&
    differs <= found.matched * 0.35
  );
}

/** A question that says little, and is all that the prompt says, or a line of its own. */
function isAllThatIsSaid(
  question: Field,
  found: Agreement,
  matchedOptions: readonly Field[],
  inspected: Inspected,
): boolean {
  if (found.matchedWords < found.wordCount || found.extra > 0) return false;
  if (unexplained(found, matchedOptions, inspected) <= mostUnexplained) return true;
  return question.nats >= 10 && standsAlone(found, inspected);
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
