import type { Item } from '../../src/decontam/items.js';
import type { Random } from '../../src/decontam/random.js';

/**
 * Ways in which questions turn up in training data, written down from what a person would look for and not from the kinds
 * that the product plants itself: a change that only fits those is seen here.
 */
export const wildKinds: readonly { name: string; least: number; make(item: Item, random: Random): string }[] = [
  wild('a bullet list of options', (item) => listed(item, () => '• ')),
  wild(
    'options on one line',
    (item) => `${item.question} ${item.options.map((each, at) => `(${letter(at)}) ${each}`).join(' ')}`,
  ),
  wild(
    'options before the question',
    (item) =>
      `Options:\n${listed(item, (at) => `${letter(at)}: `).slice(item.question.length + 1)}\n\nQuestion: ${item.question}`,
  ),
  wild('JSON', (item) => JSON.stringify({ id: 7, question: item.question, choices: item.options }, null, 2)),
  wild('a string of JSON within JSON', (item) => JSON.stringify(JSON.stringify({ q: item.question }))),
  wild(
    'XML',
    (item) =>
      `<question>${item.question}</question><options>${item.options.map((each) => `<option>${each}</option>`).join('')}</options>`,
  ),
  wild(
    'a LaTeX list',
    (item) => `\\begin{enumerate}\n\\item \\textbf{${item.question.replaceAll('%', '\\%')}}\n\\end{enumerate}`,
  ),
  wild(
    'a Markdown table',
    (item) => `| id | question | key |\n|---|---|---|\n| 3 | ${item.question.replaceAll('\n', ' ')} | B |`,
  ),
  wild('Gemma and DeepSeek templates', (item, random) =>
    random.pick([
      `<bos><start_of_turn>user\n${item.question}<end_of_turn>\n<start_of_turn>model\n`,
      `<｜begin▁of▁sentence｜><｜User｜>${item.question}<｜Assistant｜><think>\n`,
      `<s>[INST] <<SYS>>\nYou are a helpful, respectful and honest assistant.\n<</SYS>>\n\n${item.question} [/INST]`,
    ]),
  ),
  wild('instructions in another language', (item, random) =>
    random.pick([
      `请一步一步推理并回答下面的问题：\n${item.question}\n请只给出选项字母。`,
      `Bitte beantworten Sie die folgende Frage und begründen Sie Ihre Antwort:\n${item.question}`,
      `Пожалуйста, ответьте на следующий вопрос и объясните ход рассуждений:\n${item.question}`,
      `Por favor, responda a la siguiente pregunta de examen:\n\n${item.question}`,
    ]),
  ),
  wild('mathematical letters', (item) =>
    item.question.replace(/[a-z]/g, (each) => String.fromCodePoint(0x1d41a + each.charCodeAt(0) - 97)),
  ),
  wild('spaced letters', (item) => [...item.question].join(' ')),
  wild('spaces gone', (item) => item.question.replaceAll(' ', '')),
  wild('misread print', (item) =>
    item.question.replace(/rn|cl/g, (each, at: number) => (at % 3 === 0 ? ({ rn: 'm', cl: 'd' }[each] ?? each) : each)),
  ),
  wild('the case after the question', (item) => {
    const at = item.question.trimEnd().lastIndexOf('. ') + 1;
    return at === 0 ? item.question : `${item.question.slice(at).trim()}\n\n${item.question.slice(0, at)}`;
  }),
  wild('numbered lines', (item) =>
    item.question
      .replace(/(.{40,60}?) /g, '$1\n')
      .split('\n')
      .map((line, at) => `${at + 1}  ${line}`)
      .join('\n'),
  ),
  wild('over the end of a page', (item, random) =>
    halved(item.question, random, '\n\nPage 12 of 40\nwww.example-exams.org\n\n'),
  ),
  wild(
    'over two turns',
    (item, random) => halved(`User: ${item.question}`, random, '\n\nAssistant: Please go on.\n\nUser: '),
    0.98,
  ),
  wild('its sentences in another order', (item, random) =>
    random.shuffle(item.question.split(/(?<=[.?!])\s+/)).join(' '),
  ),
  wild('short forms', (item) =>
    item.question
      .replace(/\bcannot\b/g, "can't")
      .replace(/\b(do|does|did|is|are|was|were|has|have|had) not\b/g, '$1n’t'),
  ),
  wild('twice', (item) => `${item.question}\n\nAgain, in capitals: ${item.question.toUpperCase()}`),
  wild('a word twice', (item, random) =>
    edited(item.question, (words, at) => words.splice(at, 0, words[at] as string), random),
  ),
  wild('a filler put in', (item, random) =>
    edited(
      item.question,
      (words, at) => words.splice(at, 0, random.pick(['usually', 'also', 'really', 'then'])),
      random,
    ),
  ),
  wild(
    'a story around it',
    (item) =>
      `It was a long night on the ward when the intern turned to me and said ${item.question.slice(0, 1).toLowerCase()}${item.question.slice(1)} and I had no idea what to tell her.`,
    0.97,
  ),
  wild('a word left out', (item, random) => edited(item.question, (words, at) => words.splice(at, 1), random), 0.95),
];

function wild(name: string, make: (item: Item, random: Random) => string, least = 0.99) {
  return { name, least, make };
}

function letter(at: number): string {
  return String.fromCharCode(65 + at);
}

function listed(item: Item, label: (at: number) => string): string {
  return [item.question, ...item.options.map((each, at) => label(at) + each)].join('\n');
}

function halved(text: string, random: Random, between: string): string {
  const words = text.split(' ');
  const at = Math.floor(words.length * (0.4 + random.below(20) / 100));
  return words.slice(0, at).join(' ') + between + words.slice(at).join(' ');
}

function edited(text: string, edit: (words: string[], at: number) => void, random: Random): string {
  const words = text.split(' ');
  edit(words, random.below(words.length));
  return words.join(' ');
}
