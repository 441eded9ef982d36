import type { InferenceSession, Tensor } from 'onnxruntime-node';

/** native: this CPU's fastest instructions. portable: WebAssembly, slower, the same bits on every CPU. */
export type Compute = 'native' | 'portable';

export type Value = { shape: readonly number[]; content: Float32Array | Int32Array };

/** What a graph gives: a byte of 0 or 1 for each truth value. */
export type Result = Float32Array | Int32Array | Uint8Array;

/** A loaded graph. `run` blocks its thread while it computes. */
export interface Session {
  run(inputs: Record<string, Value>): Promise<Record<string, Result>>;
  close(): Promise<void>;
}

/** Loads a graph. `threads` are threads inside one product; workers take 1 each. */
export async function openSession(graph: Uint8Array, compute: Compute, threads = 1): Promise<Session> {
  const runtime = compute === 'native' ? await nativeRuntime() : await portableRuntime(threads);
  const session = await runtime.InferenceSession.create(graph, {
    executionProviders: [compute === 'native' ? 'cpu' : 'wasm'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  return {
    async run(inputs) {
      const feeds: Record<string, Tensor> = {};
      for (const [name, { shape, content }] of Object.entries(inputs)) {
        feeds[name] =
          content instanceof Float32Array
            ? new runtime.Tensor('float32', content, shape)
            : new runtime.Tensor('int32', content, shape);
      }
      const results = await session.run(feeds);
      const contents: Record<string, Result> = {};
      for (const [name, tensor] of Object.entries(results)) contents[name] = tensor.data as Result;
      return contents;
    },
    close: () => session.release(),
  };
}

/** ONNX Runtime refuses memory that threads share ("Invalid argument"), so such a piece is copied. */
export function unshared(content: Float32Array): Float32Array {
  return content.buffer instanceof SharedArrayBuffer ? new Float32Array(content) : content;
}

/** The version of the runtime that makes the bits. */
export async function runtimeVersion(compute: Compute): Promise<string> {
  const { env } = compute === 'native' ? await import('onnxruntime-node') : await import('onnxruntime-web');
  return env.versions.common;
}

// ---------------------------------------------------------------------------------------------------------------------

interface Runtime {
  InferenceSession: typeof InferenceSession;
  Tensor: typeof Tensor;
}

async function nativeRuntime(): Promise<Runtime> {
  return await import('onnxruntime-node');
}

async function portableRuntime(threads: number): Promise<Runtime> {
  const runtime = await import('onnxruntime-web');
  runtime.env.wasm.numThreads = threads;
  return runtime as unknown as Runtime;
}
