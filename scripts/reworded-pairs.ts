/**
 * The rewordings that `reworded` is fitted on and measured by: some that models wrote, others made by rule. Read from a
 * folder with benchmark_items.parquet, prompts.parquet and reworded_mmlu.parquet.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from '../src/decontam/items.js';
import { Random } from '../src/decontam/random.js';
import { type RewordingKind, reword } from '../src/decontam/reworded/reword.js';
import { termsOf } from '../src/decontam/reworded/terms.js';
import { literal, type Tables } from '../src/store/tables.js';

export interface Positive {
  text: string;
  item: number;
  kind: string;
}

/** Items, other wordings of some of them, and texts of the same kind that are none. */
export interface Pairs {
  name: string;
  items: Item[];
  positives: Positive[];
  negatives: string[];
  /** By item, where a set has subjects. */
  subjects?: string[];
}

/** Of MMLU's other subjects: nothing is ever chosen or fitted on it. */
export const otherSubjectsName = 'mmlu, other subjects';

const mmluSubjects = [
  'abstract_algebra',
  'sociology',
  'college_mathematics',
  'high_school_mathematics',
  'philosophy',
  'human_sexuality',
  'college_biology',
  'anatomy',
  'high_school_government_and_politics',
  'high_school_psychology',
  'marketing',
  'nutrition',
  'high_school_geography',
  'virology',
  'high_school_microeconomics',
]
  .map(literal)
  .join(', ');
const longSubjects = [
  'professional_law',
  'professional_medicine',
  'moral_scenarios',
  'high_school_us_history',
  'high_school_european_history',
  'high_school_world_history',
]
  .map(literal)
  .join(', ');

const vignettes: RewordingKind[] = ['sentences', 'notes', 'open question'];

