import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../../src/decontam/items.js';
import { leakKinds } from '../../src/decontam/leaks.js';
import type { Method } from '../../src/decontam/method.js';
import { Random } from '../../src/decontam/random.js';
import { strictMethod } from '../../src/decontam/strict.js';
import { wildKinds } from './wild-leaks.js';

/** Shipped benchmarks small enough to index in seconds. */
function shipped(name: string): Item[] {
  const file = new URL(`../../data/samples/benchmarks/${name}/${name}.json.gz`, import.meta.url);
  const sets = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Record<
    string,
    { question: string; options: Record<string, string> }[]
  >;
  return (sets[name] ?? []).map(({ question, options }, index) => ({
    benchmark: name,
    item: String(index),
    question,
    stem: question,
    options: Object.values(options),
    compared: question,
  }));
}

const items: Item[] = [...shipped('mmlu-pro-health'), ...shipped('medqa')];
let method: Method;

function finds(text: string, item: Item): boolean {
  return method.find(text).some((finding) => items[finding.item]?.question === item.question);
}

function itemThat(starts: string): Item {
  const found = items.find((item) => item.question.startsWith(starts));
  if (found === undefined) throw new Error(`no item ${starts}`);
  return found;
}

function passage(ask: string): string {
  return `Read the passage.\n"The lamplighters of the old quarter kept their ladders chained behind the granary, and no magistrate ever asked why the oil lasted so much longer in winter than the ledgers allowed."\nKarl Emmerich, Letters, 1871\n${ask}`;
}

beforeAll(() => {
  method = strictMethod(items);
});

