import { GraphBuilder } from './onnx.js';
import { type Compute, openSession } from './session.js';

/** Columns of a tile are a multiple of it: what is possible is read four truth values at a time. */
export const screenStep = 8;

/**
 * Two products that rule out most centroids for a point at a third of the price of the whole product: see
 * `src/cluster/projection.ts` for what the rows hold and why nothing near is lost.
 */
export interface Screen {
  /** `rows` × `dimensions` times `dimensions` × `axes`: `rows` × `axes`. */
  project(rows: Float32Array, dimensions: number, basis: Float32Array): Promise<Float32Array<ArrayBuffer>>;
  /**
   * A byte for each pair of a point and a centroid, by points: 1 where their product and the centroid's bias are above 0.
   * `width` values to a row; the number of centroids is a multiple of `screenStep`.
   */
  possible(points: Float32Array, centroids: Float32Array, bias: Float32Array, width: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export async function openScreen(compute: Compute): Promise<Screen> {
  const projection = await openSession(projectionGraph(), compute);
  const possible = await openSession(possibleGraph(), compute);
  return {
    async project(rows, dimensions, basis) {
      const result = await projection.run({
        rows: { shape: [rows.length / dimensions, dimensions], content: rows },
        basis: { shape: [dimensions, basis.length / dimensions], content: basis },
      });
      return result.projected as Float32Array<ArrayBuffer>;
    },
    async possible(points, centroids, bias, width) {
      const result = await possible.run({
        points: { shape: [points.length / width, width], content: points },
        centroids: { shape: [bias.length, width], content: centroids },
        bias: { shape: [bias.length], content: bias },
      });
      return result.possible as Uint8Array;
    },
    async close() {
      await projection.close();
      await possible.close();
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function projectionGraph(): Uint8Array {
  const graph = new GraphBuilder();
  const rows = graph.input('rows', 'float32', ['rows', 'dimensions']);
  const basis = graph.input('basis', 'float32', ['dimensions', 'axes']);
  graph.node('MatMul', [rows, basis], {}, 'projected');
  graph.output('projected', 'float32', ['rows', 'axes']);
  return graph.encode();
}

function possibleGraph(): Uint8Array {
  const graph = new GraphBuilder();
  const points = graph.input('points', 'float32', ['rows', 'width']);
  const centroids = graph.input('centroids', 'float32', ['columns', 'width']);
  const bias = graph.input('bias', 'float32', ['columns']);
  const scores = graph.node('Gemm', [points, centroids, bias], { transB: 1 });
  graph.node('Greater', [scores, graph.floats(Float32Array.of(0), [1])], {}, 'possible');
  graph.output('possible', 'bool', ['rows', 'columns']);
  return graph.encode();
}