/** `notesFile`: cases of AgentClinic, JSONL, or null. */
export async function rewordedPairs(tables: Tables, folder: string, notesFile: string | null): Promise<Pairs[]> {
  async function itemsOf(where: string): Promise<(Item & { answer: string; subject: string })[]> {
    const rows = await tables.rows<{
      question: string;
      options: Record<string, string | null> | null;
      answer: string | null;
      subject: string | null;
    }>(`SELECT question, options, answer, meta.subject AS subject FROM ${source('benchmark_items')} WHERE ${where}`);
    return rows.map(({ question, options, answer, subject }, index) => ({
      ...itemOf(question, index),
      options: Object.values(options ?? {}).filter((each): each is string => each !== null),
      answer: answer ?? '',
      subject: subject ?? '',
    }));
  }

  async function prompts(name: string, most: number): Promise<string[]> {
    const rows = await tables.rows<{ prompt: string }>(
      `SELECT DISTINCT prompt FROM ${source('prompts')} WHERE source = ${literal(name)} ORDER BY md5(prompt) LIMIT ${most}`,
    );
    return rows.map((row) => row.prompt);
  }

  function source(name: string): string {
    return `read_parquet(${literal(join(folder, `${name}.parquet`))})`;
  }

  async function mmlu(): Promise<Pairs> {
    const items = await itemsOf(`bench = 'mmlu' AND split = 'test' AND meta.subject IN (${mmluSubjects})`);
    const places = new Map(items.map((item, place) => [item.question, place]));
    const rows = await tables.rows<{ subject: string; question: string; rephrased: string }>(
      `SELECT subject, question, rephrased FROM ${source('reworded_mmlu')}
       WHERE rephrased IS NOT NULL AND subject IN ('abstract_algebra', 'sociology') ORDER BY item`,
    );
    const positives = rows.flatMap(({ subject, question, rephrased }) => {
      const item = places.get(question);
      return item === undefined ? [] : [{ text: rephrased, item, kind: `by a model, ${subject}` }];
    });
    positives.push(...mild(items, 'development'));
    return {
      name: 'mmlu',
      items,
      positives,
      negatives: await otherMmlu(),
      subjects: items.map((item) => item.subject),
    };
  }

  /** Items of other subjects than those of `mmlu`, without those that hold long passages: no rewording of theirs is fitted on. */
  async function otherSubjects(): Promise<Pairs> {
    const items = await itemsOf(
      `bench = 'mmlu' AND split = 'test' AND meta.subject NOT IN (${mmluSubjects}) AND meta.subject NOT IN (${longSubjects})`,
    );
    const positives = mild(items, 'test');
    const subjects = items.map((item) => item.subject);
    return { name: otherSubjectsName, items, positives, negatives: await otherMmlu(), subjects };
  }

  async function otherMmlu(): Promise<string[]> {
    const others = await itemsOf(`bench = 'mmlu' AND split IN ('val', 'dev')`);
    return others.map((item) => item.question);
  }

  async function gsm8k(): Promise<Pairs> {
    const items = (await prompts('gsm8k_test', 5_000)).map(itemOf);
    return {
      name: 'gsm8k',
      items,
      positives: byRule(items, ['other words'], 300, 1),
      negatives: await prompts('gsm8k_train', 3_000),
    };
  }

  async function medqa(): Promise<Pairs> {
    const items = await itemsOf(`bench = 'medqa_usmle_4opt'`);
    const negatives = (await itemsOf(`bench = 'mediq_dev'`)).map((item) => item.question);
    return {
      name: 'medqa',
      items,
      positives: [...byRule(items, vignettes, 200, 2), ...notes(items, notesFile)],
      negatives,
    };
  }

  async function mediq(): Promise<Pairs> {
    const items = await itemsOf(`bench = 'mediq_dev'`);
    const negatives = (await itemsOf(`bench = 'medqa_usmle_4opt'`)).map((item) => item.question);
    return { name: 'mediq', items, positives: byRule(items, vignettes, 200, 3), negatives };
  }

  async function medmcqa(): Promise<Pairs> {
    const items = await itemsOf(`bench = 'medmcqa'`);
    const negatives = [...(await prompts('medquad', 500)), ...(await prompts('chatdoctor5k', 1_000))];
    return { name: 'medmcqa', items, positives: byRule(items, ['other words'], 300, 4), negatives };
  }

  const sets = [await mmlu(), await otherSubjects(), await gsm8k(), await medqa(), await mediq(), await medmcqa()];
  for (const set of sets) {
    set.positives.push(...byHand(set));
    const same = sameQuestions(set.name);
    set.negatives = [...new Set(set.negatives)].filter((text) => !same.has(text));
  }
  return sets;
}

/** A set with subjects as one set for each subject that has rewordings: the benchmark is that subject alone. */
export function subjectsAlone({ name, items, positives, negatives, subjects }: Pairs): Pairs[] {
  if (subjects === undefined) return [];
  const reworded = [...new Set(positives.map((each) => subjects[each.item] as string))];
  return reworded.map((subject) => {
    const own = [...items.keys()].filter((place) => subjects[place] === subject);
    const places = new Map(own.map((place, at) => [place, at]));
    return {
      name: `${name}, ${subject} alone`,
      items: own.map((place) => items[place] as Item),
      positives: positives.flatMap((each): Positive[] => {
        const item = places.get(each.item);
        return item === undefined ? [] : [{ ...each, item }];
      }),
      negatives,
    };
  });
}

// ---------------------------------------------------------------------------------------------------------------------

function itemOf(question: string, index: number): Item {
  return { benchmark: 'b', item: String(index), question, stem: question, options: [], compared: question };
}

/** Questions that bench/reworded-by-hand.json puts in other words: short ones of eleven subjects, word problems, vignettes. */
function byHand({ name, items }: Pairs): Positive[] {
  const file = new URL('../bench/reworded-by-hand.json', import.meta.url);
  const all = JSON.parse(readFileSync(file, 'utf8')) as { set: string; begins: string; reworded: string }[];
  return all
    .filter(({ set }) => set === name)
    .map(({ begins, reworded }) => {
      const item = items.findIndex(({ question }) => question.startsWith(begins));
      if (item === -1) throw new Error(`${name} has no question that begins "${begins}"`);
      return { text: reworded, item, kind: 'by hand' };
    });
}

