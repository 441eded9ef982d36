import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeArrays } from '../src/cluster/arrays.js';
import { arraySizes, clusterCost } from '../src/cluster/cost.js';
import { type Algorithm, countDistinct, kMeans } from '../src/cluster/kmeans.js';
import { FilePoints } from '../src/cluster/points.js';
import { openThreads } from '../src/cluster/team.js';
import { calibrate } from '../src/compute/calibrate.js';
import { openNearest } from '../src/compute/nearest.js';
import { conditions, printTable } from './conditions.js';
import { pythonWith, runPython } from './python.js';
import { type BenchVectors, benchVectors, optionOf } from './vectors.js';

/**
 * Our algorithms against faiss-cpu, scikit-learn and SuperKMeans on the same vectors in one run.
 * `npm run bench -- cluster [--data FILE | --vectors FOLDER] [--points N] [--k K] [--ours mini-batch,two-level] [--passes P]
 * [--rivals faiss:25,faiss:10,sklearn:78,superkmeans:10,superkmeans:hierarchical]` (`--rivals none`: ours alone). On a machine that does other work too, CPU
 * seconds of all threads compare better than seconds.
 */
export async function run(args: string[]): Promise<void> {
  const points = Number(optionOf(args, '--points') ?? 4_000);
  const k = Number(optionOf(args, '--k') ?? Math.round(points / 20));
  const threads = availableParallelism();
  const vectors = await benchVectors(args, points);
  const peak = await calibrate('native', threads);
  const exact = (2 * points * k * vectors.dimensions) / 1e9 / peak;
  console.log(conditions());
  console.log(`${vectors.description} → ${k} clusters, ${threads} threads`);
  console.log(`matrix products ${peak.toFixed(0)} GFLOP/s, so one exact pass is ${exact.toFixed(1)} s`);

  const rows: { name: string; seconds: number; cpu: number; inertia: number; note: string }[] = [];
  for (const algorithm of (optionOf(args, '--ours') ?? 'mini-batch,two-level').split(',')) {
    rows.push(await ours(vectors, k, threads, algorithm as Algorithm, Number(optionOf(args, '--passes') ?? 12)));
  }
  const rivals = optionOf(args, '--rivals') ?? 'faiss:25,faiss:10,sklearn:78,superkmeans:10,superkmeans:hierarchical';
  if (rivals !== 'none') {
    const python = pythonWith('cluster', ['numpy', 'faiss-cpu', 'scikit-learn', 'superkmeans']);
    if (python === null) console.log('faiss-cpu, scikit-learn and superkmeans cannot be had here');
    else rows.push(...theirs(python, vectors, k, threads, rivals));
  }
  const reference = rows.find((row) => row.name.startsWith('faiss')) ?? rows[0];
  printTable(
    ['', 'seconds', 'CPU s', 'CPU of faiss', 'inertia', 'above faiss', ''],
    rows.map((row) => [
      row.name,
      row.seconds.toFixed(1),
      row.cpu.toFixed(1),
      reference === undefined ? '' : (row.cpu / reference.cpu).toFixed(3),
      row.inertia.toFixed(1),
      reference === undefined ? '' : `${(100 * (row.inertia / reference.inertia - 1)).toFixed(2)} %`,
      row.note,
    ]),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

async function ours(vectors: BenchVectors, k: number, threads: number, algorithm: Algorithm, passes: number) {
  const size = {
    points: vectors.count,
    clusters: k,
    dimensions: vectors.dimensions,
    algorithm,
    passes,
    workers: threads,
  };
  const points = new FilePoints(vectors.files);
  const begin = performance.now();
  const beginCpu = process.cpuUsage();
  const arrays = makeArrays(arraySizes(size, false));
  const team = openThreads(vectors.files, 'native', arrays, threads);
  const nearest = await openNearest(vectors.dimensions, 'native');
  await countDistinct(arrays, points, team, (point) => points.describe(point));
  const course = await kMeans(arrays, points, team, nearest, { algorithm, passes, settled: 0.003, seed: 1 });
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(beginCpu);
  const cpu = (used.user + used.system) / 1e6;
  await team.close();
  await nearest.close();
  points.close();
  const memory = `${(process.memoryUsage.rss() / 1e9).toFixed(1)} GB resident, ${(clusterCost(size).memoryBytes / 1e9).toFixed(1)} estimated`;
  const note = `moved ${course.moved.join(', ')} · exact pass ${course.movedByExactPass} · empty ${course.emptyFilled} · ${memory}`;
  return { name: `curate ${algorithm}, ${course.moved.length} passes`, seconds, cpu, inertia: course.inertia, note };
}

function theirs(python: string, vectors: BenchVectors, k: number, threads: number, rivals: string) {
  const folder = join(import.meta.dirname, '.cache');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'bench.f32');
  const points = new FilePoints(vectors.files);
  const all = new Float32Array(points.count * points.dimensions);
  points.read(0, points.count, all);
  points.close();
  writeFileSync(path, all);
  const found = runPython<{ name: string; seconds: number; cpu: number; inertia: number }[]>(python, 'cluster.py', [
    path,
    String(vectors.dimensions),
    String(k),
    String(threads),
    rivals,
  ]);
  return found.map((row) => ({ ...row, note: '' }));
}
