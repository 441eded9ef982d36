import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { version as duckdbVersion } from '@duckdb/node-api';
import { filter } from '../src/filter/filter.js';
import { diffRuns } from '../src/pipeline/diff.js';
import { explainRow } from '../src/pipeline/explain.js';
import { findRows } from '../src/pipeline/find-rows.js';
import { manifestText } from '../src/pipeline/manifest.js';
import { sampleRun } from '../src/pipeline/sample.js';
import type { StageContext, StageName, StageReport, TaskReport } from '../src/pipeline/stage.js';
import { verifyRun } from '../src/pipeline/verify.js';
import { whatIf } from '../src/pipeline/whatif.js';
import { type Json, sha256 } from '../src/store/fingerprint.js';
import { RunFolder } from '../src/store/folder.js';
import { Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';

const rowsPerFile = 1024;
const cache = new URL('.cache/ask/', import.meta.url).pathname;

/**
 * How long questions to a run folder of a million rows take. The tables are synthetic: 977 files of rows whose texts are
 * some hundred characters (a real trace is a hundred times longer, but questions read the text of a few rows only), ids,
 * keys, clusters and hits of real shape, verdicts by the filter stage itself.
 */
export async function run(args: string[]): Promise<void> {
  const rows = Number(args[0] ?? 1_000_000);
  const a = await syntheticRun(join(cache, `a-${rows}-v${filter.version}`), rows, 47);
  const b = await syntheticRun(join(cache, `b-${rows}-v${filter.version}`), rows, 44);
  console.log(`${conditions()} · DuckDB ${duckdbVersion()}`);
  console.log(
    `${rows.toLocaleString('en-US')} synthetic rows in ${a.files('rows').length} files; best of 3, in one process, disk cache warm`,
  );
  const [{ id = '' } = {}] = (await sampleRun(a.path, { count: 1, dropped: 'wait_count' })).rows;
  const questions: [string, number, () => Promise<unknown>][] = [
    ['explain RUN ID', 0.5, () => explainRow(a.path, id)],
    ['explain RUN --prompt (whole prompt)', 0.5, () => findRows(a.path, 'question number 777 about dose')],
    ['explain RUN --prompt (a part of it)', Number.NaN, () => findRows(a.path, 'number 777 about')],
    ['sample RUN --kept', 2, () => sampleRun(a.path, { kept: true, count: 5 })],
    ['sample RUN --dropped wait_count', 2, () => sampleRun(a.path, { dropped: 'wait_count', count: 5 })],
    ['sample RUN --hits medqa', 2, () => sampleRun(a.path, { hits: 'medqa', count: 5 })],
    ['sample RUN --cluster 5', 2, () => sampleRun(a.path, { cluster: 5, count: 5 })],
    ['whatif --set filter.wait_count.at_most=30', 2, () => whatIf(a.path, ['filter.wait_count.at_most=30'])],
    [
      'whatif, three rules at once',
      2,
      () =>
        whatIf(a.path, [
          'filter.wait_count.at_most=30',
          'filter.prompt_words.more_than=5',
          'filter.domain.keep=[Medical]',
        ]),
    ],
    ['whatif --set filter.wait_count.percentile=95', 2, () => whatIf(a.path, ['filter.wait_count.percentile=95'])],
    ['whatif --set filter.trace_words.of=reasoning', 2, () => whatIf(a.path, ['filter.trace_words.of=reasoning'])],
    ['diff A B', 10, () => diffRuns(a.path, b.path)],
  ];
  const table: (string | number)[][] = [];
  for (const [name, promised, ask] of questions) {
    let best = Number.POSITIVE_INFINITY;
    let cpu = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const begin = performance.now();
      const before = process.cpuUsage();
      await ask();
      best = Math.min(best, (performance.now() - begin) / 1000);
      const used = process.cpuUsage(before);
      cpu = Math.min(cpu, (used.user + used.system) / 1e6);
    }
    table.push([name, best.toFixed(2), Number.isNaN(promised) ? '' : `< ${promised}`, cpu.toFixed(2)]);
  }
  printTable(['question', 'seconds', 'promised', 'CPU seconds'], table);
  await timeVerify(args);
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
}

