import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cluster } from '../../src/cluster/cluster.js';
import { seededRandom } from '../../src/cluster/random.js';
import type { StageContext } from '../../src/pipeline/stage.js';
import { Problem } from '../../src/problem.js';
import { sha256 } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';
import { parquet, Tables } from '../../src/store/tables.js';
import { VectorFile, writeVectors } from '../../src/store/vectors.js';
import { contextOf } from '../embed/small-run.js';

const dimensions = 8;

describe('the cluster stage', () => {
  it('writes the same bytes whatever the workers and the cut of the vector files', async () => {
    const points = clouds(3_000, 150);
    const outputs = [];
    for (const { workers, cut } of [
      { workers: 1, cut: 3_000 },
      { workers: 2, cut: 1_024 },
      { workers: 3, cut: 999 },
    ]) {
      const run = await vectorsRun(points, cut);
      const report = await clusterAll(run, { k: 1_200, exemplars: 3 }, { workers });
      outputs.push({ report, files: filesOf(run) });
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  }, 120_000);

  it('writes a cluster for every prompt, centroids by id, and the nearest of each as exemplars', async () => {
    const points = clouds(200, 9);
    const run = await vectorsRun(points, 77);
    const report = await clusterAll(run, { k: 9, exemplars: 5, passes: 4 });
    expect(report).toMatchObject({ unit: 'prompts', in: 200, kept: 200, figures: { k: 9, metric: 'euclidean' } });
    const centroids = readCentroids(run);
    const { assignments, exemplars } = await readTables(run);
    expect(assignments.map((row) => row.prompt_key)).toEqual(points.map((_, place) => keyOf(place)));
    assignments.forEach((row, place) => {
      const distances = centroids.map((centroid) => distance(points[place] ?? [], centroid));
      expect(distances[row.cluster_id]).toBeCloseTo(Math.min(...distances), 5);
      expect(row.distance).toBeCloseTo(Math.min(...distances), 5);
    });
    for (let id = 0; id < 9; id += 1) {
      const members = assignments
        .filter((row) => row.cluster_id === id)
        .sort((a, b) => a.distance - b.distance || (a.prompt_key < b.prompt_key ? -1 : 1));
      const found = exemplars.filter((row) => row.cluster_id === id);
      expect(found.map((row) => row.rank)).toEqual(members.slice(0, 5).map((_, place) => place + 1));
      expect(found.map((row) => row.prompt_key)).toEqual(members.slice(0, 5).map((row) => row.prompt_key));
    }
  });

  it('measures 1 − cosine where it is spherical', async () => {
    const points = clouds(120, 5).map((point) => point.map((value) => value / Math.hypot(...point)));
    const run = await vectorsRun(points, 120);
    await clusterAll(run, { k: 5, metric: 'spherical' });
    const centroids = readCentroids(run);
    const { assignments } = await readTables(run);
    assignments.forEach((row, place) => {
      const centroid = centroids[row.cluster_id] ?? [];
      const cosine = (points[place] ?? []).reduce((sum, value, each) => sum + value * (centroid[each] ?? 0), 0);
      expect(row.distance).toBeCloseTo(1 - cosine, 5);
    });
  });

  it('gives on WebAssembly what it gives natively, where no two centroids are equally near', async () => {
    const points = clouds(150, 6);
    const runs = [];
    for (const compute of ['native', 'portable'] as const) {
      const run = await vectorsRun(points, 150);
      await clusterAll(run, { k: 6, passes: 3 }, { compute });
      runs.push((await readTables(run)).assignments.map((row) => row.cluster_id));
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  it.each([
    [{ k: 11 }, 'more clusters than prompts', 'k: 11, but there are 10 prompts'],
    [{ k: 8 }, 'more clusters than distinct prompts', 'k: 8, but there are 7 distinct prompts'],
  ])('refuses %o of ten prompts, three of them alike', async (options, what, found) => {
    const points = clouds(7, 7);
    const run = await vectorsRun([...points, points[0] ?? [], points[0] ?? [], points[1] ?? []], 4);
    const problem = (await clusterAll(run, options).catch((error: unknown) => error)) as Problem;
    expect(problem).toBeInstanceOf(Problem);
    expect([problem.message, problem.parts.found]).toEqual([what, found]);
  });

  it('names the row of a vector that is no number', async () => {
    const points = clouds(30, 3);
    points[17] = Array(dimensions).fill(Number.NaN);
    const run = await vectorsRun(points, 10);
    const problem = (await clusterAll(run, { k: 3 }).catch((error: unknown) => error)) as Problem;
    expect(problem.parts.where).toMatch(/vectors\/00001\.arrow, row 7$/);
  });

  it('has nothing to do without vectors but to say so', async () => {
    const run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-cluster-')));
    await expect(clusterAll(run, { k: 1 })).rejects.toThrow('more clusters than prompts');
  });
});

function keyOf(place: number): string {
  return sha256(String(place)).slice(0, 32);
}

async function vectorsRun(points: number[][], cut: number): Promise<RunFolder> {
  const run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-cluster-')));
  for (let start = 0; start < points.length; start += cut) {
    const part = points.slice(start, start + cut);
    const name = `${String(start / cut).padStart(5, '0')}.arrow`;
    await writeVectors(run.file('vectors', name), run.temporary, {
      keys: part.map((_, place) => keyOf(start + place)),
      vectors: Float32Array.from(part.flat()),
      dimensions,
    });
  }
  return run;
}

async function clusterAll(run: RunFolder, options: object, settings: Partial<StageContext> = {}) {
  const context = contextOf(run, { workers: 2, ...settings });
  const parsed = cluster.options.parse(options);
  const reports = [];
  for (const task of await cluster.tasks(parsed, context)) reports.push(await cluster.work(task, parsed, context));
  return cluster.finish(reports, parsed, context);
}

function filesOf(run: RunFolder): Record<string, string> {
  const names = ['centroids.arrow', 'assignments.parquet', 'exemplars.parquet'];
  return Object.fromEntries(names.map((name) => [name, sha256(readFileSync(run.file('clusters', name)))]));
}

function readCentroids(run: RunFolder): number[][] {
  const file = new VectorFile(run.file('clusters', 'centroids.arrow'));
  const vectors = new Float32Array(file.rowCount * file.dimensions);
  file.read(0, file.rowCount, vectors);
  file.close();
  return Array.from({ length: file.rowCount }, (_, row) => [
    ...vectors.slice(row * dimensions, (row + 1) * dimensions),
  ]);
}

async function readTables(run: RunFolder) {
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  type Assignment = { prompt_key: string; cluster_id: number; distance: number };
  try {
    return {
      assignments: await tables.rows<Assignment>(
        `SELECT * FROM ${parquet([run.file('clusters', 'assignments.parquet')])}`,
      ),
      exemplars: await tables.rows<Assignment & { rank: number }>(
        `SELECT * FROM ${parquet([run.file('clusters', 'exemplars.parquet')])}`,
      ),
    };
  } finally {
    tables.close();
  }
}

function clouds(count: number, middles: number): number[][] {
  const random = seededRandom(count, `clouds ${middles}`);
  return Array.from({ length: count }, (_, point) =>
    Array.from({ length: dimensions }, (_, place) => Math.fround(Math.sin((point % middles) * (place + 3)) + random())),
  );
}

function distance(a: number[], b: number[]): number {
  return Math.sqrt(a.reduce((sum, value, place) => sum + (value - (b[place] ?? 0)) ** 2, 0));
}
