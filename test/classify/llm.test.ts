import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/classify/classify.js';
import { type ClassifyOptions, classifyOptions } from '../../src/classify/options.js';
import { Problem } from '../../src/problem.js';
import type { RunFolder } from '../../src/store/folder.js';
import { FaultyServer, type FaultyServerOptions, promptOf } from '../servers/faulty-openai.js';
import { contextOf, keyOf, labelsOf, put, smallRun } from './small-run.js';

const labels = ['Medical', 'Biology', 'Law', 'History'];

/** What the model of these tests says: the domain that the prompt itself gives. */
const answer = (prompt: string) => /about (\w+)/.exec(prompt)?.[1] ?? 'History';

/** Ten prompts each, of which the share `agreement` (hashed) is about the cluster's own domain. */
function clustersOf(count: number, agreement: number): string[][] {
  return Array.from({ length: count }, (_, cluster) =>
    Array.from({ length: 10 }, (_, rank) => {
      const digest = createHash('sha256').update(`${cluster} ${rank}`).digest();
      const own = digest.readUInt32LE(0) / 2 ** 32 < agreement;
      const domain = labels[(cluster + (own ? 0 : 1 + (digest.readUInt32LE(4) % 3))) % labels.length];
      return `Question ${rank} of ${cluster} about ${domain}?`;
    }),
  );
}

