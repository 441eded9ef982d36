import { fold, foldedWords } from '../text/fold.js';
import { strip } from '../text/spaces.js';
import { Evidence } from './evidence.js';
import type { Item } from './items.js';

/** A stretch of an item that a text may hold: its question with context, its question alone, or one option. */
export interface Field {
  item: number;
  kind: 'question' | 'stem' | 'option';
  symbols: Uint16Array;
  words: FieldWord[];
  /** What all its words say together, in nats. */
  nats: number;
  /** The first word of its last sentence: what is asked. 0 where it is one sentence. */
  askFrom: number;
}

export interface FieldWord {
  /** Half-open range of symbols. */
  start: number;
  end: number;
  text: string;
  nats: number;
}

export interface ItemFields {
  /** The question with its context, then the question alone where that differs. */
  questions: Field[];
  options: Field[];
}

/** The fields of all items, each word weighed. */
export function makeFields(items: readonly Item[]): { evidence: Evidence; fields: ItemFields[] } {
  const texts = items.map((item) => {
    const { question, options } = withoutInlineOptions(item);
    const stem =
      item.stem === item.question ? question : withoutInlineOptions({ ...item, question: item.stem }).question;
    return { questions: stem === question ? [question] : [question, stem], options };
  });
  const distinct = new Set(texts.flatMap((each) => [each.questions[0] as string, ...each.options]));
  const folded = new Map([...distinct].map((text) => [text, foldText(text)]));
  const evidence = new Evidence([...folded.values()].map(({ words }) => words));
  const make = (item: number, kind: Field['kind'], text: string) =>
    makeField(evidence, item, kind, text, folded.get(text) ?? foldText(text));
  const shares = new Map<string, number>();
  for (const { options } of texts)
    for (const option of new Set(options)) shares.set(option, (shares.get(option) ?? 0) + 1);
  const makeOption = (item: number, text: string) => {
    const field = make(item, 'option', text);
    return (shares.get(text) ?? 0) > mostSharing ? { ...field, nats: 0 } : field;
  };
  return {
    evidence,
    fields: texts.map(({ questions, options }, item) => ({
      questions: questions.map((text, index) => make(item, index === 0 ? 'question' : 'stem', text)),
      options: options.map((text) => makeOption(item, text)).filter((field) => field.words.length > 0),
    })),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

interface FoldedText {
  symbols: Uint16Array;
  words: string[];
}

function foldText(text: string): FoldedText {
  const folded = fold(text);
  return { symbols: folded.symbols.slice(0, folded.count), words: foldedWords(folded) };
}

/** An option of more items than this says nothing: "yes", "maybe", "All of the above". */
const mostSharing = 20;

function makeField(
  evidence: Evidence,
  item: number,
  kind: Field['kind'],
  text: string,
  { symbols, words: texts }: FoldedText,
): Field {
  const nats = evidence.field(texts);
  let start = 0;
  const words = texts.map((each, index) => {
    const word = { start, end: start + each.length, text: each, nats: nats[index] as number };
    start = word.end;
    return word;
  });
  return { item, kind, symbols, words, nats: nats.reduce((sum, each) => sum + each, 0), askFrom: askStart(text) };
}

/** Words before the last sentence or line that has four words or more. */
function askStart(text: string): number {
  let start = 0;
  for (const { index, 0: end } of text.matchAll(/[.?!\n]["”’)]*\s+|\n/g))
    if (/^\W*\w+(?:\W+\w+){3}/.test(text.slice(index + end.length))) start = index + end.length;
  return start === 0 ? 0 : foldedWords(fold(text.slice(0, start))).length;
}

/** Some benchmarks write the options into the question: there they would hide a prompt that has the question alone. */
function withoutInlineOptions({ question, options }: Pick<Item, 'question' | 'options'>): {
  question: string;
  options: string[];
} {
  const headed = /\s(?:answer\s+)?(?:choices|options)\s*:\s*(?=\(?A[).:])/i.exec(question);
  const listed = /\n\s*\(?A[).:]\s*[^\n]+\n\s*\(?B[).:]\s/.exec(question);
  const at = headed?.index ?? listed?.index;
  if (at === undefined || strip(question.slice(0, at)) === '') return { question, options };
  const inline = question
    .slice(at)
    .split(/(?:^|\s)\(?[A-J][).:]\s+/)
    .slice(1)
    .map((option) => strip(option));
  return { question: question.slice(0, at), options: options.length > 0 ? options : inline };
}
