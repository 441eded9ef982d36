import { GraphBuilder } from './onnx.js';
import { type Compute, openSession } from './session.js';

export interface TopFound {
  /** By point, `count` rows of the table from the largest product down; of equals the lowest row first. */
  at: Int32Array;
  score: Float32Array;
}

/** The rows of a fixed table that have the largest products with each of many points. */
export interface TopProducts {
  /** How many rows `find` gives per point: what was asked for, or all of a smaller table. */
  count: number;
  /** A point's result is the same bits whatever its company. */
  find(points: Float32Array): Promise<TopFound>;
  close(): Promise<void>;
}

/** `table`: vectors one after another; they become a constant of the graph, so that they are packed only once. */
export async function openTopProducts(
  table: Float32Array,
  dimensions: number,
  count: number,
  compute: Compute,
): Promise<TopProducts> {
  const rows = table.length / dimensions;
  const taken = Math.min(count, rows);
  const graph = new GraphBuilder();
  const points = graph.input('points', 'float32', ['rows', dimensions]);
  // A single row goes through another kernel, which sums in another order: so it is taken twice.
  const held = rows === 1 ? twice(table) : table;
  const scores = graph.node('Gemm', [points, graph.floats(held, [held.length / dimensions, dimensions])], {
    transB: 1,
  });
  graph.node('TopK', [scores, graph.integers([taken])], { axis: 1, largest: 1, sorted: 1 }, 'score', ['places']);
  graph.node('Cast', ['places'], { to: int32 }, 'at');
  graph.output('score', 'float32', ['rows', taken]);
  graph.output('at', 'int32', ['rows', taken]);
  const session = await openSession(graph.encode(), compute);
  const step = Math.max(2, Math.min(mostRows, Math.floor((tileFloats * dimensions) / held.length)));
  return {
    count: taken,
    async find(all) {
      const pointCount = all.length / dimensions;
      const found = { at: new Int32Array(pointCount * taken), score: new Float32Array(pointCount * taken) };
      for (let row = 0; row < pointCount; row += step) {
        const part = all.subarray(row * dimensions, Math.min(pointCount, row + step) * dimensions);
        const content = part.length === dimensions ? twice(part) : part.slice();
        const result = await session.run({ points: { shape: [content.length / dimensions, dimensions], content } });
        const own = (part.length / dimensions) * taken;
        found.at.set((result.at as Int32Array).subarray(0, own), row * taken);
        found.score.set((result.score as Float32Array).subarray(0, own), row * taken);
      }
      return found;
    },
    close: () => session.close(),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

const int32 = 6;
/** Of a tile: so few that all products of it stay near 16 MB. */
const mostRows = 512;
const tileFloats = 4_194_304;

function twice(row: Float32Array): Float32Array {
  const content = new Float32Array(2 * row.length);
  content.set(row);
  content.set(row, row.length);
  return content;
}