describe('the method strict', () => {
  it.each(leakKinds.map((kind) => [kind.name, kind] as const))('finds leaks of the kind: %s', (_name, kind) => {
    const random = new Random(7);
    const fitting = items.filter((item) => kind.takes(item));
    let found = 0;
    for (let leak = 0; leak < 40; leak += 1) {
      const item = random.pick(fitting);
      const text = kind.make(item, random, 'What are the symptoms of asthma ?', [
        random.pick(items),
        random.pick(items),
      ]);
      if (finds(text, item)) found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(kind.whole ? 39 : 34);
  });

  it.each(wildKinds.map((kind) => [kind.name, kind] as const))(
    'finds what the product does not plant: %s',
    (_name, kind) => {
      const random = new Random(20_261_124);
      // Coverage lists the others: they are found under a condition.
      const fitting = items.filter((_, index) => method.limitOf?.(index) === null);
      let found = 0;
      for (let leak = 0; leak < 100; leak += 1) {
        const item = random.pick(fitting);
        if (finds(kind.make(item, random), item)) found += 1;
      }
      expect(found).toBeGreaterThanOrEqual(kind.least * 100);
    },
  );

  it.each([
    [
      'another question on the same passage',
      passage('Which theme of the poem did its first readers in Vienna overlook?'),
    ],
    ['another number', 'A tank holds 40 litres and loses 3 litres an hour through a crack. When is it half empty?'],
    ['another number before the same end', 'Write 4.95 as a mixed number or fraction in simplest form.'],
    [
      'another thing before the same options',
      'Which of the following alloys has the highest surface roughness?\nA. Elgiloy\nB. Nitinol\nC. Stainless steel\nD. Beta titanium',
    ],
  ])('passes %s', (_what, text) => {
    const own = (question: string, options: string[] = []): Item => ({
      benchmark: 'own',
      item: question,
      question,
      stem: question,
      options,
      compared: question,
    });
    const alloys = ['Stainless steel', 'Beta titanium', 'Nitinol', 'Elgiloy'];
    const asked = [
      own(passage('What does the author imply about the harbour at Trieste?')),
      own('A tank holds 60 litres and loses 3 litres an hour through a crack. When is it half empty?'),
      own('Write 5.875 as a mixed number or fraction in simplest form.'),
      own('Which of the following alloys has the highest coefficient of friction?', alloys),
    ];
    const strict = strictMethod(asked);
    expect(strict.find(text)).toEqual([]);
    for (const item of asked) expect(strict.find(`Please answer:\n${item.question}`)).toHaveLength(1);
  });

  it('finds the last 65 % of short questions where that is all that is said, and not in the midst of other words', () => {
    const random = new Random(65);
    const short = items.filter(({ question }) => /^(?:\S+\s+){9,18}\S+$/.test(question));
    let found = 0;
    for (let leak = 0; leak < 100; leak += 1) {
      const item = random.pick(short);
      const words = item.question.split(/\s+/);
      const end = words.slice(Math.ceil(words.length * 0.35)).join(' ');
      if (finds(`Answer with the letter only.\n\n${end}`, item)) found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(90);

    const item = itemThat('Which of the following amino acids cannot provide a substrate');
    const end = 'acids cannot provide a substrate for gluconeogenesis?';
    const [finding] = method.find(`Answer with the letter only.\n\n${end}`);
    expect(items[finding?.item ?? -1]).toBe(item);
    expect([finding?.start, finding?.end]).toEqual([30, 30 + end.length - 1]);
    expect(
      finds(`Answer:\n\n${end}\n${item.options.map((each, at) => `${'ABCDEFGHIJ'[at]}. ${each}`).join('\n')}`, item),
    ).toBe(true);
    expect(finds(`Ketone bodies, fasting and the liver: why do they say that fatty ${end}`, item)).toBe(false);
    expect(finds('Which of the following amino acids cannot provide', item)).toBe(false);
    expect(finds('substrate for gluconeogenesis?', item)).toBe(false);
  });

  it('shows the span as it was written, whatever was folded to find it', () => {
    const item = itemThat('Polio can be eradicated');
    const mangled = '**Ｐｏｌｉｏ** can be e\u00adradi\u200bcated by “which”\n of the follow-\ning';
    const text = `😀 Please answer!\n${mangled}?`;
    const [finding] = method.find(text);
    expect(items[finding?.item ?? -1]?.question).toBe(item.question);
    expect(text.slice(finding?.start, finding?.end)).toBe(mangled.slice(2));
  });

  it.each([
    'Which of the following is the most appropriate next step in management?',
    'A 45-year-old man comes to the physician because of a 3-day history of fever. Which of the following is the most likely diagnosis?',
    'What are the treatments for polio ?',
    'Polio can be prevented by which of the following vaccines, and who should receive them at what age?',
    'Explain how attention to sewage control and hygiene reduced cholera in London.',
    '',
    '?!',
  ])('passes what shares only phrases: %s', (text) => {
    expect(method.find(text)).toEqual([]);
  });

  it('bears an item without a question', () => {
    const options = ['Gastroduodenal artery', 'Splenic artery', 'Left gastric artery'];
    const blank = strictMethod([{ benchmark: 'own', item: '0', question: ' ', stem: ' ', options, compared: ' ' }]);
    expect(blank.find(`Which vessel is it?\n${options.join('\n')}`)).toEqual([]);
    expect(blank.blindTo(0)).toBe('without a word');
  });

  it('tells a question from its opposite', () => {
    const item = itemThat('Which of the following is true of the spine?');
    expect(finds(item.question, item)).toBe(true);
    const opposite = 'Which of the following is not true of the spine?';
    expect(method.find(opposite).filter((finding) => items[finding.item]?.question === item.question)).toEqual([]);
  });

  it('finds a bare stem by its options and not with others', () => {
    const item = itemThat('Which of the following statements is not true?');
    expect(finds([item.question, ...item.options.map((option, at) => `${at + 1}) ${option}`)].join('\n'), item)).toBe(
      true,
    );
    const other = `${item.question}\nA. Paris is in France.\nB. Rome is in Italy.\nC. Oslo is in Chad.\nD. Bern is a city.`;
    expect(finds(other, item)).toBe(false);
  });

  it('names the items that it sees under a condition only', () => {
    const limits = items.map((_, index) => method.limitOf?.(index) ?? null).filter((limit) => limit !== null);
    expect(limits.length).toBeGreaterThan(0);
    expect(limits.length).toBeLessThan(items.length / 10);
    expect(new Set(limits)).toContain('found with their options or as a whole prompt only');
  });

  it('does not read the options that a benchmark writes into its question', () => {
    const question = 'Which vessel supplies the duct of Santorini in adults with pancreas divisum?';
    const inline = `${question}\nAnswer Choices: (A) Gastroduodenal artery (B) Splenic artery (C) Left gastric artery`;
    const only = strictMethod([
      { benchmark: 'own', item: '0', question: inline, stem: inline, options: [], compared: inline },
    ]);
    expect(only.find(`Please help: ${question}`)).toHaveLength(1);
  });
});
