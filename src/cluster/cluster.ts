import { z } from 'zod';
import { openNearest } from '../compute/nearest.js';
import { defineStage, type StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { FLOAT, INTEGER, VARCHAR } from '../store/duckdb.js';
import { writeVectors } from '../store/vectors.js';
import { type Arrays, makeArrays } from './arrays.js';
import { arraySizes, type ClusterSize, clusterCost, refuseBeyond } from './cost.js';
import { exemplars } from './exemplars.js';
import { type Course, countDistinct, kMeans } from './kmeans.js';
import { FilePoints } from './points.js';
import { sizeFigures } from './sizes.js';
import { openThreads, type Team } from './team.js';

/** How prompts are clustered. The only home of the stage's defaults. */
export const clusterOptions = z.strictObject({
  /** Clusters. */
  k: z.int().min(1),
  algorithm: z.enum(['mini-batch', 'two-level', 'lloyd']).default('mini-batch'),
  /** spherical: centroids are directions, distances are 1 − cosine. */
  metric: z.enum(['euclidean', 'spherical']).default('euclidean'),
  /** Prompts nearest to the centre that are written down per cluster. */
  exemplars: z.int().min(1).max(1000).default(30),
  /** Passes over all points before the exact one; fewer where the points settle earlier. */
  passes: z.int().min(0).max(1000).default(12),
  /** The passes end when a smaller share of the points than this has moved in one. */
  settled: z.number().min(0).max(1).default(0.003),
});

export type ClusterOptions = z.infer<typeof clusterOptions>;

/** Every vector gets a cluster, and every cluster the prompts that stand for it. */
export const cluster = defineStage<ClusterOptions, { files: number; size: number }>({
  name: 'cluster',
  summary: 'vectors become clusters with exemplars',
  version: 1,
  options: clusterOptions,
  reads: ['vectors'],
  joins: [],
  writes: ['clusters'],
  runs: 'here',

  async inputs() {
    return [];
  },

  async tasks(_, context) {
    const files = context.run.files('vectors', '.arrow');
    const points = new FilePoints(files);
    points.close();
    return [{ files: files.length, size: points.count }];
  },

  async work(_, options, context) {
    const files = context.run.files('vectors', '.arrow');
    const points = new FilePoints(files);
    try {
      enoughPoints(options.k, points.count, 'prompts');
      const size: ClusterSize = {
        points: points.count,
        clusters: options.k,
        dimensions: points.dimensions,
        algorithm: options.algorithm,
        passes: options.passes,
        workers: context.workers,
      };
      refuseBeyond(clusterCost(size), availableBytes(), options.k);
      const arrays = makeArrays(arraySizes(size, options.metric === 'spherical'));
      const team = openThreads(files, context.compute, arrays, context.workers);
      try {
        const course = await run(arrays, points, team, options, context);
        const files = await write(arrays, points, options, context);
        return { files, ...figuresOf(arrays, course), points: points.count };
      } finally {
        await team.close();
      }
    } finally {
      points.close();
    }
  },

  async finish(reports, options) {
    const [report] = reports;
    if (report === undefined) throw new Error('cluster has one task and it left no report');
    const { files: _, points, ...figures } = report;
    return {
      unit: 'prompts',
      in: Number(points),
      kept: Number(points),
      dropped: {},
      quarantined: 0,
      figures: { k: options.k, algorithm: options.algorithm, metric: options.metric, ...figures },
      notes: {},
      warnings: [],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

const keyBytes = 32;

async function run(
  arrays: Arrays,
  points: FilePoints,
  team: Team,
  options: ClusterOptions,
  context: StageContext,
): Promise<Course> {
  enoughPoints(
    options.k,
    await countDistinct(arrays, points, team, (point) => points.describe(point)),
    'distinct prompts',
  );
  const nearest = await openNearest(points.dimensions, context.compute);
  try {
    const plan = {
      algorithm: options.algorithm,
      passes: options.passes,
      settled: options.settled,
      seed: context.seed,
    };
    const total = points.count * (options.passes + 1);
    const progress = (pass: number, done: number) =>
      context.progress({ done: pass * points.count + done, total, unit: 'points' });
    return await kMeans(arrays, points, team, nearest, plan, progress, context.signal);
  } finally {
    await nearest.close();
  }
}

async function write(
  arrays: Arrays,
  points: FilePoints,
  options: ClusterOptions,
  context: StageContext,
): Promise<string[]> {
  const { run } = context;
  await writeVectors(run.file('clusters', 'centroids.arrow'), run.temporary, {
    keys: null,
    vectors: new Float32Array(arrays.centroids),
    dimensions: arrays.dimensions,
  });
  const keys = points.keys(keyBytes);
  const keyOf = (point: number) => keys.toString('latin1', point * keyBytes, (point + 1) * keyBytes);
  const distance = (point: number) => {
    const squared = arrays.squared[point] as number;
    return arrays.spherical ? squared / 2 : Math.sqrt(squared);
  };
  const tables = await context.openTables();
  try {
    const assignments = await tables.writer({ prompt_key: VARCHAR, cluster_id: INTEGER, distance: FLOAT });
    for (let point = 0; point < points.count; point += 1) {
      await assignments.append({
        prompt_key: keyOf(point),
        cluster_id: arrays.assigned[point] as number,
        distance: distance(point),
      });
    }
    await assignments.writeTo(run.file('clusters', 'assignments.parquet'));
    const chosen = await tables.writer({ cluster_id: INTEGER, rank: INTEGER, prompt_key: VARCHAR, distance: FLOAT });
    const compareKeys = (a: number, b: number) =>
      keys.compare(keys, b * keyBytes, (b + 1) * keyBytes, a * keyBytes, (a + 1) * keyBytes);
    const { assigned, squared, clusterCount } = arrays;
    for (const each of exemplars(assigned, squared, clusterCount, options.exemplars, compareKeys)) {
      await chosen.append({
        cluster_id: each.cluster,
        rank: each.rank,
        prompt_key: keyOf(each.point),
        distance: distance(each.point),
      });
    }
    await chosen.writeTo(run.file('clusters', 'exemplars.parquet'));
  } finally {
    tables.close();
  }
  return ['clusters/centroids.arrow', 'clusters/assignments.parquet', 'clusters/exemplars.parquet'];
}

/** Rounded to what does not depend on the order of sums, so that locks of two machines are near to equal too. */
function figuresOf(arrays: Arrays, course: Course) {
  return {
    inertia: Number(course.inertia.toPrecision(6)),
    moved_by_pass: course.moved,
    moved_by_exact_pass: course.movedByExactPass,
    empty_filled: course.emptyFilled,
    sizes: { ...sizeFigures(arrays.counts) },
  };
}

function enoughPoints(k: number, found: number, what: string): void {
  if (k <= found) return;
  throw new Problem(`more clusters than ${what}`, {
    where: 'cluster.k',
    found: `k: ${k}, but there are ${found} ${what}`,
    try: `a k of at most ${found}`,
  });
}

function availableBytes(): number {
  // Node 20 has it from 20.13 on; its types do not know it yet.
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.call(process) ?? Number.POSITIVE_INFINITY;
}
