import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StageContext, StageReport, TaskReport } from '../pipeline/stage.js';
import { durablePoint } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import { PlainParquet } from '../store/plain-parquet.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import { decide, fatesOf, shardOf } from './decide.js';
import type { IngestOptions } from './options.js';
import { writePrompts } from './prompts.js';
import { rowKinds } from './row.js';
import { keysPath, rowsLayout, shardName } from './shards.js';
import type { Source } from './sources.js';
import { figuresOf, type TaskFigures } from './task-counts.js';

/** Why a row that was read is none of the run's, in the order in which the reasons are tried. */
const reasons = ['where', 'claimed', 'limit', 'duplicate'] as const;

/**
 * The barrier of the stage. Decides over narrow keys which rows are repeats (`#2`), which belong to an earlier entry,
 * which a `limit` samples and which are duplicates; writes again only the shards that this changes; lists the prompts.
 * Everything is decided from the keys, which never change, so that doing it twice gives the same.
 */
export async function merge(
  reports: readonly TaskReport[],
  sources: readonly Source[],
  options: IngestOptions,
  context: StageContext,
): Promise<StageReport> {
  const tasks = reports.map(figuresOf);
  await sweepKeys(tasks, context);
  const tables = await context.openTables({ threads: context.workers, memoryMegabytes: 512 });
  const single = await context.openTables();
  try {
    await decide(tables, tasks, sources, options, context);
    await rewriteShards(tables, single, context);
    if (context.run.files('rows').length === 0) await writeEmptyShard(context);
    if (sources.length > 0) await writePrompts(tables, context.run.file('prompts', 'prompts.parquet'), tasks);
    return await report(tables, tasks, sources, options, context);
  } finally {
    tables.close();
    single.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Keys of tasks that are no more. */
async function sweepKeys(tasks: readonly TaskFigures[], context: StageContext): Promise<void> {
  const folder = context.run.state('ingest');
  if (!existsSync(folder)) return;
  const valid = new Set(tasks.map((task) => keysPath(context.run, task.entry, task.task)));
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    if (valid.has(path)) continue;
    durablePoint();
    await rm(path, { force: true });
  }
}

/** Writes again the shards of which a row leaves or gets another id, in the order of the source. */
async function rewriteShards(tables: Tables, single: Tables, context: StageContext): Promise<void> {
  const shards = await tables.rows<{ shard: number }>(
    'SELECT DISTINCT place >> 12 AS shard FROM exceptions WHERE reason IS NOT NULL OR new_id IS NOT NULL ORDER BY shard',
  );
  for (const { shard } of shards) {
    context.signal.throwIfAborted();
    const { entry, task, part } = shardOf(shard);
    const path = context.run.file('rows', shardName(entry, task, part));
    const wanted = await fatesOf(tables, context, { entry, task, part });
    const kept = wanted.filter((row) => !row.dropped);
    const there = await single.rows<{ id: string }>(`SELECT id FROM ${parquet([path])}`);
    if (there.length === kept.length && there.every((row, at) => row.id === kept[at]?.id)) continue;
    if (there.length !== wanted.length)
      throw new Error(`${shardName(entry, task, part)} is not the shard that its task wrote`);
    // By place in a list and with one thread: a join may put rows in another order than the file's.
    const ids = wanted.map((row) => (row.dropped ? 'NULL' : literal(row.id))).join(', ');
    const id = `list_extract([${ids}]::VARCHAR[], file_row_number + 1)`;
    await single.copy(
      `SELECT * EXCLUDE (file_row_number) REPLACE (${id} AS id) FROM ${parquet([path], 'file_row_number=true')} WHERE ${id} IS NOT NULL`,
      path,
      rowsLayout,
    );
  }
}

/** A run without a single row still has the table, with its columns. */
async function writeEmptyShard({ run }: StageContext): Promise<void> {
  await new PlainParquet(rowKinds).writeTo(run.file('rows', shardName(0, 0, 0)), run.temporary);
}

async function report(
  tables: Tables,
  tasks: readonly TaskFigures[],
  sources: readonly Source[],
  options: IngestOptions,
  context: StageContext,
): Promise<StageReport> {
  const dropped = await tables.rows<{ entry: number; reason: string | null; n: number }>(
    `SELECT entry, NULL AS reason, count(*) - (SELECT count(*) FROM exceptions WHERE reason IS NOT NULL AND place >> 52 = entry) AS n
     FROM keys GROUP BY entry
     UNION ALL SELECT place >> 52, reason, count(*) FROM exceptions WHERE reason IS NOT NULL GROUP BY ALL`,
  );
  const { duplicates } = await tables.row<{ duplicates: number }>(
    'SELECT count(*) AS duplicates FROM exceptions WHERE repeats',
  );
  const droppedOf = (entry: number | null, reason: string | null) =>
    sum(dropped.filter((row) => (entry === null || row.entry === entry) && row.reason === reason).map((row) => row.n));
  const files = context.run.files('rows');
  const described =
    files.length === 0
      ? []
      : await tables.rows<{ entry: number; language: string; n: number; complete: number; untraced: number }>(
          `SELECT parse_filename(filename)[1:3]::INTEGER AS entry, language, count(*) AS n, count(*) FILTER (complete) AS complete,
             count(*) FILTER (finish_reason = 'no_trace') AS untraced
           FROM ${parquet(files, 'filename=true')} GROUP BY ALL ORDER BY entry, n DESC, language`,
        );
  const warnings: string[] = [];
  const figures: Record<string, Json> = {};
  for (const source of sources) {
    const own = tasks.filter((task) => task.entry === source.entry);
    const mine = described.filter((row) => row.entry === source.entry);
    const kept = droppedOf(source.entry, null);
    const sampledFrom = kept + droppedOf(source.entry, 'limit') + droppedOf(source.entry, 'duplicate');
    const quarantined = addUp(own.map((task) => task.quarantined));
    figures[`${String(source.entry).padStart(3, '0')} ${source.name}`] = {
      read: sum(own.map((task) => task.read)),
      kept,
      complete: sum(mine.map((row) => row.complete)),
      without_trace: sum(mine.map((row) => row.untraced)),
      languages: Object.fromEntries(mine.map((row) => [row.language, row.n])),
      quarantined,
      where: sum(own.map((task) => task.where)),
      claimed: droppedOf(source.entry, 'claimed'),
      ...(source.limit === null ? {} : { limit: source.limit, sampled_from: sampledFrom }),
    };
    if (source.limit !== null && source.limit > sampledFrom) {
      warnings.push(`${source.name}: limit ${source.limit} is above its ${sampledFrom} rows; all of them were taken`);
    }
    if (sum(own.map((task) => task.read)) === 0) warnings.push(`${source.name}: its files hold no row`);
    for (const task of own) {
      const cut = task.quarantined['cut off'] ?? 0;
      if (cut > 0)
        warnings.push(`${source.name}: ${task.file} ends in the middle of a row; what stood before was read`);
    }
  }
  if (duplicates > 0 && options.duplicates === 'report') {
    warnings.push(
      `${duplicates} rows repeat the prompt and trace of another; duplicates: keep-first would leave them out`,
    );
  }
  const where = sum(tasks.map((task) => task.where));
  const counts = { where, claimed: 0, limit: 0, duplicate: 0 };
  for (const reason of reasons.slice(1)) counts[reason] = droppedOf(null, reason);
  return {
    unit: 'rows',
    in: sum(tasks.map((task) => task.read)),
    kept: droppedOf(null, null),
    dropped: Object.fromEntries(
      reasons.filter((reason) => counts[reason] > 0).map((reason) => [reason, counts[reason]]),
    ),
    quarantined: sum(tasks.flatMap((task) => Object.values(task.quarantined))),
    figures: { sources: figures, quarantined: addUp(tasks.map((task) => task.quarantined)), duplicates },
    notes: {},
    warnings,
  };
}

function addUp(counts: readonly Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const count of counts) for (const [name, n] of Object.entries(count)) total[name] = (total[name] ?? 0) + n;
  return Object.fromEntries(Object.entries(total).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
