import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { durablePoint, writeFileAtomic } from '../store/atomic.js';
import { contentHash } from '../store/content-hash.js';
import { fingerprint, type Json, sha256File } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import type { FileSum } from '../store/sums.js';
import { Tables } from '../store/tables.js';
import { checkAccount } from './account.js';
import { type ContextParts, makeContext } from './context.js';
import { stageFingerprint, taskFingerprint } from './plan.js';
import type { RunEffects } from './run.js';
import type { StageContext, StageInput, StageReport, TaskReport } from './stage.js';
import type { AnyStage } from './stages.js';
import { readJson, readStageState, readTaskState, type StageBasis, writeStageState, writeTaskState } from './state.js';
import { work } from './workers.js';

/** What a stage's result comes from. */
export interface Grounds {
  inputs: StageInput[];
  basis: StageBasis;
}

/**
 * Runs one stage: the tasks that left no report, then `finish`, then the hashes of what it wrote. Killed at any moment it
 * leaves a folder from which the next call goes on. Where nothing is left of an earlier call, tasks begin before the
 * grounds are known; their reports wait for them.
 */
export async function execute(
  stage: AnyStage,
  grounds: Promise<Grounds>,
  parts: ContextParts,
  forced: boolean,
  effects: RunEffects,
): Promise<StageReport> {
  const run = new RunFolder(parts.folder);
  const name = stage.name;
  const begin = effects.seconds();
  effects.log({ event: 'stage started', stage: name });
  try {
    await withdraw(run, stage);
    const context = makeContext(parts, {
      progress: (progress) => effects.progress(name, progress),
      warn: (sentence) => effects.warn(name, sentence),
      signal: effects.signal,
    });
    const options = parts.pipeline.stages[name] as Json;
    const early = stage.beginsEarly === true && !existsSync(listPath(run, stage));
    const begun = early ? await stage.tasks(options, context) : null;
    const listed = grounds.then(({ basis }) => prepareTasks(stage, basis, context, begun));
    listed.catch(() => undefined);
    const tasks = begun ?? (await listed).tasks;
    const reports: (TaskReport | null)[] = tasks.map(() => null);
    if (!early && !forced) {
      for (const [index, key] of (await listed).keys.entries())
        reports[index] = readTaskState(run, name, index, key)?.report ?? null;
    }
    await sweep(run, stage, tasks.length, reports);
    const known = new KnownSums();
    const todo = reports.flatMap((report, index) => (report === null ? [index] : []));
    effects.log({ event: 'tasks', stage: name, tasks: tasks.length, todo: todo.length });
    await work(stage, tasks, todo, parts, {
      progress: (progress) => effects.progress(name, progress),
      warn: (sentence) => effects.warn(name, sentence),
      signal: effects.signal,
      finished: async (index, report) => {
        const { keys } = await listed;
        await writeTaskState(run, name, index, { key: keys[index] as string, report });
        reports[index] = report;
        known.add(run, report);
      },
    });
    const { basis, inputs } = await grounds;
    effects.signal.throwIfAborted();
    const report = await stage.finish(reports as TaskReport[], basis.options, context);
    checkAccount(name, report);

    const files = outputs(run, stage);
    const [fileSums, tableSums] = await Promise.all([
      fileHashes(run, files, known),
      hashTables(run, stage, parts.workers, known),
    ]);
    const seconds = effects.seconds() - begin;
    await writeStageState(run, name, {
      fingerprint: stageFingerprint(basis),
      basis,
      report,
      inputs,
      files: fileSums,
      tables: tableSums,
      seconds,
    });
    effects.log({ event: 'stage finished', stage: name, seconds, report: report as unknown as Json });
    return report;
  } catch (error) {
    // What still hashes writes into the folder when it is done.
    await grounds.catch(() => undefined);
    effects.log({ event: 'stage failed', stage: name, error: (error as Error).message });
    throw error;
  }
}

interface TaskList {
  /** What the tasks depend on: a list of another basis is not this one's. */
  basis: string;
  tasks: Json[];
  /** What each task's report is filed under. */
  keys: string[];
}

function listPath(run: RunFolder, stage: AnyStage): string {
  return run.state('tasks', `${stage.name}.json`);
}

/**
 * The tasks of a stage, written down for `curate worker`. The same input gives the same list, whoever asks first. `begun`:
 * where it is known already.
 */
export async function prepareTasks(
  stage: AnyStage,
  basis: StageBasis,
  context: StageContext,
  begun: Json[] | null = null,
): Promise<TaskList> {
  const { run } = context;
  const path = listPath(run, stage);
  const taskBasis = taskFingerprint(stage, basis);
  const known = readJson<TaskList>(path);
  if (known !== null && known.basis === taskBasis) return known;
  const tasks = begun ?? (await stage.tasks(basis.options, context));
  const list = { basis: taskBasis, tasks, keys: tasks.map((task) => fingerprint({ task, basis: taskBasis })) };
  await writeFileAtomic(path, run.temporary, `${JSON.stringify(list)}\n`);
  return list;
}

