/**
 * Rewordings made by rule, for the self-test, the fit and the bench: no model wrote them, so they are what they are and
 * stand for what a model writes only roughly. Facts and numbers stay; order, words, fullness and the form of the question
 * change.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../product.js';
import type { Random } from '../random.js';

export type RewordingKind = 'other words' | 'sentences' | 'notes' | 'open question';

/** Another wording of a question; null where the kind does not fit it: a vignette has three sentences at least. */
export function reword(question: string, kind: RewordingKind, random: Random): string | null {
  const sentences = question.split(/(?<=[.?!])\s+/).filter((each) => each.trim() !== '');
  if (kind === 'other words') {
    const order = sentences.length > 2 && random.chance(0.5) ? swapped(sentences) : sentences;
    return otherWords(order.join(' '), 0.9, random);
  }
  if (sentences.length < 3) return null;
  const [first, ...rest] = sentences.slice(0, -1) as [string, ...string[]];
  const kept = [first, ...random.shuffle(rest).filter(() => random.chance(keptShare))].map((each) =>
    otherWords(each.replace(secondUnit, ''), 0.85, random),
  );
  if (kind === 'notes')
    return `${kept.map((each) => terse(each).replace(/\.$/, '')).join('; ')}. ${random.pick(noteEndings)}`;
  if (kind === 'open question')
    return `In someone with the following picture, ${kept.slice(0, 5).map(terse).join(' ')} explain your reasoning and state what you would conclude.`;
  const asked = (sentences.at(-1) as string).replace(/which of the following(?: is| would be)?/i, 'What is');
  const told = kept.map((each) =>
    each.replace(/^(?:He|She|His|Her|The patient)\b/, () => random.pick(['The individual', 'This person', 'Our case'])),
  );
  return `${random.pick(['Consider this case. ', '', 'Here is a case: '])}${told.join(' ')} ${otherWords(asked, 0.9, random)}`;
}

// ---------------------------------------------------------------------------------------------------------------------

const keptShare = 0.65;
/** A temperature told twice. */
const secondUnit = /\(\s*[\d.]+\s*°?\s*[FC]\s*\)/g;
const noteEndings = ['Dx?', 'Next step?', 'Assessment and plan?', 'What now?'];
const small = new Set(
  'a an the is are was were be been has had have he she it they his her their this that these those of to in on at by for with and or who which as from there also some'.split(
    ' ',
  ),
);

let phrases: { pattern: RegExp; others: string[] }[] | null = null;

function otherWords(text: string, share: number, random: Random): string {
  phrases ??= readFileSync(join(dataFolder, 'reworded', 'other-words.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [phrase = '', others = ''] = line.split('\t');
      return { pattern: new RegExp(`\\b${phrase}\\b`, 'gi'), others: others.split('|') };
    });
  return phrases.reduce(
    (told, { pattern, others }) =>
      told.replace(pattern, (phrase) => (random.chance(share) ? random.pick(others) : phrase)),
    text,
  );
}

function terse(text: string): string {
  return text
    .split(/\s+/)
    .filter((word) => !small.has(word.toLowerCase().replace(/[.,;]$/, '')))
    .join(' ');
}

function swapped(sentences: readonly string[]): string[] {
  const [first, second, ...rest] = sentences as [string, string, ...string[]];
  return [second, first, ...rest];
}
