import type { DuckDBValue } from '@duckdb/node-api';
import { readShared } from '../item-memory.js';
import type { RewordedOptions } from '../options.js';
import { Finder } from './finder.js';
import { type Planted, plantRewordings } from './planted.js';
import { shippedModel } from './score.js';
import { Sentences } from './sentences.js';
import { candidateRows } from './table.js';
import { type BenchmarkTails, ownTails } from './tails.js';

/** One pool's tasks all have the same items. */
export type FindTask = { items: SharedArrayBuffer; options: RewordedOptions } & (
  | { ask: 'texts'; texts: string[] }
  | { ask: 'own'; seed: number; perKind: number }
);

/** The rows of the table of candidates, text by text. */
export type FoundRows = Record<string, DuckDBValue>[][];

/** What the items say of each other, and of rewordings of them. */
export interface OwnSigns {
  tails: BenchmarkTails[];
  planted: Planted[];
}

let ready: { finder: Promise<Finder>; loaded: ReturnType<typeof readShared>['loaded'] } | null = null;

/** Finds candidates in a thread of its own. Piscina calls the default export. */
export default async function find(task: FindTask): Promise<FoundRows | OwnSigns> {
  ready ??= open(task);
  const finder = await ready.finder;
  if (task.ask === 'own')
    return {
      tails: await ownTails(finder, ready.loaded),
      planted: await plantRewordings(finder, task.seed, task.perKind),
    };
  const found = await finder.find(task.texts);
  return found.map((each) => candidateRows(each, finder.items, finder.words.twins));
}

// ---------------------------------------------------------------------------------------------------------------------

function open({ items, options }: FindTask): NonNullable<typeof ready> {
  const { loaded } = readShared(items);
  const all = loaded.flatMap((each) => each.items);
  const finder = Sentences.open(options.model, 'native').then((sentences) =>
    Finder.open(all, sentences, 'native', shippedModel()),
  );
  return { finder, loaded };
}
