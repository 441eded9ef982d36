import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Tables } from '../src/store/tables.js';
import { conditions } from './conditions.js';
import { pythonWith, runPython } from './python.js';

const root = join(import.meta.dirname, '..');
const cache = join(import.meta.dirname, '.cache', 'ingest');

/**
 * `curate ingest` against `datasets.map` with the same counts, in one run. `npm run bench -- ingest [MEGABYTES…] [FORMAT]`,
 * FORMAT: jsonl (default) or parquet. `--alone` leaves the rival out, for sizes that it would take too long for:
 * `1000 10000 20000 --alone` shows whether memory grows. Generated rows of more than 2 GB are removed afterwards.
 */
export async function run(args: string[]): Promise<void> {
  const sizes = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
  console.log(conditions());
  for (const megabytes of sizes.length === 0 ? [2000] : sizes) await compare(megabytes, args);
}

// ---------------------------------------------------------------------------------------------------------------------

async function compare(megabytes: number, args: readonly string[]): Promise<void> {
  const lines = await generated(megabytes);
  const format = args.includes('parquet') ? 'parquet' : 'jsonl';
  const path = format === 'parquet' ? await asParquet(lines) : lines;
  const text = statSync(lines).size;
  console.log(
    `${Math.round(text / 1e6)} MB of rows made from the shipped samples with changed words, as ${format}; disk cache warm`,
  );
  const ours = await curate(path);
  const table = [['curate ingest', ours]] as [string, Result][];
  if (!args.includes('--alone') && format === 'jsonl') {
    const rival = datasets(path);
    if (rival === null) console.log('datasets cannot be installed here: left out');
    else table.push(['datasets.map', rival]);
  }
  console.log(
    `${'tool'.padEnd(16)}${'seconds'.padStart(9)}${'MB/s'.padStart(8)}${'CPU s'.padStart(8)}${'rows'.padStart(9)}${'words'.padStart(13)}${'Wait'.padStart(9)}${'complete'.padStart(10)}${'peak MB'.padStart(9)}`,
  );
  for (const [name, result] of table) {
    console.log(
      `${name.padEnd(16)}${result.seconds.toFixed(1).padStart(9)}${(text / 1e6 / result.seconds).toFixed(0).padStart(8)}${result.cpu.toFixed(1).padStart(8)}${String(result.rows).padStart(9)}${String(result.words).padStart(13)}${String(result.waits).padStart(9)}${String(result.complete).padStart(10)}${(result.peak / 1e6).toFixed(0).padStart(9)}`,
    );
  }
  for (const [name, result] of table) if (result.note !== '') console.log(`${name}: ${result.note}`);
  if (megabytes > keptMegabytes) for (const file of new Set([lines, path])) rmSync(file);
}

const keptMegabytes = 2000;

interface Result {
  seconds: number;
  /** Processor time of all its threads and processes: what remains comparable on a busy machine. */
  cpu: number;
  rows: number;
  words: number;
  waits: number;
  complete: number;
  peak: number;
  note: string;
}

async function curate(path: string): Promise<Result> {
  const folder = join(cache, 'run');
  rmSync(folder, { recursive: true, force: true });
  const pipeline = join(cache, 'pipeline.yaml');
  writeFileSync(
    pipeline,
    `name: bench\nsources:\n  - path: ${JSON.stringify(path)}\n    adapter: messages\n    name: bench\n`,
  );
  const exit =
    'data:text/javascript,process.on("exit",()=>{const u=process.resourceUsage();process.stderr.write("maxrss "+u.maxRSS+" cpu "+(u.userCPUTime+u.systemCPUTime)/1e6+"\\n")})';
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--import',
      exit,
      join(root, 'dist/cli/main.js'),
      'ingest',
      pipeline,
      '--out',
      folder,
      '--quiet',
      '--workers',
      String(availableParallelism()),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (part) => {
    complaint += String(part);
  });
  const [code] = (await once(child, 'close')) as [number];
  const seconds = (performance.now() - begin) / 1000;
  if (code !== 0) throw new Error(complaint);
  const peak = Math.max(...[...complaint.matchAll(/maxrss (\d+)/g)].map((match) => Number(match[1]) * 1024));
  const cpu = Math.max(...[...complaint.matchAll(/cpu ([\d.]+)/g)].map((match) => Number(match[1])));
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp') });
  const counts = await tables.row<Omit<Result, 'seconds' | 'cpu' | 'peak' | 'note'>>(
    `SELECT count(*) AS rows, sum(prompt_words + reasoning_words + answer_words)::BIGINT AS words,
       sum(reasoning_waits + answer_waits)::BIGINT AS waits, count(*) FILTER (complete) AS complete
     FROM read_parquet('${folder}/rows/*.parquet')`,
  );
  tables.close();
  rmSync(folder, { recursive: true, force: true });
  return {
    seconds,
    cpu,
    ...counts,
    peak,
    note: 'whole command: start, hash of the source, rows, prompts, hashes of the tables',
  };
}