/** `verify` of 2 GB: hashing and reading, on files as Parquet and Arrow leave them. */
async function timeVerify(args: string[]): Promise<void> {
  const run = new RunFolder(join(cache, 'verify'));
  const megabytes = Number(args[1] ?? 2000);
  if (!existsSync(run.manifest)) {
    const files: { [path: string]: string } = {};
    mkdirSync(run.table('rows'), { recursive: true });
    for (let written = 0, index = 0; written < megabytes; index += 1) {
      // Parts of 32 MB, and now and then a file of vectors that is larger than what is read at once.
      const size = index % 20 === 19 ? 200 : 32;
      const bytes = randomBytes(size * 1_000_000);
      const path = run.file('rows', `${String(index).padStart(5, '0')}.parquet`);
      writeFileSync(path, bytes);
      files[run.relative(path)] = sha256(bytes);
      written += size;
    }
    writeFileSync(run.manifest, manifestText(files));
  }
  let best = Number.POSITIVE_INFINITY;
  let bytes = 0;
  let cpu = 0;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const begin = performance.now();
    const before = process.cpuUsage();
    const found = await verifyRun(run.path);
    const seconds = (performance.now() - begin) / 1000;
    const used = process.cpuUsage(before);
    const changed = found.findings.filter((finding) => finding.kind === 'changed');
    if (changed.length > 0) throw new Error('the files of the bench are not as written');
    if (seconds < best) [best, bytes, cpu] = [seconds, found.bytes, (used.user + used.system) / 1e6];
  }
  const rate = (bytes / 1e6 / best).toFixed(0);
  console.log(
    `verify, ${(bytes / 1e9).toFixed(1)} GB in the disk cache: ${rate} MB/s (promised: 500), ${cpu.toFixed(2)} CPU s`,
  );
}

/** A run folder as the pipeline would leave it, made once and kept in the cache. */
async function syntheticRun(folder: string, rows: number, atMost: number): Promise<RunFolder> {
  const run = new RunFolder(folder);
  if (existsSync(run.state('done'))) return run;
  const tables = await Tables.open({
    temporaryFolder: run.temporary,
    threads: availableParallelism(),
    memoryMegabytes: 2048,
  });
  try {
    for (let first = 0, part = 0; first < rows; first += rowsPerFile, part += 1) {
      const last = Math.min(rows, first + rowsPerFile);
      const name = `000-${String(Math.floor(part / 64)).padStart(5, '0')}-${String(part % 64).padStart(3, '0')}.parquet`;
      await tables.copy(rowsQuery(first, last), run.file('rows', name));
    }
    const key = "left(sha256('question number ' || range || ' about dose'), 32)";
    const prompts = Math.floor(rows / 2);
    await tables.copy(
      `SELECT ${key} AS prompt_key, (range % 20000)::INTEGER AS cluster_id, 0.5::FLOAT AS distance FROM range(${prompts})`,
      run.file('clusters', 'assignments.parquet'),
    );
    await tables.copy(
      `SELECT (range % 20000)::INTEGER AS cluster_id, (1 + range // 20000)::INTEGER AS rank, ${key} AS prompt_key, 0.5::FLOAT AS distance
       FROM range(${Math.min(prompts, 200_000)}) ORDER BY cluster_id, rank`,
      run.file('clusters', 'exemplars.parquet'),
    );
    await tables.copy(
      `SELECT range::INTEGER AS cluster_id, ['Medical', 'Biology', 'Math', 'Code', 'Other'][1 + range % 5] AS label, 0.9 AS agreement,
        0.9 AS agreement_high, 10 AS votes, 'votes' AS decided_by, false AS uncertain FROM range(20000)`,
      run.file('labels', 'labels.parquet'),
    );
    await tables.copy(
      `SELECT id, (hash(id) % 50) <> 0 AS ngram_10, (hash(id) % 100) <> 0 AS fuzzy_90,
        CASE WHEN (hash(id) % 50) = 0 THEN 'ngram_10' END AS first_failed
       FROM read_parquet([${run
         .files('rows')
         .map((file) => `'${file}'`)
         .join(', ')}])`,
      run.file('verdicts/decontam', '00000.parquet'),
    );
    await tables.copy(
      `SELECT ${key} AS prompt_key, 'prompt' AS field, 'ngram_10' AS method, CASE WHEN range % 2 = 0 THEN 'medqa' ELSE 'medmcqa' END AS benchmark,
        'item-' || range AS item, 1.0 AS score, 0 AS span_start, 12 AS span_end, 3 AS span_count, 'question' AS text, NULL::VARCHAR AS id FROM range(20000)`,
      run.file('hits', '00000.parquet'),
    );
  } finally {
    tables.close();
  }
  await judge(run, rows, atMost);
  writeFileSync(run.state('done'), '');
  return run;
}

