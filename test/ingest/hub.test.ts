import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HubClient } from '../../src/ingest/hub/client.js';
import { cachedPath, fetchFiles } from '../../src/ingest/hub/download.js';
import { listRepository, type Repository } from '../../src/ingest/hub/listing.js';
import { Problem } from '../../src/problem.js';
import { Tables } from '../../src/store/tables.js';
import { HubServer } from './hub-server.js';
import { IngestRun } from './run-ingest.js';

let server: HubServer;
let cache: string;
let waits: number[];
const never = new AbortController().signal;
const large = Buffer.from(Array.from({ length: 50_000 }, (_, index) => `line ${index}\n`).join(''));

beforeEach(async () => {
  server = new HubServer();
  await server.start();
  cache = mkdtempSync(join(tmpdir(), 'curate-hub-'));
  waits = [];
  server.files = {
    'README.md': { content: Buffer.from('# traces'), lfs: false },
    'data/train-0.jsonl': { content: large, lfs: true },
    'data/train-1.jsonl': { content: Buffer.from('{"small": true}\n'), lfs: false },
  };
});

afterEach(async () => {
  await server.stop();
  rmSync(cache, { recursive: true, force: true });
});

function client(settings: Partial<HubClient['settings']> = {}): HubClient {
  return new HubClient({
    endpoint: server.endpoint,
    token: null,
    cache,
    offline: false,
    attempts: 4,
    wait: async (milliseconds) => {
      waits.push(milliseconds);
    },
    ...settings,
  });
}

async function fetchAll(hub: HubClient): Promise<Repository> {
  const repository = await listRepository(hub, server.name, 'main');
  const files = repository.files.filter((file) => file.path.endsWith('.jsonl'));
  await fetchFiles(hub, repository, files, never, () => {});
  return repository;
}

function blobPath(path: string): string {
  return join(cache, 'datasets--someone--traces', 'blobs', server.etag(path));
}

async function problemOf(action: Promise<unknown>): Promise<Problem> {
  const error: unknown = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Problem) return error;
  throw new Error(`expected a Problem, got ${String(error)}`);
}

describe('a listing', () => {
  it('resolves a branch to its commit and follows the pages of the tree', async () => {
    const repository = await listRepository(client(), server.name, 'main');
    expect(repository.commit).toBe(server.commit);
    expect(repository.files.map((file) => [file.path, file.size, file.etag])).toEqual(
      Object.entries(server.files).map(([path, file]) => [path, file.content.length, server.etag(path)]),
    );
    expect(server.requests.filter((request) => request.url.includes('/tree/'))).toHaveLength(2);
  });

  it('asks nobody for the commit when one is given', async () => {
    await listRepository(client(), server.name, server.commit);
    expect(server.requests.some((request) => request.url.includes('/revision/'))).toBe(false);
  });
});

