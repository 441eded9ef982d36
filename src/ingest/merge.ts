import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StageContext, StageReport, TaskReport } from '../pipeline/stage.js';
import { durablePoint } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import type { IngestOptions } from './options.js';
import { rowTypes } from './row.js';
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
  const tables = await context.openTables({ threads: context.workers, memoryMegabytes: 1024 });
  const single = await context.openTables();
  try {
    await decide(tables, tasks, sources, options, context);
    await rewriteShards(tables, single, context);
    if (context.run.files('rows').length === 0) await writeEmptyShard(single, context);
    await writePrompts(tables, sources, context);
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

/** Table `decided`: every row that a task wrote, with its final id and the reason why it is left out, or null. */
async function decide(
  tables: Tables,
  tasks: readonly TaskFigures[],
  sources: readonly Source[],
  options: IngestOptions,
  context: StageContext,
): Promise<void> {
  await tables.run('CREATE TABLE entries (entry INTEGER, source VARCHAR, "limit" BIGINT, "group" VARCHAR)');
  for (const source of sources) {
    await tables.run(
      `INSERT INTO entries VALUES (${source.entry}, ${literal(source.name)}, ${source.limit ?? 'NULL'}, ${literal(source.group)})`,
    );
  }
  const paths = tasks.map((task) => keysPath(context.run, task.entry, task.task));
  const keys =
    paths.length > 0
      ? `SELECT * FROM ${parquet(paths)}`
      : `SELECT 0 AS entry, 0 AS task, 0 AS part, 0 AS row, '' AS id, '' AS content_key, '' AS prompt_key, '' AS file, 0::BIGINT AS file_row WHERE false`;
  const place = 'entry, task, part, row';
  // The id begins with the source's name, so one id is one source's.
  await tables.run(`CREATE TABLE claimed AS
    SELECT ${place}, id, content_key, prompt_key,
      entry > min(entry) OVER (PARTITION BY id, file, file_row) AS claimed
    FROM (${keys})`);
  // Repeats are told apart by what they say before where they stand, so that another order of files keeps the ids.
  await tables.run(`CREATE TABLE numbered AS
    SELECT ${place}, content_key, prompt_key, claimed,
      CASE WHEN claimed OR number = 1 THEN id ELSE id || '#' || number END AS id
    FROM (SELECT *, row_number() OVER (PARTITION BY id, claimed ORDER BY content_key, ${place}) AS number FROM claimed)`);
  await tables.run('DROP TABLE claimed');
  await tables.run(`CREATE TABLE sampled AS
    SELECT * EXCLUDE (rank), NOT claimed AND "limit" IS NOT NULL AND rank > "limit" AS beyond
    FROM (SELECT numbered.*, "limit",
            CASE WHEN "limit" IS NULL THEN 0 ELSE
              row_number() OVER (PARTITION BY entry, claimed ORDER BY sha256(${literal(`${context.seed}:`)} || id), id) END AS rank
          FROM numbered JOIN entries USING (entry))`);
  await tables.run('DROP TABLE numbered');
  const dropDuplicates = options.duplicates === 'keep-first' ? 'true' : 'false';
  await tables.run(`CREATE TABLE decided AS
    SELECT ${place}, id, prompt_key, repeats,
      CASE WHEN claimed THEN 'claimed' WHEN beyond THEN 'limit' WHEN repeats AND ${dropDuplicates} THEN 'duplicate' END AS reason
    FROM (SELECT *, NOT claimed AND NOT beyond AND
            row_number() OVER (PARTITION BY content_key, claimed OR beyond ORDER BY ${place}) > 1 AS repeats FROM sampled)`);
  await tables.run('DROP TABLE sampled');
}

/** Writes again the shards of which a row leaves or gets another id, in the order of the source. */
async function rewriteShards(tables: Tables, single: Tables, context: StageContext): Promise<void> {
  const shards = await tables.rows<{ entry: number; task: number; part: number }>(
    `SELECT entry, task, part FROM decided
     GROUP BY entry, task, part HAVING bool_or(reason IS NOT NULL OR contains(id, '#')) ORDER BY entry, task, part`,
  );
  for (const { entry, task, part } of shards) {
    context.signal.throwIfAborted();
    const path = context.run.file('rows', shardName(entry, task, part));
    const wanted = await tables.rows<{ id: string; row: number; dropped: boolean }>(
      `SELECT id, row, reason IS NOT NULL AS dropped FROM decided
       WHERE entry = ${entry} AND task = ${task} AND part = ${part} ORDER BY row`,
    );
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
async function writeEmptyShard(tables: Tables, context: StageContext): Promise<void> {
  const writer = await tables.writer(rowTypes);
  await writer.writeTo(context.run.file('rows', shardName(0, 0, 0)), '*', rowsLayout);
  await writer.drop();
}

/** `prompts/`: each distinct prompt where it first stands among the rows that are left. */
async function writePrompts(tables: Tables, sources: readonly Source[], context: StageContext): Promise<void> {
  if (sources.length === 0) return;
  await tables.copy(
    `SELECT prompt_key, file, row, groups FROM (
       SELECT prompt_key, arg_min(file, position) AS file, arg_min(new_row, position) AS row,
         list_sort(list_distinct(list("group"))) AS groups, min(position) AS position
       FROM (
         SELECT prompt_key, "group", printf('%03d-%05d-%03d.parquet', entry, task, part) AS file,
           row_number() OVER (PARTITION BY entry, task, part ORDER BY row) - 1 AS new_row,
           row_number() OVER (ORDER BY entry, task, part, row) AS position
         FROM decided JOIN entries USING (entry) WHERE reason IS NULL)
       GROUP BY prompt_key)
     ORDER BY position`,
    context.run.file('prompts', 'prompts.parquet'),
  );
}

async function report(
  tables: Tables,
  tasks: readonly TaskFigures[],
  sources: readonly Source[],
  options: IngestOptions,
  context: StageContext,
): Promise<StageReport> {
  const dropped = await tables.rows<{ entry: number; reason: string | null; n: number }>(
    'SELECT entry, reason, count(*) AS n FROM decided GROUP BY entry, reason',
  );
  const { duplicates } = await tables.row<{ duplicates: number }>(
    'SELECT count(*) AS duplicates FROM decided WHERE repeats',
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