function datasets(path: string): Result | null {
  const python = pythonWith('datasets', ['datasets']);
  if (python === null) return null;
  const scratch = join(cache, 'datasets');
  rmSync(scratch, { recursive: true, force: true });
  process.env.HF_HUB_OFFLINE = '1';
  process.env.HF_DATASETS_DISABLE_PROGRESS_BARS = '1';
  type Said = Omit<Result, 'seconds' | 'note'> & { load: number; map: number };
  const { load, map, ...rest } = runPython<Said>(python, 'ingest.py', [path, String(availableParallelism()), scratch]);
  rmSync(scratch, { recursive: true, force: true });
  return { seconds: load + map, ...rest, note: `load_dataset ${load.toFixed(1)} s, map ${map.toFixed(1)} s` };
}

/** Rows of the samples in the `messages` shape, each pass with a quarter of the words changed for others: kept in the cache. */
async function generated(megabytes: number): Promise<string> {
  const path = join(cache, `rows-${megabytes}.jsonl`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const rows = await sampleTexts();
  const words = [...new Set(rows.flatMap((row) => row.trace.split(' ')).filter((word) => /^[a-z]{3,12}$/.test(word)))];
  let state = 42;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  const change = (text: string) =>
    text.replace(/(?<= )[a-z]{3,12}(?= )/g, (word) => (next(4) === 0 ? (words[next(words.length)] ?? word) : word));
  const file = createWriteStream(`${path}.tmp`);
  for (let bytes = 0, at = 0; bytes < megabytes * 1e6; at += 1) {
    const row = rows[at % rows.length];
    if (row === undefined) throw new Error('no samples');
    const line = `${JSON.stringify({
      messages: [
        { role: 'user', content: `${change(row.prompt)} (${at})` },
        { role: 'assistant', content: change(row.trace) },
      ],
    })}\n`;
    bytes += Buffer.byteLength(line);
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  renameSync(`${path}.tmp`, path);
  return path;
}

async function sampleTexts(): Promise<{ prompt: string; trace: string }[]> {
  const samples = join(root, 'data', 'samples');
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp') });
  try {
    return await tables.rows(
      `SELECT conversations[1].value AS prompt, conversations[2].value AS trace FROM read_parquet('${samples}/openthoughts2/*.parquet')
       UNION ALL
       SELECT question, '<think>' || model_reasoning || '</think>' || coalesce(model_answer, '') FROM read_parquet('${samples}/general-thought/*.parquet')`,
    );
  } finally {
    tables.close();
  }
}

async function asParquet(lines: string): Promise<string> {
  const path = lines.replace(/jsonl$/, 'parquet');
  if (existsSync(path)) return path;
  const tables = await Tables.open({ temporaryFolder: join(cache, 'tmp'), memoryMegabytes: 4096 });
  await tables.run(
    `COPY (SELECT * FROM read_json('${lines}', format = 'newline_delimited', columns = {messages: 'STRUCT("role" VARCHAR, "content" VARCHAR)[]'}))
     TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10240)`,
  );
  tables.close();
  return path;
}
