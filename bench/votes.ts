import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { readLabelSet } from '../src/classify/label-set.js';
import { makeQuestion } from '../src/classify/question.js';
import { Endpoint } from '../src/llm/endpoint.js';
import { Ledger } from '../src/llm/ledger.js';
import { inParallel } from '../src/llm/parallel.js';
import { Respondent } from '../src/llm/respondent.js';
import { Spending } from '../src/llm/spending.js';
import { sha256 } from '../src/store/fingerprint.js';
import { conditions, printTable } from './conditions.js';
import { optionOf } from './vectors.js';

const answer = JSON.stringify({
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"domain":"Medical"}' } }],
  usage: { prompt_tokens: 1000, completion_tokens: 8 },
});

/**
 * Votes a second against a server that answers at once: `npm run bench -- votes [--votes 6000] [--concurrency 64]`. The
 * references write nothing down: Node's fetch alone, and the openai SDK alone.
 */
export async function run(args: string[]): Promise<void> {
  const votes = Number(optionOf(args, '--votes') ?? 6_000);
  const concurrency = Number(optionOf(args, '--concurrency') ?? 64);
  const server = fork(fileURLToPath(import.meta.url), ['--serve'], { execArgv: process.execArgv });
  const url = await new Promise<string>((resolve) => server.once('message', (message) => resolve(String(message))));
  const folder = mkdtempSync(join(tmpdir(), 'curate-votes-'));
  try {
    console.log(conditions());
    const question = makeQuestion(
      readLabelSet('medical-domains', (path) => path),
      6_000,
    );
    const body = (text: string) => ({
      model: 'stub',
      messages: question.messages(text),
      temperature: 0,
      max_tokens: question.answerTokens,
    });
    const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 });
    const spending = new Spending(join(folder, 'spent.jsonl'), {}, undefined);
    const ledgerPath = join(folder, 'votes.jsonl');
    const ledger = await Ledger.open(ledgerPath, 'stub', question.fingerprint);
    const { signal } = new AbortController();
    const settings = {
      option: 'bench',
      written: url,
      url,
      key: undefined,
      model: 'stub',
      timeoutSeconds: 60,
      attempts: 3,
      signal,
    };
    const endpoint = new Endpoint(settings, spending);
    await endpoint.connect();
    const respondent = new Respondent(endpoint, question, ledger);
    const ways: [string, (text: string) => Promise<unknown>][] = [
      ['fetch alone', (text) => post(url, body(text))],
      ['openai SDK alone', (text) => client.chat.completions.create(body(text))],
      ['curate: asked, checked, in the ledger', (text) => respondent.answer(sha256(text).slice(0, 32), text)],
    ];
    const rows: (string | number)[][] = [];
    for (const [name, way] of ways) {
      await measure(200, concurrency, `warm ${name}`, way);
      const before = process.cpuUsage();
      const seconds = await measure(votes, concurrency, name, way);
      const { user, system } = process.cpuUsage(before);
      const cpu = (user + system) / 1e6;
      rows.push([
        name,
        votes,
        seconds.toFixed(1),
        Math.round(votes / seconds),
        cpu.toFixed(1),
        Math.round(votes / cpu),
      ]);
    }
    ledger.close();
    spending.close();
    // On a machine that does other work too, CPU seconds compare better than seconds.
    printTable(['', 'votes', 'seconds', 'votes/s', 'CPU s', 'votes/CPU s'], rows);
    console.log(`${concurrency} in flight · ledger ${(statSync(ledgerPath).size / 1e6).toFixed(1)} MB`);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true });
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function measure(
  votes: number,
  concurrency: number,
  name: string,
  way: (text: string) => Promise<unknown>,
): Promise<number> {
  const begin = performance.now();
  await inParallel(texts(name, votes), concurrency, async (text) => {
    await way(text);
  });
  return (performance.now() - begin) / 1000;
}

async function* texts(name: string, count: number): AsyncGenerator<string> {
  for (let each = 0; each < count; each += 1) {
    yield `${name} ${each}: a patient asks what to do about a cough that has lasted for three weeks, with fever at night.`;
  }
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}

/** The server, in a process of its own. */
function serve(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url?.endsWith('/models') ? '{"data":[{"id":"stub"}]}' : answer);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`));
}

if (process.argv.includes('--serve')) serve();
