import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { productFolder } from '../src/product.js';
import { parquet, Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
import { optionOf } from './vectors.js';

/** A question of MedQA's test by its first characters, and the same in other words, written by hand for this bench. */
interface Rewording {
  begins: string;
  reworded: string;
}

const rewordings = JSON.parse(
  readFileSync(join(import.meta.dirname, 'medqa-by-hand.json'), 'utf8'),
) as readonly Rewording[];
const others = 980;

/**
 * What a judge adds to `reworded`, and what it costs: 20 rewordings among 980 questions of MedMCQA, against the whole of
 * MedQA's test, with a server that answers as someone would who knows which are the same (an oracle: it proves the way, not
 * a model). `npm run bench -- judge [--doubt 0.5,1]`
 */
export async function run(args: string[]): Promise<void> {
  const oracle = new Oracle();
  const url = await oracle.listen();
  console.log(conditions());
  const rows: (string | number)[][] = [];
  const widths = (optionOf(args, '--doubt') ?? '0.5,1').split(',');
  try {
    rows.push(['no judge', ...(await decontaminate('judge: false')), 0]);
    for (const doubt of widths) {
      const before = oracle.calls;
      const found = await decontaminate(`doubt: ${doubt}, judge: { endpoint: "${url}", model: oracle }`);
      rows.push([`judge, doubt: ${doubt}`, ...found, (oracle.calls - before) / (rewordings.length + others)]);
    }
  } finally {
    oracle.close();
  }
  printTable(['', `of ${rewordings.length} rewordings`, `of ${others} others`, 'calls a prompt'], rows);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Rewordings and other questions that a run flags. */
async function decontaminate(reworded: string): Promise<[number, number]> {
  const folder = join(import.meta.dirname, '.cache', 'judge');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const row = (id: string, prompt: string) => JSON.stringify({ id, prompt, response: 'none' });
  const lines = [
    ...rewordings.map((each, index) => row(`same-${index}`, each.reworded)),
    ...questions('medmcqa')
      .slice(0, others)
      .map((question, index) => row(`other-${index}`, question)),
  ];
  writeFileSync(join(folder, 'rows.jsonl'), lines.join('\n'));
  writeFileSync(
    join(folder, 'pipeline.yaml'),
    `name: judge
sources: [{ path: ./rows.jsonl, adapter: columns, group: all }]
decontam: { benchmarks: [medqa], presets: [reworded], reworded: { ${reworded} } }
`,
  );
  const out = join(folder, 'run');
  const main = join(productFolder, 'dist', 'cli', 'main.js');
  // Not spawnSync: the oracle answers in this process.
  const ran = spawn(process.execPath, [main, 'run', join(folder, 'pipeline.yaml'), '--out', out, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(ran, 'exit')) as [number | null];
  if (status !== 0) throw new Error('the run failed');
  const tables = await Tables.open();
  try {
    const { same, other } = await tables.row<{ same: number; other: number }>(
      `SELECT count(DISTINCT r.id) FILTER (r.prompt IN (${rewordings.map((each) => `'${each.reworded.replaceAll("'", "''")}'`).join(', ')})) AS same,
         count(DISTINCT r.id) - same AS other
       FROM ${parquet([`${out}/hits/*.parquet`])} h JOIN ${parquet([`${out}/rows/*.parquet`])} r USING (prompt_key)
       WHERE h.method = 'reworded'`,
    );
    return [same, other];
  } finally {
    tables.close();
  }
}

function questions(benchmark: string): string[] {
  const file = join(productFolder, 'data', 'samples', 'benchmarks', benchmark, `${benchmark}.json.gz`);
  const sets = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<string, { question: string }[]>;
  return Object.values(sets).flatMap((items) => items.map((item) => item.question));
}

/** A model that knows which question each rewording was made from. */
class Oracle {
  calls = 0;
  private readonly known = new Map(rewordings.map((each) => [each.reworded, each.begins]));
  private readonly server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url?.endsWith('/models') === true) {
      response.end(JSON.stringify({ data: [{ id: 'oracle' }] }));
      return;
    }
    let body = '';
    for await (const part of request) body += part;
    this.calls += 1;
    const { messages } = JSON.parse(body) as { messages: { content: string }[] };
    const content = JSON.stringify({ same: this.same(messages[1]?.content ?? '') });
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }));
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  close(): void {
    this.server.close();
  }

  /** Numbers of the questions in the text that are the prompt's own. */
  private same(text: string): number[] {
    const prompt = /^===== prompt \w+\n([\s\S]*?)\n===== end of prompt/.exec(text)?.[1] ?? '';
    const begins = this.known.get(prompt);
    if (begins === undefined) return [];
    const asked = [...text.matchAll(/^===== question \d+ (\w+)\n([\s\S]*?)\n===== end of question \d+ \1$/gm)];
    return asked.flatMap(([, , question], index) => (question?.startsWith(begins) === true ? [index + 1] : []));
  }
}
