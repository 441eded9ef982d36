import { GraphBuilder } from './onnx.js';
import { type Compute, openSession } from './session.js';

const rows = 512;
const columns = 1024;
const width = 384;

/**
 * The rate of matrix products on this machine now, in GFLOP/s of all threads together: what times are estimated from and
 * what benches call the peak. Takes about `seconds`.
 */
export async function calibrate(compute: Compute, threads: number, seconds = 2): Promise<number> {
  const graph = new GraphBuilder();
  const points = graph.input('points', 'float32', [rows * threads, width]);
  graph.node('MatMul', [points, graph.floats(waves(width * columns), [width, columns])], {}, 'product');
  graph.output('product', 'float32', [rows * threads, columns]);
  const session = await openSession(graph.encode(), compute, threads);
  try {
    const input = { points: { shape: [rows * threads, width], content: waves(rows * threads * width) } };
    await session.run(input);
    const flop = 2 * rows * threads * width * columns;
    let best = 0;
    for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
      const begin = performance.now();
      await session.run(input);
      best = Math.max(best, flop / (performance.now() - begin) / 1e6);
    }
    return best;
  } finally {
    await session.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function waves(length: number): Float32Array {
  return Float32Array.from({ length }, (_, place) => Math.sin(place));
}
