import { openPool } from '../../compute/pool.js';
import type { Compute } from '../../compute/session.js';
import type { StageContext, TaskReport } from '../../pipeline/stage.js';
import { workerFile } from '../../product.js';
import { VARCHAR } from '../../store/duckdb.js';
import type { Tables } from '../../store/tables.js';
import type { Item, LoadedBenchmark } from '../items.js';
import type { RewordedOptions } from '../options.js';
import { promptTexts, type Text } from '../texts.js';
import { embeddedTexts, Finder } from './finder.js';
import { readsLanguage } from './languages.js';
import { type Planted, plantRewordings } from './planted.js';
import { shippedModel } from './score.js';
import { Sentences, windowsOf } from './sentences.js';
import { candidateColumns, candidateRows } from './table.js';
import { type BenchmarkTails, ownTails } from './tails.js';

/** Prompts of one task: embedding is the dearest of all, and a kill should lose little of it. */
export const promptsPerShard = 4_096;
/** Rewordings of each kind that are planted in every run: they have to be embedded. */
const leaksPerKind = 8;
/** Texts that are compared at once. */
const batchSize = 1_024;

export type RewordedTask =
  | { kind: 'reworded-items'; index: number; size: number }
  | { kind: 'reworded'; index: number; start: number; end: number; size: number };

/** The tasks after those of the other methods: the items among themselves, then the prompts. */
export function rewordedTasks(count: number, items: number, firstIndex: number): RewordedTask[] {
  const tasks: RewordedTask[] = [{ kind: 'reworded-items', index: firstIndex, size: items }];
  for (let start = 0; start < count; start += promptsPerShard) {
    const end = Math.min(count, start + promptsPerShard);
    tasks.push({ kind: 'reworded', index: firstIndex + tasks.length, start, end, size: end - start });
  }
  return tasks;
}

/** Embeds the items once, in all threads, so that no worker has to: the vectors go into the cache. */
export async function embedItems(
  items: readonly Item[],
  options: RewordedOptions,
  settings: { compute: Compute; workers: number; signal?: AbortSignal },
): Promise<void> {
  // As items, and as the texts that they are among the others.
  const texts = [...new Set(items.flatMap((item) => [...embeddedTexts(item), ...windowsOf(item.question)]))];
  const pool = openPool<{ texts: string[]; model: string; compute: Compute }, void>(
    workerFile('decontam/reworded/embed-worker'),
    settings.workers,
  );
  try {
    const tasks: { texts: string[]; model: string; compute: Compute }[] = [];
    for (let start = 0; start < texts.length; start += batchSize)
      tasks.push({
        texts: texts.slice(start, start + batchSize),
        model: options.model,
        compute: settings.compute,
      });
    await pool.run(tasks);
  } finally {
    await pool.close();
  }
}

export type RewordedReport = TaskReport & {
  tails?: BenchmarkTails[];
  planted?: Planted[];
  prompts?: number;
  unread?: number;
};

export async function rewordedWork(
  task: RewordedTask,
  loaded: readonly LoadedBenchmark[],
  options: RewordedOptions,
  context: StageContext,
  tables: Tables,
  output: Tables,
): Promise<RewordedReport> {
  const finder = await readyFinder(loaded, options, context);
  if (task.kind === 'reworded-items')
    return {
      files: [],
      tails: await ownTails(finder, loaded, context.signal),
      planted: await plantRewordings(finder, context.seed, leaksPerKind, context.signal),
    };
  const writer = await output.writer({ prompt_key: VARCHAR, ...candidateColumns });
  let unread = 0;
  let done = 0;
  const settle = async (texts: Text[]) => {
    const found = await finder.find(
      texts.map((each) => each.text),
      { signal: context.signal },
    );
    for (const [place, each] of found.entries())
      for (const row of candidateRows(each, finder.items, finder.words.twins))
        await writer.append({ prompt_key: texts[place]?.promptKey ?? '', ...row });
    done += texts.length;
    context.progress({ done: done + unread, total: task.size, unit: 'prompts' });
  };
  const batch: Text[] = [];
  for await (const texts of promptTexts(tables, context.run, task.start, task.end)) {
    context.signal.throwIfAborted();
    const read = texts.filter((each) => readsLanguage(options, each.language ?? null));
    unread += texts.length - read.length;
    batch.push(...read);
    while (batch.length >= batchSize) await settle(batch.splice(0, batchSize));
  }
  if (batch.length > 0) await settle(batch);
  const path = context.run.file('candidates', `${String(task.index).padStart(5, '0')}.parquet`);
  await writer.writeTo(path);
  return { files: [context.run.relative(path)], prompts: done + unread, unread };
}

// ---------------------------------------------------------------------------------------------------------------------

/** The finder of this thread: its table of item vectors and its index are the same for every task of a run. */
let ready: { key: string; finder: Promise<Finder> } | null = null;

async function readyFinder(
  loaded: readonly LoadedBenchmark[],
  options: RewordedOptions,
  context: StageContext,
): Promise<Finder> {
  const items = loaded.flatMap((each) => each.items);
  const key = JSON.stringify([loaded.map((each) => [each.name, each.items.length]), options.model, context.compute]);
  if (ready?.key !== key) {
    const open = async () =>
      Finder.open(
        items,
        await Sentences.open(options.model, context.compute),
        context.compute,
        shippedModel(),
        context.signal,
      );
    ready = { key, finder: open() };
  }
  return ready.finder;
}
