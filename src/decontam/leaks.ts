import type { Item } from './items.js';
import type { Random } from './random.js';

/** A way in which questions of benchmarks turn up in training data. */
export interface LeakKind {
  name: string;
  /** Whether the question is still whole. */
  whole: boolean;
  /** Whether it can be made of this item. */
  takes(item: Item): boolean;
  /** A prompt with the leak; `host` is a prompt of the user's own data, `others` are further items. */
  make(item: Item, random: Random, host: string, others: readonly Item[]): string;
}

export const leakKinds: readonly LeakKind[] = [
  kind('verbatim', (item) => item.compared),
  kind('options attached', (item) => withOptions(item, item.options, letters, '. '), hasOptions),
  kind(
    'options shuffled and relabelled',
    (item, random) => {
      const [labels, after] = random.pick([
        [letters, ') '],
        [numbers, '. '],
        [numbers, ') '],
        [small, ') '],
        [romans, '. '],
      ] as const);
      return withOptions(item, random.shuffle(item.options), labels, after);
    },
    hasOptions,
  ),
  kind('other case', (item, random) =>
    random.pick([upper, lower, titled])(
      random.chance(0.5) ? withOptions(item, item.options, letters, '. ') : item.question,
    ),
  ),
  kind('other spacing', (item, random) =>
    item.question.replace(/ /g, () => random.pick([' ', ' ', '  ', '\n', '\t', '\u00a0', '\u2009'])),
  ),
  kind('other typography', (item, random) =>
    item.question
      .replace(/'/g, '’')
      .replace(/"/g, () => random.pick(['“', '”']))
      .replace(/-/g, () => random.pick(['–', '‑', '−', '-']))
      .replace(/\.\.\./g, '…')
      .replace(/\?/g, () => random.pick(['?', '？', ' ?'])),
  ),
  kind('other Unicode form', (item, random) =>
    random.pick([fullWidth, zeroWidths, softHyphens, lookAlike, (text: string) => text.normalize('NFD')])(
      item.question,
      random,
    ),
  ),
  kind('punctuation gone', (item, random) => item.question.replace(/[\p{P}\p{S}]/gu, random.chance(0.5) ? '' : ' ')),
  kind('typing errors', (item, random) => mistype(item.question, random, 12)),
  kind('inside instructions', (item, random) => random.pick(instructions)(item, random)),
  kind('inside a chat template', (item, random) => random.pick(templates)(item.question)),
  kind('inside a prompt of the data', (item, random, host) =>
    random.chance(0.5) ? `${host}\n\n${item.question}` : `${item.question}\n\n${host}`,
  ),
  kind('inside markup', (item, random) => random.pick(markups)(item.question)),
  kind('lines wrapped', (item, random) => wrap(item.question, 30 + random.below(50), random.chance(0.5))),
  kind(
    'with its answer',
    (item, random) =>
      `${withOptions(item, item.options, letters, '. ')}\n\n${random.pick(['Answer', 'Correct answer', 'Ans', '正确答案'])}: ${random.pick(letters.slice(0, 4))}`,
  ),
  kind('several in one prompt', (item, random, _host, others) => {
    const all = random.shuffle([item, ...others.slice(0, 2)]);
    return all.map((each, index) => `${index + 1}. ${withOptions(each, each.options, letters, ') ')}`).join('\n\n');
  }),
  { ...kind('head cut off', (item) => lastPart(item.question, 0.65), isLong), whole: false },
  { ...kind('tail cut off', (item) => firstPart(item.question, 0.65), isLong), whole: false },
];

/** A whole question with all that can happen to it at once. */
export const worstKind: LeakKind = kind('several changes at once', (item, random, host, others) => {
  const wrapped = (random.pick(instructions) as (item: Item, random: Random) => string)(item, random);
  const forms: readonly ((text: string, random: Random) => string)[] = [upper, lower, fullWidth, lookAlike];
  const mistyped = mistype(wrapped, random, 25);
  const inOtherForm = random.chance(0.25) ? mistyped : random.pick(forms)(mistyped, random);
  return random.chance(0.3) ? `${inOtherForm}\n\n${others[0]?.question ?? host}` : inOtherForm;
});

/** A mistyped text: one error in about `every` words of four letters and more. */
export function mistype(text: string, random: Random, every: number): string {
  return text.replace(/[\p{L}]{4,}/gu, (word) => {
    if (!random.chance(1 / every)) return word;
    const at = 1 + random.below(word.length - 2);
    const letter = String.fromCharCode(97 + random.below(26));
    return random.pick([
      word.slice(0, at) + word.slice(at + 1),
      word.slice(0, at) + letter + word.slice(at),
      word.slice(0, at) + letter + word.slice(at + 1),
      word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2),
    ]);
  });
}

// ---------------------------------------------------------------------------------------------------------------------

const letters = [...'ABCDEFGHIJKLMNOP'];
const small = [...'abcdefghijklmnop'];
const numbers = letters.map((_, index) => String(index + 1));
const romans = 'I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI'.split(' ');

function everyItem(): boolean {
  return true;
}

function kind(name: string, make: LeakKind['make'], takes: LeakKind['takes'] = everyItem): LeakKind {
  return { name, whole: true, takes, make };
}

function hasOptions(item: Item): boolean {
  return item.options.length >= 2;
}

/** Asked of every item in every run: counts no further than it must. */
function isLong({ question }: Item): boolean {
  let gaps = 0;
  for (let at = 0; at < question.length && gaps < 11; at += 1)
    if (isGap(question.charCodeAt(at)) && !isGap(question.charCodeAt(at + 1))) gaps += 1;
  return gaps === 11;
}

function isGap(unit: number): boolean {
  return unit === 0x20 || ((unit < 0x20 || unit > 0x7f) && /\s/.test(String.fromCharCode(unit)));
}

function withOptions(item: Item, options: readonly string[], labels: readonly string[], after: string): string {
  return [item.question, ...options.map((option, index) => `${labels[index] ?? '-'}${after}${option}`)].join('\n');
}

function upper(text: string): string {
  return text.toUpperCase();
}

function lower(text: string): string {
  return text.toLowerCase();
}

function titled(text: string): string {
  return text.replace(/\b\p{L}/gu, (letter) => letter.toUpperCase());
}

function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
}

