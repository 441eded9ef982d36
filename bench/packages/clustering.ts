import { makeArrays } from '../../src/cluster/arrays.js';
import { arraySizes } from '../../src/cluster/cost.js';
import { kMeans } from '../../src/cluster/kmeans.js';
import { MemoryPoints } from '../../src/cluster/points.js';
import { sample, seededRandom } from '../../src/cluster/random.js';
import { openAlone } from '../../src/cluster/team.js';
import { biasOf, openNearest } from '../../src/compute/nearest.js';
import { cpuSeconds, type Line, rival } from './rivals.js';
import { dimensions, inertiaOf, noisy, rowOf } from './vectors.js';

interface MlKMeans {
  kmeans(
    points: number[][],
    count: number,
    options: { initialization: number[][]; maxIterations: number; tolerance: number },
  ): { centroids: number[][] };
}

export async function clustering(vectors: Float32Array, k: number, passes: number): Promise<Line[]> {
  const { kmeans } = (await rival('ml-kmeans')) as MlKMeans;
  const count = vectors.length / dimensions;
  const points = Array.from({ length: count }, (_, row) => Array.from(rowOf(vectors, row)));
  const start = [...sample(count, k, seededRandom(1, 'start')).sort()].map((point) => points[point] ?? []);
  let theirs = new Float32Array();
  const theirSeconds = await cpuSeconds(async () => {
    const found = kmeans(points, k, { initialization: start, maxIterations: passes, tolerance: 0 });
    theirs = Float32Array.from(found.centroids.flat());
  });
  const theirInertia = inertiaOf(vectors, theirs);
  const lines: Line[] = [];
  for (const algorithm of ['lloyd', 'mini-batch'] as const) {
    const arrays = makeArrays(
      arraySizes({ points: count, clusters: k, dimensions, algorithm, passes, workers: 1 }, false),
    );
    const memory = new MemoryPoints(vectors, dimensions);
    const team = await openAlone(memory, 'native', arrays);
    const nearest = await openNearest(dimensions, 'native');
    const ours = await cpuSeconds(async () => {
      await kMeans(arrays, memory, team, nearest, { algorithm, passes, settled: 0, seed: 1 });
    });
    await team.close();
    await nearest.close();
    const inertia = inertiaOf(vectors, arrays.centroids);
    const begin = algorithm === 'lloyd' ? 'same start' : 'our own start';
    lines.push([
      `ml-kmeans: ${count} points to ${k}, ${passes} passes; ours ${algorithm}, ${begin}`,
      `${theirSeconds.toFixed(2)} s, inertia ${theirInertia.toFixed(1)}`,
      `${ours.toFixed(2)} s, inertia ${inertia.toFixed(1)}`,
      (theirSeconds / ours).toFixed(1),
    ]);
  }
  return lines;
}

interface Hnsw {
  HierarchicalNSW: new (
    space: 'l2',
    size: number,
  ) => {
    initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
    addPoint(point: number[], label: number): void;
    setEf(ef: number): void;
    searchKnn(point: number[], count: number): { neighbors: number[] };
  };
}

export async function neighbours(centroids: Float32Array): Promise<Line[]> {
  const { HierarchicalNSW } = (await rival('hnswlib-node')) as Hnsw;
  const count = centroids.length / dimensions;
  const queryCount = 2_000;
  const random = seededRandom(3, 'queries');
  const queries = new Float32Array(queryCount * dimensions);
  for (let row = 0; row < queryCount; row += 1) {
    noisy(rowOf(centroids, Math.floor(random() * count)), rowOf(queries, row), random);
  }
  const nearest = await openNearest(dimensions, 'native');
  const bias = biasOf(centroids, dimensions);
  await nearest.find(rowOf(queries, 0), centroids, bias);
  let exact = new Int32Array();
  const ours = await cpuSeconds(async () => {
    exact = Int32Array.from((await nearest.find(queries, centroids, bias)).at);
  });
  await nearest.close();
  const index = new HierarchicalNSW('l2', dimensions);
  index.initIndex({ maxElements: count, m: 16, efConstruction: 100, randomSeed: 1 });
  const built = await cpuSeconds(async () => {
    for (let row = 0; row < count; row += 1) index.addPoint(Array.from(rowOf(centroids, row)), row);
  });
  const points = Array.from({ length: queryCount }, (_, row) => Array.from(rowOf(queries, row)));
  const rate = (time: number) => `${(queryCount / time).toFixed(0)} queries/s`;
  const lines: Line[] = [];
  for (const ef of [32, 128]) {
    index.setEf(ef);
    let hits = 0;
    const theirs = await cpuSeconds(async () => {
      for (const [row, point] of points.entries()) if (index.searchKnn(point, 1).neighbors[0] === exact[row]) hits += 1;
    });
    const recall = `recall@1 ${((100 * hits) / queryCount).toFixed(1)} %`;
    lines.push([
      `hnswlib-node: nearest of ${count} centroids, M 16, ef ${ef}`,
      `${rate(theirs)}, ${recall}`,
      `${rate(ours)}, exact`,
      (theirs / ours).toFixed(2),
    ]);
  }
  lines.push([
    '  before the first query (centroids move after each batch)',
    `${built.toFixed(1)} s to build`,
    'nothing',
    '',
  ]);
  return lines;
}
