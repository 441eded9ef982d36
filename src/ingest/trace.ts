import { strip } from '../text/spaces.js';
import type { Text } from '../text/utf8-text.js';

/** A generation taken apart, as docs/sources.md tells it. */
export interface Trace {
  reasoning: Text | null;
  answer: Text | null;
  /** Structurally whole: it was not cut off before its end. */
  complete: boolean;
  /** The text as it stood, where `reasoning` and `answer` do not hold all of it. */
  raw: Text | null;
}

export interface InlineRules {
  /** Does the source tag every trace? Then text without any tag is no answer but a malformed trace. */
  alwaysTagged: boolean;
  /** The answer must be in `<answer>` tags that end the text. */
  answerTagged?: boolean;
}

/** Reasoning tags that public sources use, with the answer tags that go with them. */
const tagSets: { open: string; close: string; answerOpen: string; answerClose: string }[] = [
  { open: '<think>', close: '</think>', answerOpen: '<answer>', answerClose: '</answer>' },
  { open: '<thinking>', close: '</thinking>', answerOpen: '<answer>', answerClose: '</answer>' },
  { open: '<Thought>', close: '</Thought>', answerOpen: '<Output>', answerClose: '</Output>' },
  {
    open: '<|begin_of_thought|>',
    close: '<|end_of_thought|>',
    answerOpen: '<|begin_of_solution|>',
    answerClose: '<|end_of_solution|>',
  },
];

/** Tokens of chat templates that generators leave at the ends of a text. */
const templateAtEnd =
  /(?:<\|eot_id\|>|<\|im_end\|>|<\|end_of_text\|>|<\|endoftext\|>|<\|end\|>|<｜end▁of▁sentence｜>|<\/s>)$/;
const templateAtStart =
  /^(?:<\|im_start\|>(?:assistant)?|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|begin_of_text\|>|<｜begin▁of▁sentence｜>|<｜Assistant｜>|<s>)/;

/** Splits a trace that stands in one text. */
export function splitInline(text: Text | null, rules: InlineRules): Trace {
  const clean = stripTemplate(text ?? '');
  if (clean.length === 0) return { reasoning: null, answer: null, complete: false, raw: null };
  const tags = tagSets.find((each) => clean.includes(each.close)) ?? tagSets.find((each) => clean.includes(each.open));
  if (tags === undefined) {
    if (rules.alwaysTagged) return { reasoning: null, answer: null, complete: false, raw: clean };
    return { reasoning: null, answer: clean, complete: false, raw: null };
  }
  const opening = clean.indexOf(tags.open);
  const closing = clean.indexOf(tags.close);
  if (closing === -1) {
    const before = strip(clean.slice(0, opening));
    const reasoning = filled(clean.slice(opening + tags.open.length));
    return { reasoning, answer: null, complete: false, raw: before.length === 0 ? null : clean };
  }
  if (clean.indexOf(tags.close, closing + 1) !== -1) {
    return { reasoning: null, answer: null, complete: false, raw: clean };
  }
  // The opening tag may be missing: a continued generation begins behind it.
  const opened = opening !== -1 && opening < closing;
  const before = opened ? strip(clean.slice(0, opening)) : '';
  const reasoning = filled(clean.slice(opened ? opening + tags.open.length : 0, closing));
  const tail = strip(clean.slice(closing + tags.close.length));
  const { answer, whole } = splitAnswer(tail, tags, rules.answerTagged === true);
  const strict = rules.answerTagged !== true || (opened && before.length === 0);
  const lost = before.length > 0 || (answer === null && tail.length > 0 && !tail.startsWith(tags.answerOpen));
  return {
    reasoning,
    answer,
    complete: whole && answer !== null && strict,
    raw: lost || (tail.length > 0 && answer === null) ? clean : null,
  };
}

/** A trace whose parts the source keeps apart: whole when neither is empty. */
export function joinColumns(reasoning: Text | null, answer: Text | null): Trace {
  const parts = { reasoning: filled(stripTemplate(reasoning ?? '')), answer: filled(stripTemplate(answer ?? '')) };
  return { ...parts, complete: parts.reasoning !== null && parts.answer !== null, raw: null };
}

/** Outer whitespace and tokens of a chat template removed. */
export function stripTemplate<T extends Text>(text: T): T {
  let clean = strip(text);
  for (;;) {
    const { length } = clean;
    const atEnd = templateAtEnd.exec(String(clean.slice(-templateLength)))?.[0];
    if (atEnd !== undefined) clean = clean.slice(0, length - lengthIn(clean, atEnd)) as T;
    const atStart = templateAtStart.exec(String(clean.slice(0, templateLength)))?.[0];
    if (atStart !== undefined) clean = clean.slice(lengthIn(clean, atStart)) as T;
    if (clean.length === length) return clean;
    clean = strip(clean);
  }
}

/** Trimmed text, or null where nothing remains. */
export function filled<T extends Text>(text: T): T | null {
  const trimmed = strip(text);
  return trimmed.length === 0 ? null : trimmed;
}

// ---------------------------------------------------------------------------------------------------------------------

/** More than the longest of the tokens, in UTF-16 units as in bytes. */
const templateLength = 64;

/** How long a part is where the text counts in units, or in bytes. */
function lengthIn(text: Text, part: string): number {
  return typeof text === 'string' ? part.length : Buffer.byteLength(part);
}

/** An answer in its own tags, whole only when they are closed; text without such tags is the answer itself. */
function splitAnswer(
  tail: Text,
  tags: { answerOpen: string; answerClose: string },
  required: boolean,
): { answer: Text | null; whole: boolean } {
  if (!tail.startsWith(tags.answerOpen)) return { answer: filled(tail), whole: !required };
  if (!tail.includes(tags.answerClose)) return { answer: null, whole: false };
  if (tail.endsWith(tags.answerClose)) {
    return { answer: filled(tail.slice(tags.answerOpen.length, -tags.answerClose.length)), whole: true };
  }
  return { answer: filled(tail), whole: !required };
}