function zeroWidths(text: string, random: Random): string {
  return text.replace(/\p{L}/gu, (letter) =>
    random.chance(0.1) ? `${letter}${random.pick(['\u200b', '\u2060', '\ufeff'])}` : letter,
  );
}

function softHyphens(text: string, random: Random): string {
  return text.replace(/\p{L}{3}/gu, (letters) => (random.chance(0.3) ? `${letters}\u00ad` : letters));
}

function lookAlike(text: string, random: Random): string {
  const twins: Record<string, string> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х', i: 'і' };
  return text.replace(/[aeopcxi]/g, (letter) => (random.chance(0.3) ? (twins[letter] as string) : letter));
}

const instructions: readonly ((item: Item, random: Random) => string)[] = [
  (item) => `Question: ${item.question}\nAnswer:`,
  (item) =>
    `You are a medical expert. Answer the following question and explain your reasoning step by step.\n\n${withOptions(item, item.options, letters, '. ')}\n\nPut the letter of your final answer in \\boxed{}.`,
  (item) => `Please solve this problem carefully.\n### Question\n${item.question}\n### Response`,
  (item, random) =>
    `Q${1 + random.below(99)}. ${withOptions(item, random.shuffle(item.options), numbers, ') ')}\nChoose the best option.`,
  (item) =>
    `I am preparing for my exam and came across this: "${item.question}" Could you help me understand the answer?`,
];

const templates: readonly ((text: string) => string)[] = [
  (text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
  (text) => `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n${text}<|eot_id|>`,
  (text) => `[INST] ${text} [/INST]`,
  (text) => `### Instruction:\n${text}\n\n### Response:\n`,
  (text) => `Human: ${text}\n\nAssistant:`,
];

const markups: readonly ((text: string) => string)[] = [
  (text) =>
    `<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&#39;').replaceAll(' ', '&nbsp;')}</p>`,
  (text) => `**${text.replace(/(\w+) (\w+)/g, '_$1_ $2')}**`,
  (text) => `\\textbf{${text.replaceAll('%', '\\%')}}`,
  (text) => JSON.stringify(text.replaceAll('. ', '.\n')),
  (text) =>
    text
      .split('. ')
      .map((line) => `> ${line}`)
      .join('\n'),
];

function wrap(text: string, width: number, hyphenates: boolean): string {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    if (rest.length <= width) {
      lines.push(rest);
      break;
    }
    const inWord = hyphenates && /^\p{L}{4}$/u.test(rest.slice(width - 2, width + 2));
    const space = rest.lastIndexOf(' ', width);
    const at = inWord ? width : space > 0 ? space : width;
    lines.push(rest.slice(0, at).trimEnd() + (inWord ? '-' : ''));
    rest = rest.slice(at).trimStart();
  }
  return lines.join('\n');
}

/** The last part by words. */
function lastPart(text: string, share: number): string {
  const words = text.split(' ');
  return words.slice(Math.ceil(words.length * (1 - share))).join(' ');
}

function firstPart(text: string, share: number): string {
  const words = text.split(' ');
  return words.slice(0, Math.floor(words.length * share)).join(' ');
}
