import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareVectors, firstDifference } from '../../src/pipeline/compare-tables.js';
import { readPipeline } from '../../src/pipeline/config.js';
import { explainRow } from '../../src/pipeline/explain.js';
import { withTables } from '../../src/pipeline/fates.js';
import { findRows } from '../../src/pipeline/find-rows.js';
import { lockText, readLock } from '../../src/pipeline/lock.js';
import { rerun } from '../../src/pipeline/rerun.js';
import { type RunEffects, run as runPipeline } from '../../src/pipeline/run.js';
import { sampleRun } from '../../src/pipeline/sample.js';
import { readStageState } from '../../src/pipeline/state.js';
import { whatIf } from '../../src/pipeline/whatif.js';
import { contentHash } from '../../src/store/content-hash.js';
import { RunFolder } from '../../src/store/folder.js';
import { VectorFile, writeVectors } from '../../src/store/vectors.js';

const scratch = mkdtempSync(join(tmpdir(), 'curate-rounding-'));
const honest = new RunFolder(join(scratch, 'honest'));
const silent: RunEffects = {
  stage: () => {},
  progress: () => {},
  warn: () => {},
  log: () => {},
  seconds: () => 0,
  signal: new AbortController().signal,
};

beforeAll(async () => {
  const topics = ['the heart', 'the lungs', 'the liver', 'prime numbers', 'triangles', 'fractions'];
  const rows = topics.flatMap((topic, at) =>
    ['what is known about', 'tell me in a few words about', 'what is the most common question about'].map(
      (head, id) => ({
        id: `${at}-${id}`,
        prompt: `${head} ${topic}`,
        reasoning: 'let me think',
        answer: 'that is all',
      }),
    ),
  );
  writeFileSync(join(scratch, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const yaml = `name: rounding
sources: [{ path: ./rows.jsonl, adapter: columns, group: mine, name: mine }]
embed: { groups: [mine], cache: false }
cluster: { k: 3 }
classify: { labeler: embedded }
filter: { domain: { keep: [Medical] } }
`;
  writeFileSync(join(scratch, 'pipeline.yaml'), yaml);
  const pipeline = readPipeline(join(scratch, 'pipeline.yaml'));
  await runPipeline(pipeline, { out: honest.path, workers: 1, limit: null }, silent);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The run as a CPU of another kind would have left it: each number of each vector off by so much. */
async function onAnotherCpu(name: string, off: number): Promise<RunFolder> {
  const run = new RunFolder(join(scratch, name));
  cpSync(honest.path, run.path, { recursive: true });
  for (const path of run.files('vectors', '.arrow')) {
    const file = new VectorFile(path);
    const vectors = new Float32Array(file.rowCount * file.dimensions);
    file.read(0, file.rowCount, vectors);
    const keys = [...file.keys()].flat();
    const { dimensions } = file;
    file.close();
    await writeVectors(path, run.temporary, {
      keys,
      vectors: vectors.map((x, at) => x + (at % 2 === 0 ? off : -off)),
      dimensions,
    });
  }
  const hash = await withTables((tables) => contentHash(tables, run.files('vectors', '.arrow')));
  const state = run.state('stages', 'embed.json');
  const lock = readLock(run.lock);
  writeFileSync(state, readFileSync(state, 'utf8').replaceAll(String(lock.tables.vectors), hash));
  lock.tables.vectors = hash;
  lock.environment = { ...lock.environment, cpu: 'another kind' };
  writeFileSync(run.lock, lockText(lock));
  return run;
}

const results = async (run: RunFolder, name: string) => {
  const found = await rerun(run.path, { workers: 1, scratch: mkdtempSync(join(scratch, name)) }, silent);
  return { ...found, results: found.stages.map(({ stage, result }) => `${stage} ${result}`) };
};

describe('verify --rerun on another kind of CPU', () => {
  it('vectors off by a rounding are no alarm, and what follows is computed from the locked ones', async () => {
    const found = await results(await onAnotherCpu('rounded', 1e-7), 'a');
    expect(found.ok).toBe(true);
    expect(found.results.slice(0, 2)).toEqual(['ingest equal', 'embed within rounding']);
    expect(found.results.slice(3)).toEqual(['classify equal', 'filter equal']);
    expect(found.stages[1]?.detail).toMatch(/^18 vectors, the least alike with cosine (1\.|0\.99999)/);
  });

  it('vectors that are other vectors are found', async () => {
    const found = await results(await onAnotherCpu('wrong', 1e-2), 'b');
    expect(found).toMatchObject({ ok: false, first: { stage: 'embed', table: 'vectors', row: 0 } });
    expect(found.why.join('\n')).toMatch(/cpu: "another kind"/);
  });

  it('on the same kind of CPU even a rounding is a difference', async () => {
    const run = await onAnotherCpu('same-cpu', 1e-7);
    const lock = readLock(run.lock);
    lock.environment = readLock(honest.lock).environment;
    writeFileSync(run.lock, lockText(lock));
    expect(await results(run, 'c')).toMatchObject({ ok: false, first: { stage: 'embed' } });
  });
});

describe('questions to a run that all stages made', () => {
  it('explain shows the exemplars of the row’s cluster with their votes', async () => {
    const { rows } = await findRows(honest.path, 'tell me in a few words about the heart');
    expect(rows).toHaveLength(1);
    const found = await explainRow(honest.path, rows[0]?.id ?? '');
    expect(found).toMatchObject({
      kept: found.rules[0]?.passes,
      origin: { file: 'rows.jsonl', row: 1 },
      group: 'mine',
    });
    expect(found.origin.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(found.cluster?.exemplars.length).toBeGreaterThan(1);
    expect(found.cluster?.exemplars.every(({ prompt, vote }) => prompt !== '' && vote?.by === 'embedded')).toBe(true);
    expect(found.cluster?.label).toBe(found.rules[0]?.value);
  });

  it('whatif and sample count what the run counted', async () => {
    const found = await whatIf(honest.path, []);
    const state = readStageState(honest, 'filter');
    expect(found.rows).toBe(18);
    expect(found.before.kept).toBe(state?.report.kept);
    expect((await sampleRun(honest.path, { kept: true, count: 1 })).matching).toBe(state?.report.kept);
  });
});

describe('firstDifference', () => {
  it('names row, key and columns of a Parquet table, and a file that is missing', async () => {
    const other = new RunFolder(join(scratch, 'edited'));
    cpSync(honest.path, other.path, { recursive: true });
    const [file = ''] = other.files('labels');
    await withTables(async (tables) => {
      const select = `SELECT * REPLACE (CASE WHEN cluster_id = 1 THEN 'Poetry' ELSE label END AS label)
        FROM read_parquet('${honest.files('labels')[0]}') ORDER BY cluster_id`;
      await tables.copy(select, file);
      const found = await firstDifference(tables, honest, other, 'labels');
      expect(found).toMatchObject({ file: 'labels/labels.parquet', row: 1, key: 'cluster_id 1' });
      expect(found?.differences).toHaveLength(1);
      expect(found?.differences[0]).toMatch(/^label {2}".*" → "Poetry"$/);
      rmSync(file);
      expect(await firstDifference(tables, honest, other, 'labels')).toMatchObject({
        file: 'labels/labels.parquet',
        row: null,
        differences: ['only the run has this file'],
      });
      expect(await firstDifference(tables, honest, honest, 'labels')).toBeNull();
    });
  });

  it('vectors agree with themselves to the last bit', () => {
    expect(compareVectors(honest, honest)?.vectors).toBe(18);
    expect(compareVectors(honest, honest)?.leastCosine).toBeGreaterThan(0.9999999);
  });
});
