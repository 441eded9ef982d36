import { GraphBuilder } from './onnx.js';
import { type Compute, openSession, type Session, unshared, type Value } from './session.js';

/** Tile of one product: its result stays in the cache between the product and the search for its largest entries. */
const tileRows = 512;
const tileColumns = 1024;

export interface NearestFound {
  /** By point: the row of the nearest centroid, the first of equals. */
  at: Int32Array;
  /** By point: its product with that centroid plus the centroid's bias. */
  score: Float32Array;
}

/** The matrix product of clustering: which of many centroids is nearest to each of many points. */
export interface Nearest {
  /**
   * `bias` is minus half the squared length of each centroid, so that the largest `x·c + bias` is the nearest. A point's
   * result is the same bits whatever its company and the number of threads.
   */
  find(points: Float32Array, centroids: Float32Array, bias: Float32Array): Promise<NearestFound>;
  /** The `count` nearest of each point in order of nearness: `points` × `count` rows of `centroids`. */
  findMany(points: Float32Array, centroids: Float32Array, bias: Float32Array, count: number): Promise<Int32Array>;
  close(): Promise<void>;
}

export async function openNearest(dimensions: number, compute: Compute): Promise<Nearest> {
  const best = await openSession(bestGraph(dimensions), compute);
  let many: Session | null = null;
  return {
    find: (points, centroids, bias) => findTiled(best, dimensions, points, centroids, bias),
    async findMany(points, centroids, bias, count) {
      many ??= await openSession(manyGraph(dimensions), compute);
      return findMany(many, dimensions, points, centroids, bias, count);
    },
    async close() {
      await best.close();
      await many?.close();
    },
  };
}

/** Minus half the squared length of each vector, summed in doubles so that it is the same on every CPU. */
export function biasOf(vectors: Float32Array, dimensions: number): Float32Array {
  const bias = new Float32Array(vectors.length / dimensions);
  for (let row = 0; row < bias.length; row += 1) bias[row] = rowBias(vectors, row * dimensions, dimensions);
  return bias;
}

/** `biasOf` of the one vector that begins at `start`. */
export function rowBias(vectors: Float32Array, start: number, dimensions: number): number {
  let sum = 0;
  for (let place = start; place < start + dimensions; place += 1) {
    const each = vectors[place] as number;
    sum += each * each;
  }
  return -sum / 2;
}

// ---------------------------------------------------------------------------------------------------------------------

function bestGraph(dimensions: number): Uint8Array {
  const graph = new GraphBuilder();
  const scores = scored(graph, dimensions);
  graph.node('ReduceMax', [scores], { axes: [1], keepdims: 0 }, 'score');
  graph.output('score', 'float32', ['points']);
  graph.node('Cast', [graph.node('ArgMax', [scores], { axis: 1, keepdims: 0 })], { to: int32 }, 'at');
  graph.output('at', 'int32', ['points']);
  return graph.encode();
}

function manyGraph(dimensions: number): Uint8Array {
  const graph = new GraphBuilder();
  const scores = scored(graph, dimensions);
  const count = graph.node('Cast', [graph.input('count', 'int32', [1])], { to: int64 });
  graph.node('TopK', [scores, count], { axis: 1, largest: 1, sorted: 1 }, 'values', ['places']);
  graph.node('Cast', ['places'], { to: int32 }, 'at');
  graph.output('at', 'int32', ['points', 'nearest']);
  return graph.encode();
}

const int32 = 6;
const int64 = 7;

function scored(graph: GraphBuilder, dimensions: number): string {
  const points = graph.input('points', 'float32', ['rows', dimensions]);
  const centroids = graph.input('centroids', 'float32', ['columns', dimensions]);
  const bias = graph.input('bias', 'float32', ['columns']);
  return graph.node('Gemm', [points, centroids, bias], { transB: 1 });
}

async function findTiled(
  session: Session,
  dimensions: number,
  points: Float32Array,
  centroids: Float32Array,
  bias: Float32Array,
): Promise<NearestFound> {
  const pointCount = points.length / dimensions;
  const at = new Int32Array(pointCount);
  const score = new Float32Array(pointCount).fill(Number.NEGATIVE_INFINITY);
  const own = unshared(points);
  for (let column = 0; column < bias.length; column += tileColumns) {
    const columns = Math.min(tileColumns, bias.length - column);
    const tile = {
      centroids: matrix(centroids.subarray(column * dimensions, (column + columns) * dimensions), dimensions),
      bias: { shape: [Math.max(2, columns)], content: twoOrMore(unshared(bias.subarray(column, column + columns)), 1) },
    };
    for (let row = 0; row < pointCount; row += tileRows) {
      const rows = Math.min(tileRows, pointCount - row);
      const part = own.subarray(row * dimensions, (row + rows) * dimensions);
      const found = await session.run({ points: matrix(part, dimensions), ...tile });
      const tileAt = found.at as Int32Array;
      const tileScore = found.score as Float32Array;
      for (let each = 0; each < rows; each += 1) {
        // Strictly better only, so that of equals the lowest stays.
        if ((tileScore[each] as number) > (score[row + each] as number)) {
          score[row + each] = tileScore[each] as number;
          at[row + each] = column + (tileAt[each] as number);
        }
      }
    }
  }
  return { at, score };
}

async function findMany(
  session: Session,
  dimensions: number,
  points: Float32Array,
  centroids: Float32Array,
  bias: Float32Array,
  count: number,
): Promise<Int32Array> {
  const pointCount = points.length / dimensions;
  const result = new Int32Array(pointCount * count);
  const own = unshared(points);
  const table = {
    centroids: { shape: [bias.length, dimensions], content: unshared(centroids) },
    bias: { shape: [bias.length], content: unshared(bias) },
  };
  // Rows of a tile so few that a tile of all centroids stays near 16 MB.
  const step = Math.max(1, Math.min(tileRows, Math.floor(4_194_304 / bias.length)));
  for (let row = 0; row < pointCount; row += step) {
    const rows = Math.min(step, pointCount - row);
    const found = await session.run({
      points: { shape: [rows, dimensions], content: own.subarray(row * dimensions, (row + rows) * dimensions) },
      ...table,
      count: { shape: [1], content: Int32Array.of(count) },
    });
    result.set(found.at as Int32Array, row * count);
  }
  return result;
}

function matrix(rows: Float32Array, dimensions: number): Value {
  const content = twoOrMore(unshared(rows), dimensions);
  return { shape: [content.length / dimensions, dimensions], content };
}

/** A single row or column goes through another kernel, which sums in another order: so it is taken twice. */
function twoOrMore(content: Float32Array, length: number): Float32Array {
  if (content.length !== length) return content;
  const twice = new Float32Array(2 * length);
  twice.set(content);
  twice.set(content, length);
  return twice;
}
