import { letter, listed, type Make, sentencesOf, wordsOf } from './decontam-form.js';

/**
 * Where a question may stand in data: written from a list of what happens to text and not from the kinds that the self-test
 * plants.
 */
export const wrapped: Record<string, Make> = {
  'two turns': (it, _r) => {
    const w = wordsOf(it.question);
    const h = Math.floor(w.length / 2);
    return `User: ${w.slice(0, h).join(' ')}\n\nAssistant: Please continue.\n\nUser: ${w.slice(h).join(' ')}`;
  },
  'chat JSON messages': (it) =>
    JSON.stringify({
      messages: [
        { role: 'system', content: 'You are a careful medical expert.' },
        { role: 'user', content: `${it.question}\n${listed(it, (i) => `${letter(i)}. `)}` },
      ],
    }),
  'ascii JSON \\u': (it) =>
    JSON.stringify({ prompt: it.question }).replace(
      /[^\x00-\x7f]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'JSON thrice': (it) => JSON.stringify(JSON.stringify(JSON.stringify({ q: it.question, o: it.options }))),
  'CSV row': (it) => `17,"${it.question.replaceAll('"', '""')}",${it.options.map((o) => `"${o}"`).join(',')},B`,
  'SQL insert': (it) => `INSERT INTO questions (id, body) VALUES (12, '${it.question.replaceAll("'", "''")}');`,
  'python string': (it) => `prompt = """\n${it.question}\n"""\nprint(model.generate(prompt))`,
  'code comments': (it) =>
    `${it.question
      .replace(/(.{50,70}?) /g, '$1\n')
      .split('\n')
      .map((l) => `# ${l}`)
      .join('\n')}\nanswer = None`,
  'C comments': (it) =>
    '/*\n' +
    it.question
      .replace(/(.{50,70}?) /g, '$1\n')
      .split('\n')
      .map((l) => ` * ${l}`)
      .join('\n') +
    '\n */',
  'YAML block': (it) =>
    'question: >-\n' +
    it.question
      .replace(/(.{50,70}?) /g, '$1\n')
      .split('\n')
      .map((l) => `  ${l}`)
      .join('\n') +
    '\nanswer: B',
  'notebook lines': (it) =>
    JSON.stringify(
      it.question
        .replace(/(.{50,70}?) /g, '$1\n')
        .split('\n')
        .map((l) => `${l}\n`),
    ),
  CDATA: (it) => `<item id="9"><stem><![CDATA[${it.question}]]></stem></item>`,
  'HTML spans': (it) =>
    '<div class="q" data-id="3">' +
    wordsOf(it.question)
      .map((w, i) => (i % 5 === 2 ? `<span style="color: #333; font-weight:bold">${w}</span>` : w))
      .join(' ') +
    '</div>',
  'HTML br/nbsp': (it) =>
    it.question
      .replace(/(.{40,60}?) /g, '$1<br/>\n')
      .replaceAll("'", '&rsquo;')
      .replaceAll(' ', '&nbsp;'),
  'numeric entities': (it) => [...it.question].map((c) => `&#${c.codePointAt(0)};`).join(''),
  'hex entities': (it) => [...it.question].map((c) => `&#x${pointOf(c).toString(16)};`).join(''),
  'all \\u escapes': (it) =>
    [...it.question].map((c) => (pointOf(c) > 0xffff ? c : `\\u${pointOf(c).toString(16).padStart(4, '0')}`)).join(''),
  'quoted printable': (it) =>
    it.question
      .replaceAll('=', '=3D')
      .replaceAll('’', '=E2=80=99')
      .replace(/(.{60})/g, '$1=\n'),
  'URL encoded': (it) => `https://example.org/ask?q=${encodeURIComponent(it.question.toWellFormed())}`,
  'URL plus': (it) =>
    `https://example.org/ask?q=${encodeURIComponent(it.question.toWellFormed()).replaceAll('%20', '+')}`,
  underscores: (it) => it.question.replaceAll(' ', '_'),
  kebab: (it) => it.question.replaceAll(' ', '-'),
  camel: (it) =>
    wordsOf(it.question)
      .map((w) => w.slice(0, 1).toUpperCase() + w.slice(1))
      .join(''),
  'LaTeX text': (it) =>
    `\\section*{Question}\n\\text{${it.question.replaceAll('%', '\\%').replaceAll('&', '\\&').replaceAll('_', '\\_')}}`,
  'LaTeX numbers': (it) =>
    it.question
      .replace(/\d+(?:\.\d+)?/g, (n) => `$${n}$`)
      .replaceAll('%', '\\%')
      .replaceAll('°', '$^{\\circ}$')
      .replaceAll('β', '$\\beta$')
      .replaceAll('α', '$\\alpha$'),
  'markdown quote wrap': (it) =>
    it.question
      .replace(/(.{50,70}?) /g, '$1\n')
      .split('\n')
      .map((l) => `> ${l}`)
      .join('\n'),
  'markdown bold sentences': (it) =>
    sentencesOf(it.question)
      .map((s, i) => (i % 2 ? `**${s}**` : `*${s}*`))
      .join('\n\n'),
  'bullets per sentence': (it) =>
    sentencesOf(it.question)
      .map((s) => `- ${s}`)
      .join('\n'),
  'numbered sentences': (it) =>
    sentencesOf(it.question)
      .map((s, i) => `${i + 1}. ${s}`)
      .join('\n'),
  'options table': (it) =>
    `${it.question}\n\n| Option | Text |\n|---|---|\n${it.options.map((o, i) => `| ${letter(i)} | ${o} |`).join('\n')}`,
  'options checkbox': (it) => `${it.question}\n${listed(it, () => '- [ ] ')}`,
  'options inline slashes': (it) => `${it.question} (${it.options.join(' / ')})`,
  'options first inline': (it) => `Choose among ${it.options.join('; ')}. ${it.question}`,
  'options greek labels': (it) =>
    `${it.question}\n${it.options.map((o, i) => `${'αβγδεζηθικ'[i % 10] ?? ''}) ${o}`).join('\n')}`,
  'options circled': (it) =>
    `${it.question}\n${it.options.map((o, i) => `${String.fromCodePoint(0x2460 + i)} ${o}`).join('\n')}`,
  'page break': (it) => {
    const w = wordsOf(it.question);
    const h = Math.floor(w.length * 0.55);
    return `${w.slice(0, h).join(' ')}\n\nPage 12 of 40\nwww.example-exams.org\n\n${w.slice(h).join(' ')}`;
  },
  'exam tags': (it, r) => `Q. ${r.below(200)} [NEET PG 2019, 2 marks] ${it.question} #anatomy #mcq`,
  explained: (it) =>
    `${it.question}\n\nAnswer: B. The reasoning here is that the clinical picture best fits this option, because the findings in the stem point to one mechanism and rule the others out in turn.`,
  'few-shot': (it, _r, o) =>
    [...o.slice(0, 4), it]
      .map((x) => `Question: ${x.question}\n${listed(x, (i) => `${letter(i)}) `)}\nAnswer:${x === it ? '' : ' B'}`)
      .join('\n\n'),
  'among ten': (it, r, o) =>
    r
      .shuffle([it, ...o.slice(0, 9)])
      .map((x, i) => `${i + 1}) ${x.question}`)
      .join('\n'),
  'run on among three': (it, r, o) =>
    r
      .shuffle([it, ...o.slice(0, 2)])
      .map((x) => withoutMark(x.question))
      .join(' and also '),
  'long host middle': (it, _r, _o, h) =>
    `${h.slice(0, 6).join('\n\n')}\n\n${it.question}\n\n${h.slice(6, 12).join('\n\n')}`,
  'mid-sentence asked': (it) =>
    `Yesterday somebody at the library asked me ${withSmallFirst(withoutMark(it.question))} and I could not tell him anything useful about it.`,
  'mid-sentence wonder': (it) =>
    `I have been wondering for a while now ${withSmallFirst(withoutMark(it.question))}, so any pointers to good reading would be lovely.`,
  'mid-sentence roleplay': (it) =>
    `Pretend to be a grumpy pirate cook who is asked by his parrot ${withSmallFirst(it.question)} Then write a sea shanty about it.`,
  'mid-sentence summary': (it) =>
    `Write a short poem whose last stanza deals with the following matter: ${withSmallFirst(withoutMark(it.question))} - and make it rhyme with orange.`,
  'wrapped Japanese': (it) => `次の問題に日本語で答えてください。「${it.question}」理由も説明してください。`,
  'wrapped Arabic': (it) => `أجب عن السؤال التالي مع الشرح: ${it.question} شكرا لك`,
  'wrapped Hindi': (it) => `कृपया इस प्रश्न का उत्तर दें: ${it.question} धन्यवाद`,
  'wrapped Polish': (it) => `Proszę odpowiedzieć na poniższe pytanie i uzasadnić: ${it.question} Dziękuję bardzo.`,
  'wrapped Swedish': (it) => `Kan du vara snäll och besvara frågan ${it.question} Motivera ditt svar noggrant.`,
  'wrapped Korean': (it) => `다음 질문에 답하고 이유를 설명하세요: ${it.question} 감사합니다`,
  'verify style': (it, _r) =>
    `Is the answer "${it.options[0] ?? 'yes'}" correct for the question "${it.question}"? Reply true or false.`,
  'rewrite style': (it) => `Paraphrase this exam question so that a ten year old understands it:\n\n${it.question}`,
  'llama3 ipython': (it) =>
    `<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n${it.question}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
  'qwen tool xml': (it) => `<tools>[]</tools>\n<|im_start|>user\n<query>${it.question}</query>\n/no_think<|im_end|>`,
};

// ---------------------------------------------------------------------------------------------------------------------

function withSmallFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function withoutMark(text: string): string {
  return text.replace(/[?.:]\s*$/, '');
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