const servers: FaultyServer[] = [];
async function serve(options: Partial<FaultyServerOptions> = {}): Promise<FaultyServer> {
  const server = await FaultyServer.start({ answer, ...options });
  servers.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function optionsFor(server: FaultyServer, more: object = {}): ClassifyOptions {
  const base = { labeler: 'llm', endpoint: server.url, model: 'judge-32b', labels, concurrency: 8 };
  return classifyOptions.parse({ ...base, ...more });
}

async function label(run: RunFolder, options: ClassifyOptions) {
  const context = contextOf(run);
  const report = await classify.work({}, options, context);
  return classify.finish([report], options, context);
}

const tables = ['labels.parquet', 'votes.jsonl'];
const bytesOf = (run: RunFolder) => tables.map((file) => readFileSync(run.file('labels', file), 'hex'));

describe('labels from an endpoint', () => {
  it('are the same with a server that fails in 25 % of calls and after three kills, and nothing is asked twice', async () => {
    const clusters = clustersOf(40, 0.85);
    const perfect = await serve();
    const expected = await smallRun(clusters);
    await label(expected, optionsFor(perfect));

    const run = await smallRun(clusters);
    let child: ReturnType<typeof spawn> | null = null;
    const kills = [40, 90, 150];
    const faulty = await serve({
      faultShare: 0.25,
      onAnswer: (count) => {
        if (kills.includes(count)) child?.kill('SIGKILL');
      },
    });
    const options = { ...optionsFor(faulty), timeout_seconds: 3 };
    const script = fileURLToPath(new URL('./label-child.ts', import.meta.url));
    const ends: (string | number | null)[] = [];
    for (let start = 0; start < 4; start += 1) {
      const started = spawn(process.execPath, ['--import', 'tsx', script, run.path, JSON.stringify(options)], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      child = started;
      ends.push(await new Promise((resolve) => started.on('exit', (code, signal) => resolve(signal ?? code))));
    }
    expect(ends).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 0]);
    expect(bytesOf(run)).toEqual(bytesOf(expected));
    const twice = [...faulty.answers].filter(([prompt, count]) => count > 1 && prompt.startsWith('Question'));
    // Three kills with eight calls in flight.
    expect(twice.length).toBeLessThanOrEqual(3 * 8);
    expect(faulty.made.size).toBeGreaterThanOrEqual(8);
  }, 120_000);

  it('are decided by at most 70 % of the calls where nine of ten exemplars agree', async () => {
    const server = await serve({ delayMilliseconds: 20 });
    const run = await smallRun(clustersOf(100, 0.9));
    const report = await label(run, optionsFor(server, { concurrency: 32 }));
    const asked = [...server.answers].filter(([prompt]) => prompt.startsWith('Question')).length;
    console.log(`early stop at 0.9 agreement: ${asked} of 1,000 calls`);
    expect(asked).toBeLessThanOrEqual(700);
    expect(server.mostInFlight).toBeGreaterThan(8);
    expect(server.mostInFlight).toBeLessThanOrEqual(32);
    expect(report.notes.calls).toBe(asked + 1);
    expect(await labelsOf(run)).toHaveLength(100);
  });

  it('come with bounds of agreement where the rest was not asked', async () => {
    const server = await serve();
    const run = await smallRun([Array.from({ length: 10 }, (_, rank) => `Question ${rank} about Law?`)]);
    const report = await label(run, optionsFor(server));
    expect(await labelsOf(run)).toEqual([
      {
        cluster_id: 0,
        label: 'Law',
        agreement: 0.5,
        agreement_high: 1,
        votes: 5,
        decided_by: 'llm',
        uncertain: false,
      },
    ]);
    expect(report.figures).toMatchObject({ labeler: 'llm', model: 'judge-32b', votes: 5, invalid_votes: 0 });
  });

  it('cost nothing again in a later run that shares the ledger', async () => {
    const server = await serve();
    const clusters = clustersOf(6, 0.8);
    const first = await smallRun(clusters);
    const second = await smallRun(clusters);
    const ledger = put(first, 'shared.jsonl', '');
    await label(first, optionsFor(server, { votes: ledger }));
    const calls = server.requests.length;
    await label(second, optionsFor(server, { votes: ledger }));
    expect(server.requests.length).toBe(calls);
    expect(bytesOf(second)).toEqual(bytesOf(first));
    // Another question is another vote.
    await label(second, optionsFor(server, { votes: ledger, labels: [...labels, 'Chemistry'] }));
    expect(server.requests.length).toBeGreaterThan(calls);
  });

  it('ask an answer outside the labels once more with the error, then do not count it', async () => {
    const stubborn = 'Question 0 about Astrology?';
    const server = await serve();
    const run = await smallRun([[stubborn, 'Question 1 about Law?', 'Question 2 about Law?']]);
    const report = await label(run, optionsFor(server));
    expect(server.calls.get(stubborn)).toBe(2);
    const again = server.requests.filter((request) => promptOf(request) === stubborn)[1];
    expect(again?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(again?.messages.at(-1)?.content).toContain('Medical, Biology, Law, History');
    expect(report.figures.invalid_votes).toBe(1);
    expect(report.warnings).toHaveLength(1);
    const [first] = readFileSync(run.file('labels', 'votes.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ prompt_key: keyOf(stubborn), label: null, by: 'judge-32b' });
    expect((await labelsOf(run))[0]).toMatchObject({ label: 'Law', votes: 1, agreement: 0.5, agreement_high: 1 });
  });

  it('ask uncertain clusters about more exemplars with `then: more`, up to the limit', async () => {
    const server = await serve();
    const domain = (rank: number) => labels[rank < 10 ? rank % 4 : 2];
    const texts = Array.from({ length: 40 }, (_, rank) => `Question ${rank} about ${domain(rank)}?`);
    const run = await smallRun([texts]);
    // biome-ignore lint/suspicious/noThenProperty: the key that a pipeline file has
    await label(run, optionsFor(server, { uncertain: { below: 0.5, then: 'more', up_to: 30 } }));
    expect((await labelsOf(run))[0]).toMatchObject({ label: 'Law', uncertain: false });
    // Without more the same cluster stays uncertain.
    await label(run, optionsFor(server));
    expect((await labelsOf(run))[0]).toMatchObject({ uncertain: true });
  });

  it.each(['ignored', 'refused'] as const)('work with a server by which a JSON schema is %s', async (schema) => {
    const server = await serve({ schema });
    const run = await smallRun(clustersOf(3, 1));
    await label(run, optionsFor(server));
    expect((await labelsOf(run)).map((row) => row.label)).toEqual(['Medical', 'Biology', 'Law']);
    const schemas = server.requests.filter((request) => request.response_format !== undefined);
    expect(schemas).toHaveLength(2);
    expect(schemas.every((request) => !promptOf(request).startsWith('Question'))).toBe(true);
  });
});

describe('a budget', () => {
  it.each([
    ['calls', { budget: { calls: 12 } }],
    ['tokens', { budget: { tokens: 2500 } }],
    ['money', { budget: { money: 0.003 }, price: { input: 1, output: 2 } }],
  ])('of %s is never crossed, says what is left, and lets the same command go on', async (cap, more) => {
    const server = await serve();
    const run = await smallRun(clustersOf(4, 1));
    const stopped = await label(run, optionsFor(server, more)).catch((error: unknown) => error);
    expect(stopped).toBeInstanceOf(Problem);
    expect((stopped as Problem).parts).toMatchObject({ where: expect.stringContaining(`classify.budget.${cap}`) });
    const calls = server.requests.length;
    expect(calls).toBeGreaterThan(0);
    if (cap === 'calls') expect(calls).toBe(12);
    // Nothing more while the cap stands, also in another process's life.
    await label(run, optionsFor(server, more)).catch(() => {});
    expect(server.requests.length).toBeLessThanOrEqual(calls + (cap === 'calls' ? 0 : 40));
    await label(run, optionsFor(server));
    expect(await labelsOf(run)).toHaveLength(4);
    expect([...server.answers].filter(([prompt, count]) => count > 1 && prompt.startsWith('Question'))).toEqual([]);
  });
});

describe('a wrong endpoint stops the run before anything is asked', () => {
  const cases: [string, Partial<FaultyServerOptions>, object, RegExp][] = [
    ['model', { models: ['qwen-7b', 'qwen-32b'] }, {}, /does not serve the model judge-32b/],
    ['key', { key: 'right' }, {}, /refuses the key/],
  ];
  it.each(cases)('with a wrong %s', async (_, server, options, message) => {
    const started = await serve(server);
    const run = await smallRun(clustersOf(2, 1));
    await expect(label(run, optionsFor(started, options))).rejects.toThrow(message);
    expect(started.requests).toEqual([]);
  });

  it('and says which models there are', async () => {
    const server = await serve({ models: ['qwen-7b', '/models/x/llama-3.gguf'] });
    const run = await smallRun(clustersOf(2, 1));
    const problem = (await label(run, optionsFor(server)).catch((error: unknown) => error)) as Problem;
    expect(problem.parts.items).toEqual(['it serves  qwen-7b', 'it serves  llama-3']);
  });

  it('with a path that is none', async () => {
    const server = await serve();
    const run = await smallRun(clustersOf(2, 1));
    const options = optionsFor(server, { endpoint: server.url.replace('/v1', '/v2') });
    await expect(label(run, options)).rejects.toThrow(/has no such address/);
  });

  it('with a host where nobody listens, after a few tries', async () => {
    const server = await FaultyServer.start({ answer });
    await server.close();
    const run = await smallRun(clustersOf(2, 1));
    await expect(label(run, { ...optionsFor(server), attempts: 2 })).rejects.toThrow(/failed 2 times/);
  });
});

describe('a key', () => {
  it('is in no file, message or warning, also where the server repeats it', async () => {
    const secret = 'sk-test-7d1f0c8b5a';
    process.env.CURATE_TEST_KEY = secret;
    try {
      const server = await serve({ key: secret });
      const run = await smallRun(clustersOf(3, 1));
      const options = optionsFor(server, { key: '${CURATE_TEST_KEY}' });
      const report = await label(run, options);
      process.env.CURATE_TEST_KEY = `${secret}-wrong`;
      const other = await smallRun(clustersOf(3, 1));
      const problem = (await label(other, options).catch((error: unknown) => error)) as Problem;
      expect(problem.message).toMatch(/refuses the key/);
      const said = JSON.stringify([report, options, problem.message, problem.parts, problem.stack]);
      expect(said).not.toContain(secret);
      for (const file of [...filesOf(run.path), ...filesOf(other.path)]) {
        expect(readFileSync(file).includes(secret), file).toBe(false);
      }
    } finally {
      delete process.env.CURATE_TEST_KEY;
    }
  });

  it('cannot be written into a pipeline file', () => {
    const written = classifyOptions.safeParse({ labeler: 'llm', endpoint: 'http://h/v1', model: 'm', key: 'sk-1234' });
    expect(written.error?.issues[0]?.path).toEqual(['key']);
    const inUrl = classifyOptions.safeParse({ labeler: 'llm', endpoint: 'http://user:pw@h/v1', model: 'm' });
    expect(inUrl.error?.issues[0]?.path).toEqual(['endpoint']);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile());
}
