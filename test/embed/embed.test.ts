import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embedTexts } from '../../src/compute/embedder.js';
import { ensureModel, findModel, miniLm } from '../../src/compute/weights.js';
import { embed } from '../../src/embed/embed.js';
import type { StageContext } from '../../src/pipeline/stage.js';
import type { RunFolder } from '../../src/store/folder.js';
import { VectorFile } from '../../src/store/vectors.js';
import { contextOf, promptKey, promptsRun } from './small-run.js';

let cache = '';

beforeEach(async () => {
  const models = findModel(miniLm) ?? (await ensureModel(miniLm));
  vi.stubEnv('CURATE_MODELS', models);
  cache = mkdtempSync(join(tmpdir(), 'curate-embed-cache-'));
  vi.stubEnv('CURATE_CACHE', cache);
});

afterEach(() => vi.unstubAllEnvs());

const questions = Array.from({ length: 12 }, (_, place) => ({
  prompt: `Which drug ${'or treatment '.repeat(place % 3)}is number ${place}?`,
}));

describe('embed', () => {
  it('writes one vector per prompt of its groups, in the order of the prompts', async () => {
    const run = await promptsRun({
      'b.parquet': [{ prompt: 'first' }, { prompt: 'other group', groups: ['math'] }, { prompt: 'second' }],
      'a.parquet': [{ prompt: 'third', groups: ['math', 'traces'] }, { prompt: '第四' }],
    });
    const report = await embedAll(run, { groups: ['traces'] });
    const prompts = ['first', 'second', 'third', '第四'];
    const { keys, vectors } = readVectors(run);
    expect(keys).toEqual(prompts.map(promptKey));
    expect(vectors).toEqual(await embedTexts(prompts, { compute: 'native' }));
    expect(report).toMatchObject({ unit: 'prompts', in: 4, kept: 4, quarantined: 0 });
  });

  it('takes from the cache what an earlier run put there, bit for bit', async () => {
    const files = { 'a.parquet': questions };
    const first = await promptsRun(files);
    await embedAll(first, { groups: ['traces'] });
    const second = await promptsRun(files);
    // Without rows/ nothing could be embedded: all must come from the cache.
    rmSync(second.table('rows'), { recursive: true });
    await embedAll(second, { groups: ['traces'] });
    expect(readBytes(second)).toEqual(readBytes(first));
  });

  it('embeds only what the cache lacks, and gives the same file', async () => {
    await embedAll(await promptsRun({ 'a.parquet': questions.slice(3, 8) }), { groups: ['traces'] });
    const half = await promptsRun({ 'a.parquet': questions });
    await embedAll(half, { groups: ['traces'] });
    const none = await promptsRun({ 'a.parquet': questions });
    await embedAll(none, { groups: ['traces'], cache: false });
    expect(readBytes(half)).toEqual(readBytes(none));
  });

  it('neither reads nor writes a cache with cache: false', async () => {
    await embedAll(await promptsRun({ 'a.parquet': questions.slice(0, 2) }), { groups: ['traces'], cache: false });
    expect(readdirSync(cache)).toEqual([]);
  });

  it('keeps vectors of native and portable apart', async () => {
    const files = { 'a.parquet': questions.slice(0, 2) };
    await embedAll(await promptsRun(files), { groups: ['traces'] });
    await embedAll(await promptsRun(files), { groups: ['traces'] }, { compute: 'portable' });
    expect(readdirSync(join(cache, 'vectors'))).toHaveLength(2);
  });

  it('says how far it is', async () => {
    const run = await promptsRun({ 'a.parquet': questions });
    const seen: number[] = [];
    await embedAll(run, { groups: ['traces'] }, { progress: ({ done, total }) => seen.push(done / (total ?? 0)) });
    expect(seen.at(-1)).toBe(1);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  it('warns where no prompt is of its groups', async () => {
    const report = await embedAll(await promptsRun({ 'a.parquet': questions }), { groups: ['traces2'] });
    expect(report.warnings).toEqual(['no prompt is of the groups traces2']);
  });

  it('cuts many prompts into tasks by a rule that looks at the table alone', async () => {
    const many = Array.from({ length: 2_500 }, (_, place) => ({
      prompt: String(place),
      groups: [place % 5 === 0 ? 'math' : 'traces'],
    }));
    const run = await promptsRun({ 'a.parquet': many.slice(0, 900), 'b.parquet': many.slice(900) });
    const options = embed.options.parse({ groups: ['traces'] });
    for (const workers of [1, 2]) {
      const tasks = await embed.tasks(options, contextOf(run, { workers }));
      expect(tasks.map((task) => task.size)).toEqual([1_024, 976]);
      expect(tasks.map((task) => [task.start, task.end])).toEqual([
        [1, 1_280],
        [1_281, 2_500],
      ]);
    }
  });

  it('names its model files with their hashes as inputs', async () => {
    const inputs = await embed.inputs(embed.options.parse({ groups: ['x'] }), contextOf(await promptsRun({})));
    expect(inputs.map(({ kind, sha256 }) => [kind, sha256])).toEqual(
      miniLm.files.map((file) => ['model', file.sha256]),
    );
  });
});

async function embedAll(run: RunFolder, options: object, settings: Partial<StageContext> = {}) {
  const context = contextOf(run, settings);
  const parsed = embed.options.parse(options);
  const reports = [];
  for (const task of await embed.tasks(parsed, context)) reports.push(await embed.work(task, parsed, context));
  return embed.finish(reports, parsed, context);
}

function readVectors(run: RunFolder): { keys: string[]; vectors: Float32Array } {
  const keys: string[] = [];
  const parts: number[] = [];
  for (const path of run.files('vectors', '.arrow')) {
    const file = new VectorFile(path);
    const vectors = new Float32Array(file.rowCount * file.dimensions);
    file.read(0, file.rowCount, vectors);
    keys.push(...[...file.keys()].flat());
    parts.push(...vectors);
    file.close();
  }
  return { keys, vectors: Float32Array.from(parts) };
}

function readBytes(run: RunFolder): Buffer[] {
  return run.files('vectors', '.arrow').map((path) => readFileSync(path));
}
