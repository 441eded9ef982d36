import type { Progress, StageContext, TaskReport } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { canonicalJson } from '../store/fingerprint.js';
import type { FilePosition } from '../store/readers/bytes.js';
import { readJsonLines } from '../store/readers/json-lines.js';
import { readJsonValues } from '../store/readers/json-values.js';
import { LongTexts } from '../store/readers/long-texts.js';
import { readBatches } from '../store/readers/read-rows.js';
import { excerptOf, type Reading } from '../store/readers/reading.js';
import { lendTables, type OpenTables, type Tables } from '../store/tables.js';
import { Unfit } from './adapter.js';
import { canonicalise } from './canonical.js';
import type { IngestOptions } from './options.js';
import { ShardWriter } from './shards.js';
import { entryLabel, resolveSource, type Source } from './sources.js';
import { TaskCounts } from './task-counts.js';
import type { IngestTask } from './tasks.js';

/**
 * Reads one task's piece of a file and writes its rows down. What not every task needs (DuckDB, the hub, the descriptions
 * of sources) is loaded where it is needed: a thread that does not is ready in a third of the time.
 */
export async function work(task: IngestTask, options: IngestOptions, context: StageContext): Promise<TaskReport> {
  const source = await resolveOnce(options, task.entry, context);
  return lendTables(
    () => context.openTables(),
    (tables) => readTask(task, source, tables, context),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

async function readTask(
  task: IngestTask,
  source: Source,
  tables: OpenTables,
  context: StageContext,
): Promise<TaskReport> {
  const path = source.files.find((file) => file.name === task.file)?.path;
  if (path === undefined) throw new Error(`${source.name} has no file ${task.file} any more`);
  const writer = new ShardWriter(context.run, task.entry, task.task);
  try {
    const counts = await readInto(writer, task, path, source, tables, context);
    return { ...(await writer.close()), entry: task.entry, task: task.task, file: task.file, ...counts.toJson() };
  } finally {
    await writer.settle();
  }
}

async function readInto(
  writer: ShardWriter,
  task: IngestTask,
  path: string,
  source: Source,
  tables: OpenTables,
  context: StageContext,
): Promise<TaskCounts> {
  const where = source.where.length === 0 ? null : await (await import('./where.js')).openWhere(await tables(), source);
  const counts = new TaskCounts();
  const reject = (reading: { index: number; offset: number | null; reason: string; excerpt: string }) => {
    if (source.onError === 'fail') throw badRow(reading, source, task.file);
    counts.quarantine(reading.reason);
    writer.reject(source.name, task.file, reading);
  };
  const position = { bytes: 0 };
  let batches = 0;
  for await (const readings of firstRows(readPiece(task, path, source, tables, position), task.rows)) {
    const accepted = where === null ? null : await where.accepts(readings);
    for (const [at, reading] of readings.entries()) {
      counts.read += 1;
      if (reading.kind === 'bad') {
        reject(reading);
        continue;
      }
      try {
        if (accepted !== null && !accepted(at)) {
          counts.where += 1;
          continue;
        }
        await writer.add(canonicalise(reading.row, source, task.file, reading.index));
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        reject({
          index: reading.index,
          offset: reading.offset,
          reason: error.message,
          excerpt: excerptOfRow(reading.row),
        });
      }
    }
    // A message to another thread takes as long as counting the words of a batch.
    if (batches % 16 === 0) {
      const offset = task.compressed ? position.bytes : (readings.at(-1)?.offset ?? null);
      context.progress(howFar(task, counts.read, offset));
    }
    batches += 1;
  }
  return counts;
}

/** In bytes, a task's weight. `offset`: in the file as it lies on disk, compressed or not. */
function howFar({ kind, start, end, rows, size }: IngestTask, read: number, offset: number | null): Progress {
  const unit = 'bytes';
  if (rows !== null && rows > 0) return { done: (size * Math.min(read, rows)) / rows, total: size, unit };
  if (kind === 'rows') return { done: (size * read) / (end - start), total: size, unit };
  if (offset === null) return { done: 0, total: null, unit };
  return { done: Math.min(size, offset - start), total: size, unit };
}

function readPiece(
  task: IngestTask,
  path: string,
  source: Source,
  tables: OpenTables,
  position: FilePosition,
): AsyncGenerator<Reading[]> {
  const texts = longTextsOf(source);
  if (task.kind === 'lines') return readJsonLines(path, 'none', task, { parser: texts });
  if (task.kind === 'values')
    return readJsonValues(path, 'none', { ...task, index: task.firstLine }, { parser: texts });
  if (task.kind === 'rows') return readColumns(task, path, source, tables());
  return readBatches(path, tables, undefined, { parser: texts, position });
}

/** None where a condition looks at the row as it stands. */
function longTextsOf({ adapter, map, where }: Source): LongTexts | undefined {
  const columns = adapter.longTextsOf?.(map) ?? adapter.longTexts;
  if (columns === undefined || where.length > 0) return undefined;
  const key = columns.join('\0');
  const known = longTexts.get(key) ?? new LongTexts(columns);
  longTexts.set(key, known);
  return known;
}

/** A worker does one task at a time, so one for each list of columns is enough. */
const longTexts = new Map<string, LongTexts>();

/** Without the columns that only repeat others. */
async function* readColumns(
  task: IngestTask,
  path: string,
  source: Source,
  opened: Promise<Tables>,
): AsyncGenerator<Reading[]> {
  const tables = await opened;
  const { readParquet, readParquetShape } = await import('../store/readers/parquet-rows.js');
  const { columns } = await readParquetShape(tables, path);
  const ignored = source.adapter.ignores ?? [];
  const wanted = columns.map((column) => column.name).filter((name) => !ignored.includes(name));
  yield* readParquet(tables, path, task, wanted);
}

async function* firstRows(batches: AsyncGenerator<Reading[]>, limit: number | null): AsyncGenerator<Reading[]> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const readings of batches) {
    yield readings.length <= left ? readings : readings.slice(0, left);
    left -= readings.length;
    if (left <= 0) return;
  }
}

function excerptOfRow(row: unknown): string {
  try {
    return excerptOf(JSON.stringify(row) ?? '');
  } catch {
    return 'nested too deep to show';
  }
}

function badRow(reading: { index: number; reason: string; excerpt: string }, source: Source, file: string): Problem {
  const line = /jsonl|ndjson/.test(file) ? `:${reading.index + 1}` : `, row ${reading.index + 1}`;
  return new Problem(`${entryLabel(source.entry, source.name)}: a row cannot be read, and on_error is fail`, {
    where: `${file}${line}`,
    found: reading.reason,
    try: 'mend the row, or on_error: quarantine to set such rows aside and count them',
  });
}

/** A worker resolves each entry once, not once per task. */
const resolved = new Map<string, Promise<Source>>();

function resolveOnce(options: IngestOptions, index: number, context: StageContext): Promise<Source> {
  const entry = options.sources[index];
  if (entry === undefined) throw new Error(`no entry ${index}`);
  const key = `${context.run.path}\0${context.resolve('.')}\0${index}\0${canonicalJson(JSON.parse(JSON.stringify(entry)))}`;
  const known = resolved.get(key) ?? resolveSource(entry, index, context);
  resolved.set(key, known);
  return known;
}