describe('fetched files', () => {
  it('lie where the hub’s own clients look for them', async () => {
    const hub = client();
    const repository = await fetchAll(hub);
    const folder = join(cache, 'datasets--someone--traces');
    expect(readFileSync(join(folder, 'refs', 'main'), 'utf8')).toBe(server.commit);
    const link = join(folder, 'snapshots', server.commit, 'data', 'train-0.jsonl');
    expect(readlinkSync(link)).toBe(join('..', '..', '..', 'blobs', server.etag('data/train-0.jsonl')));
    expect(readFileSync(link).equals(large)).toBe(true);
    const [first] = repository.files.filter((file) => file.path === 'data/train-0.jsonl');
    expect(first === undefined ? '' : cachedPath(hub, repository, first)).toBe(link);
    expect(existsSync(join(folder, 'snapshots', server.commit, 'README.md'))).toBe(false);
  });

  it('are not fetched twice', async () => {
    await fetchAll(client());
    const before = server.requests.length;
    await fetchAll(client());
    expect(server.requests.slice(before).some((request) => request.url.includes('/resolve/'))).toBe(false);
  });

  it('go on where a cut body stopped', async () => {
    server.faults.push({ match: /^\/blobs\//, fault: { cutAfter: 100_000 } });
    await fetchAll(client());
    const [first, second] = server.rangesOf('data/train-0.jsonl');
    expect(first).toBeUndefined();
    expect(second).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(blobPath('data/train-0.jsonl')).equals(large)).toBe(true);
  });

  it('start anew where the server ignores the range', async () => {
    server.faults.push(
      { match: /^\/blobs\//, fault: { cutAfter: 100_000 } },
      { match: /^\/blobs\//, fault: { ignoreRange: true } },
    );
    await fetchAll(client());
    expect(readFileSync(blobPath('data/train-0.jsonl')).equals(large)).toBe(true);
  });

  it('are checked: bytes that changed under the same name are thrown away and fetched once more', async () => {
    const wrong = Buffer.from(large);
    wrong[5] = 0;
    server.faults.push({ match: /^\/blobs\//, fault: { content: wrong } });
    await fetchAll(client());
    expect(readFileSync(blobPath('data/train-0.jsonl')).equals(large)).toBe(true);
  });

  it('are refused when the bytes stay wrong', async () => {
    const wrong = Buffer.from(large);
    wrong[5] = 0;
    server.faults.push(
      { match: /^\/blobs\//, fault: { content: wrong } },
      { match: /^\/blobs\//, fault: { content: wrong } },
    );
    const problem = await problemOf(fetchAll(client()));
    expect(problem.message).toBe('someone/traces/data/train-0.jsonl is not what the hub lists');
    expect(existsSync(blobPath('data/train-0.jsonl'))).toBe(false);
    expect(existsSync(`${blobPath('data/train-0.jsonl')}.incomplete`)).toBe(false);
  });

  it('small ones are checked against git’s own hash', async () => {
    const wrong = { content: Buffer.from('{"small": fals}\n') };
    server.faults.push({ match: /resolve.*train-1/, fault: wrong }, { match: /resolve.*train-1/, fault: wrong });
    expect((await problemOf(fetchAll(client()))).parts.found).toMatch(/^git SHA-1/);
  });

  it('start anew after 416, when the unfinished file is of something else', async () => {
    await fetchAll(client());
    const blob = blobPath('data/train-0.jsonl');
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, large.subarray(0, 1000));
    server.faults.push({ match: /^\/blobs\//, fault: { status: 416 } });
    await fetchAll(client());
    expect(readFileSync(blob).equals(large)).toBe(true);
  });

  it('come while the server is overloaded: 429 waits as long as it asks for, 5xx ever longer', async () => {
    server.faults.push(
      { match: /revision/, fault: { status: 429, headers: { 'retry-after': '7' } } },
      { match: /^\/blobs\//, fault: { status: 503 } },
      { match: /^\/blobs\//, fault: { status: 500 } },
    );
    await fetchAll(client());
    expect(waits).toEqual([7000, 1000, 2000]);
  });
});

describe('the token', () => {
  it('goes to the hub and never to the host of the files', async () => {
    server.token = 'hf_secret';
    await fetchAll(client({ token: 'hf_secret' }));
    expect(
      server.requests.filter((each) => each.host === 'hub').every((each) => each.authorization === 'Bearer hf_secret'),
    ).toBe(true);
    expect(
      server.requests.filter((each) => each.host === 'files').every((each) => each.authorization === undefined),
    ).toBe(true);
  });

  it('may be of another kind than hf_…, as private mirrors have', async () => {
    server.token = 'mirror-token';
    expect((await listRepository(client({ token: 'mirror-token' }), server.name, 'main')).commit).toBe(server.commit);
  });
});

describe('a refusal is one sentence that says what to do', () => {
  it('for a gated data set: which page, and the variable', async () => {
    server.token = 'hf_secret';
    server.gated = true;
    const problem = await problemOf(fetchAll(client()));
    expect(problem.message).toBe('someone/traces is gated: its owners ask you to accept their terms');
    expect(problem.parts.try).toContain(`${server.endpoint}/datasets/someone/traces`);
    expect(problem.parts.try).toContain('HF_TOKEN');
    const again = await problemOf(fetchAll(client({ token: 'hf_secret' })));
    expect(again.parts.found).toBe('a token whose account has not been given access');
  });

  it('for a missing data set', async () => {
    expect((await problemOf(listRepository(client(), 'someone/else', 'main'))).message).toBe(
      'the hub has no data set someone/else, or it is private',
    );
  });

  it('for a missing revision', async () => {
    expect((await problemOf(listRepository(client(), server.name, 'v9'))).message).toBe(
      'someone/traces has no such revision',
    );
  });

  it('for a wrong token', async () => {
    server.token = 'hf_right';
    const problem = await problemOf(listRepository(client({ token: 'hf_wrong' }), server.name, 'main'));
    expect(problem.message).toBe('the hub does not accept this token for someone/traces');
    expect(JSON.stringify(problem)).not.toContain('hf_wrong');
  });

  it('for a limit that does not end', async () => {
    for (let each = 0; each < 4; each += 1) server.faults.push({ match: /revision/, fault: { status: 429 } });
    const problem = await problemOf(listRepository(client(), server.name, 'main'));
    expect(problem.message).toBe('the hub limits our requests for someone/traces');
    expect(problem.parts.try).toContain('HF_TOKEN');
  });

  it('for a server that does not answer', async () => {
    const hub = client({ endpoint: 'http://127.0.0.1:9' });
    const problem = await problemOf(listRepository(hub, server.name, 'main'));
    expect(problem.message).toBe('the hub cannot be reached for someone/traces');
  });
});

describe('offline', () => {
  it('reads what the cache holds and asks nobody', async () => {
    await fetchAll(client());
    const before = server.requests.length;
    const repository = await listRepository(client({ offline: true }), server.name, 'main');
    expect(repository.files.map((file) => file.path)).toEqual(['data/train-0.jsonl', 'data/train-1.jsonl']);
    await fetchFiles(client({ offline: true }), repository, repository.files, never, () => {});
    expect(server.requests).toHaveLength(before);
  });

  it('says so where the cache lacks the data set', async () => {
    const problem = await problemOf(listRepository(client({ offline: true }), server.name, 'main'));
    expect(problem.message).toContain('HF_HUB_OFFLINE');
  });
});

describe('the stage', () => {
  const saved = { ...process.env };
  beforeEach(() => Object.assign(process.env, { HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache }));
  afterEach(() => {
    process.env = { ...saved };
  });

  async function parquetOf(rows: number): Promise<Buffer> {
    const path = join(cache, 'made.parquet');
    const tables = await Tables.open({ temporaryFolder: cache });
    await tables.run(
      `COPY (SELECT 'question ' || i AS prompt, repeat(sha256(i::VARCHAR), 40) AS response FROM range(${rows}) t(i))
       TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
    );
    tables.close();
    return readFileSync(path);
  }

  it('locks the commit, names files as the hub does, and keeps the listing when the branch moves', async () => {
    server.files = {
      'data/train-0.jsonl': { content: Buffer.from('{"prompt":"a","response":"<think>b</think>c"}\n'), lfs: true },
    };
    const run = new IngestRun(cache);
    const spec = { sources: [{ hub: server.name, adapter: 'columns' }] };
    const report = await run.all(spec);
    expect(report.kept).toBe(1);
    expect(await run.table('rows', 'source, origin')).toEqual([
      { source: 'traces', origin: { file: 'data/train-0.jsonl', row: 0 } },
    ]);
    const inputs = await run.inputs(spec);
    expect(inputs).toEqual([
      {
        kind: 'source',
        name: 'traces/data/train-0.jsonl',
        sha256: server.etag('data/train-0.jsonl'),
        revision: server.commit,
        bytes: 46,
      },
    ]);
    server.files = {};
    expect(await run.inputs(spec)).toEqual(inputs);
    run.remove();
  });

  it('reads with --limit only the row groups that it needs, by ranges', async () => {
    const content = await parquetOf(40_000);
    server.files = { 'data/train-0.parquet': { content, lfs: true } };
    const run = new IngestRun(cache);
    run.limit = 3000;
    const report = await run.all({ sources: [{ hub: server.name, adapter: 'columns' }] });
    expect(report.in).toBe(3000);
    const ranges = server.rangesOf('data/train-0.parquet');
    const bytes = ranges.map((range) => {
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
      return Number(end) + 1 - Number(start);
    });
    expect(ranges.length).toBe(4);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(content.length / 2);
    expect(existsSync(join(cache, 'datasets--someone--traces', 'blobs'))).toBe(false);
    run.remove();
  });
});