/** One task of a stage in this process, as `curate run` would do it in a worker. */
export async function executeTask(
  stage: AnyStage,
  index: number,
  list: TaskList,
  options: Json,
  context: StageContext,
): Promise<TaskReport> {
  const key = list.keys[index];
  if (key === undefined)
    throw new Problem(`${stage.name} has no task ${index}`, { found: `${list.keys.length} tasks, counted from 0` });
  const done = readTaskState(context.run, stage.name, index, key);
  if (done !== null) return done.report;
  const report = await stage.work(list.tasks[index] as Json, options, context);
  await writeTaskState(context.run, stage.name, index, { key, report });
  return report;
}

/** Takes away what a stage wrote that the pipeline no longer has: others would read its tables as if they were current. */
export async function removeStage(run: RunFolder, stage: AnyStage): Promise<void> {
  if (outputs(run, stage).length === 0 && readStageState(run, stage.name) === null) return;
  await withdraw(run, stage);
  await sweep(run, stage, 0, []);
  await rm(listPath(run, stage), { force: true });
}

/** Before a stage changes anything, the folder stops claiming that it is finished. */
async function withdraw(run: RunFolder, stage: AnyStage): Promise<void> {
  for (const path of [run.manifest, run.lock, run.state('stages', `${stage.name}.json`)]) {
    if (!existsSync(path)) continue;
    durablePoint();
    await rm(path, { force: true });
  }
}

/** Removes what earlier runs of the stage left: files of no valid task, and reports of tasks that are no more. */
async function sweep(
  run: RunFolder,
  stage: AnyStage,
  taskCount: number,
  reports: readonly (TaskReport | null)[],
): Promise<void> {
  const valid = new Set(reports.flatMap((report) => report?.files ?? []));
  for (const file of outputs(run, stage)) {
    if (valid.has(file)) continue;
    durablePoint();
    await rm(join(run.path, file), { force: true });
  }
  const folder = run.state('tasks', stage.name);
  if (!existsSync(folder)) return;
  for (const file of await readdir(folder)) {
    const index = Number.parseInt(file, 10);
    if (index >= taskCount || reports[index] === null) await rm(join(folder, file), { force: true });
  }
}

/** Every file of the tables that a stage writes, relative to the run folder, sorted. */
function outputs(run: RunFolder, stage: AnyStage): string[] {
  return stage.writes.flatMap((table) => {
    const path = run.table(table);
    if (!existsSync(path)) return [];
    if (table.includes('.')) return [table];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => run.relative(join(entry.parentPath, entry.name)))
      .sort();
  });
}

/** What tasks of this process told of the files that they wrote: it counts as long as a file is the one that they left. */
class KnownSums {
  private readonly files = new Map<string, { sum: FileSum; stamp: string }>();

  add(run: RunFolder, report: TaskReport): void {
    for (const [file, sum] of Object.entries(report.sums ?? {})) {
      const path = join(run.path, file);
      this.files.set(path, { sum, stamp: stampOf(path) });
    }
  }

  of(path: string): FileSum | null {
    const known = this.files.get(path);
    return known !== undefined && stampOf(path) === known.stamp ? known.sum : null;
  }
}

/** Differs when a file was written again. */
function stampOf(path: string): string {
  const { size, mtimeNs, ino } = statSync(path, { bigint: true });
  return `${size} ${mtimeNs} ${ino}`;
}

async function fileHashes(
  run: RunFolder,
  files: readonly string[],
  known: KnownSums,
): Promise<{ [path: string]: string }> {
  const hashes: { [path: string]: string } = {};
  for (const file of files) {
    const path = join(run.path, file);
    hashes[file] = known.of(path)?.sha256 ?? (await sha256File(path));
  }
  return hashes;
}

async function hashTables(
  run: RunFolder,
  stage: AnyStage,
  workers: number,
  known: KnownSums,
): Promise<{ [table: string]: string }> {
  const tables = await Tables.open({ threads: workers, memoryMegabytes: 768, temporaryFolder: run.temporary });
  try {
    const hashes: { [table: string]: string } = {};
    const files = outputs(run, stage);
    for (const table of stage.writes) {
      // The page and the card are made from the other tables and follow them; the dataset counts by its Parquet.
      if (table === 'report.html') continue;
      const own = files.filter((file) => file === table || file.startsWith(`${table}/`));
      const counted = table === 'dataset' ? own.filter((file) => file.endsWith('.parquet')) : own;
      hashes[table] = await contentHash(
        tables,
        counted.map((file) => join(run.path, file)),
        (path) => known.of(path),
      );
    }
    return hashes;
  } finally {
    tables.close();
  }
}