async function judge(run: RunFolder, rows: number, atMost: number): Promise<void> {
  const spec: Partial<Record<StageName, Json>> = {
    ingest: { sources: [] },
    embed: {},
    cluster: {},
    classify: {},
    decontam: {},
  };
  const options = filter.options.parse({
    domain: { keep: ['Medical', 'Biology'] },
    complete: true,
    prompt_words: {},
    trace_words: {},
    wait_count: { at_most: atMost },
    language: { keep: ['en', 'zh'] },
  });
  const context: StageContext = {
    run,
    seed: 42,
    compute: 'native',
    workers: availableParallelism(),
    limit: null,
    options: spec,
    resolve: (path) => path,
    expand: (text) => text,
    hash: async () => '',
    openTables: (wanted) => Tables.open({ ...wanted, temporaryFolder: run.temporary }),
    progress: () => {},
    warn: () => {},
    signal: new AbortController().signal,
  };
  const begin = performance.now();
  const reports: TaskReport[] = [];
  for (const task of await filter.tasks(options, context)) reports.push(await filter.work(task, options, context));
  const report = await filter.finish(reports, options, context);
  const seconds = (performance.now() - begin) / 1000;
  console.log(`filter: ${rows.toLocaleString('en-US')} rows by 6 rules in ${seconds.toFixed(1)} s, one worker`);
  const stages = { ...spec, filter: options as Json };
  write(run.state('pipeline.json'), {
    file: '/ask.yaml',
    folder: '/',
    name: 'ask',
    seed: 42,
    compute: 'native',
    stages,
  });
  const other: StageReport = {
    unit: 'rows',
    in: rows,
    kept: rows,
    dropped: {},
    quarantined: 0,
    figures: {},
    notes: {},
    warnings: [],
  };
  for (const stage of Object.keys(stages)) {
    const basis = {
      version: 1,
      seed: 42,
      compute: '',
      limit: null,
      options: {},
      optionsOf: {},
      inputs: {},
      reads: {},
      joins: {},
    };
    const own = stage === 'filter' ? report : other;
    write(run.state('stages', `${stage}.json`), {
      fingerprint: '',
      basis,
      report: own as unknown as Json,
      inputs: [],
      files: {},
      tables: {},
      seconds: 0,
    });
  }
}

function write(path: string, value: Json): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
}

/** Half of the prompts occur twice; "Wait", words, languages and endings are spread by a hash of the row's number. */
function rowsQuery(first: number, last: number): string {
  const prompt = "'question number ' || (range // 2) || ' about dose'";
  return `SELECT 'source-' || (range % 7) || '-' || left(sha256(range::VARCHAR), 16) AS id, 'source-' || (range % 7) AS source,
    'traces' AS "group", {'file': 'part-0.parquet', 'row': range} AS origin, ${prompt} AS prompt,
    repeat('thinking about ' || range || '. ', 5) AS reasoning, 'the answer is ' || range AS answer, NULL::VARCHAR AS system,
    1 AS turns, NULL::VARCHAR AS reference_answer, NULL::VARCHAR[] AS options, 'r1' AS model,
    CASE WHEN hash(range) % 20 = 0 THEN 'fr' ELSE 'en' END AS language, hash(range + 1) % 10 <> 0 AS complete,
    NULL::VARCHAR AS finish_reason, left(sha256(${prompt}), 32) AS prompt_key, (1 + hash(range + 2) % 80)::INTEGER AS prompt_words,
    (hash(range + 3) % 9000)::INTEGER AS reasoning_words, 40 AS answer_words, (1 + hash(range + 2) % 80)::INTEGER AS prompt_words_segmented,
    (hash(range + 3) % 9000)::INTEGER AS reasoning_words_segmented, 40 AS answer_words_segmented,
    (hash(range + 4) % 60)::INTEGER AS reasoning_waits, 0 AS answer_waits, 'apache-2.0' AS license, '{}' AS metadata
    FROM range(${first}, ${last})`;
}