/** Texts that are taken out of a set's negatives, as bench/reworded-same.jsonl says why: they ask what an item asks. */
function sameQuestions(set: string): Set<string> {
  const lines = linesOf<{ set: string; text: string }>('reworded-same.jsonl');
  return new Set(lines.filter((each) => each.set === set).map((each) => each.text));
}

function linesOf<Line>(name: string): Line[] {
  return readFileSync(new URL(`../bench/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Questions that bench/reworded-mild.jsonl rephrases as a model does when it is told to keep the meaning. */
function mild(items: readonly Item[], part: 'development' | 'test'): Positive[] {
  const places = new Map(items.map((item, place) => [item.question, place]));
  return linesOf<{ part: string; subject: string; question: string; reworded: string }>('reworded-mild.jsonl')
    .filter((each) => each.part === part)
    .map(({ subject, question, reworded }) => {
      const item = places.get(question);
      if (item === undefined) throw new Error(`no item of ${subject} asks "${question}"`);
      return { text: reworded, item, kind: `mild, ${subject}` };
    });
}

/** Some questions of each kind, reworded by rule. */
function byRule(items: readonly Item[], kinds: readonly RewordingKind[], perKind: number, seed: number): Positive[] {
  const random = new Random(seed, 0);
  return kinds.flatMap((kind) => {
    const made: Positive[] = [];
    for (let tries = 0; made.length < perKind && tries < perKind * 5; tries += 1) {
      const item = random.below(items.length);
      const text = reword((items[item] as Item).question, kind, random);
      if (text !== null) made.push({ text, item, kind: `by rule, ${kind}` });
    }
    return made;
  });
}

/**
 * The notes name no item: a case is linked to the item that has its diagnosis among the options, its age in the text, and
 * most of its words. A case without one is left out.
 */
function notes(items: readonly (Item & { answer: string })[], notesFile: string | null): Positive[] {
  if (notesFile === null) return [];
  const terms = items.map((item) => new Set(termsOf(item.question)));
  return readFileSync(notesFile, 'utf8')
    .split('\n')
    .flatMap((line): Positive[] => {
      if (line.trim() === '') return [];
      const { OSCE_Examination: given } = JSON.parse(line) as { OSCE_Examination: { Correct_Diagnosis: string } };
      const { Correct_Diagnosis: diagnosis, ...rest } = given;
      const text = flat(rest);
      const age = /(\d+)[- ](?:year|month|week|day)/.exec(text)?.[1];
      const own = new Set(termsOf(text));
      const shared = (place: number) => {
        const of = terms[place] as Set<string>;
        return [...of].filter((term) => own.has(term)).length / of.size;
      };
      const fitting = [...items.keys()].filter(
        (place) =>
          items[place]?.options.some((option) => option.toLowerCase().trim() === diagnosis.toLowerCase().trim()) ===
            true &&
          age !== undefined &&
          new RegExp(`\\b${age}[- ](?:year|month|week|day)`).test(items[place]?.question ?? ''),
      );
      const item = fitting.sort((a, b) => shared(b) - shared(a) || a - b)[0];
      return item === undefined || shared(item) < 0.35 ? [] : [{ text, item, kind: 'by a model, notes' }];
    });
}

function flat(value: unknown): string {
  if (Array.isArray(value)) return `${value.map(flat).join(', ')}.`;
  if (value === null || typeof value !== 'object') return /\.$/.test(String(value)) ? String(value) : `${value}.`;
  return Object.entries(value)
    .map(([name, each]) =>
      typeof each === 'object' && !Array.isArray(each) ? flat(each) : `${name.replaceAll('_', ' ')}: ${flat(each)}`,
    )
    .join(' ');
}
