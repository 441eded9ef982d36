import { GraphBuilder } from './onnx.js';
import { readSafetensors } from './safetensors.js';

/** Raised when the graph's arithmetic changes: vectors of another version are other vectors. */
export const graphVersion = 1;

/** The measures of a BERT encoder. */
export interface EncoderShape {
  width: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward part. */
  inner: number;
  vocabulary: number;
  /** The longest text, with its two special tokens; later positions are left out. */
  tokens: number;
  epsilon: number;
}

/** Of all-MiniLM-L6-v2; the longest text is sentence-transformers' `max_seq_length` for it. */
export const miniLmShape: EncoderShape = {
  width: 384,
  layers: 6,
  heads: 12,
  inner: 1536,
  vocabulary: 30_522,
  tokens: 256,
  epsilon: 1e-12,
};

export const maximumTokens = miniLmShape.tokens;

/**
 * A BERT sentence encoder as one ONNX graph from token ids `[texts, tokens]` to unit vectors `[texts, width]`. A batch
 * holds texts of one exact token length: there is no padding, attention needs no mask, and a text's bits cannot depend on
 * its neighbours. `mask` `[texts, 1, tokens]` holds one over the number of tokens and makes the mean. The fused operators
 * are those of ONNX Runtime, native and WebAssembly alike.
 */
export function embeddingGraph(safetensors: Uint8Array, shape: EncoderShape = miniLmShape): Uint8Array {
  const { width, vocabulary, tokens } = shape;
  const tensors = readSafetensors(safetensors);
  const tensor = (name: string): Float32Array => {
    const found = tensors.get(name) ?? tensors.get(`bert.${name}`);
    if (found === undefined) throw new Error(`the weights lack ${name} as float32`);
    return found.content;
  };
  const graph = new GraphBuilder();
  const ids = graph.input('ids', 'int32', ['texts', 'tokens']);
  let state = graph.node(
    'microsoft.EmbedLayerNormalization',
    [
      ids,
      '',
      graph.floats(tensor('embeddings.word_embeddings.weight'), [vocabulary, width]),
      graph.floats(positions(tensor, shape), [tokens, width]),
      '',
      graph.floats(tensor('embeddings.LayerNorm.weight'), [width]),
      graph.floats(tensor('embeddings.LayerNorm.bias'), [width]),
    ],
    { epsilon: { float: shape.epsilon } },
    'embedded',
    ['unused mask index'],
  );
  for (let layer = 0; layer < shape.layers; layer += 1) {
    state = encoderLayer(graph, shape, state, (name) => tensor(`encoder.layer.${layer}.${name}`));
  }
  // A product and not ReduceMean, whose order of summing is another one for a batch of one text.
  const mean = graph.node('MatMul', [graph.input('mask', 'float32', ['texts', 1, 'tokens']), state]);
  graph.node('LpNormalization', [mean], { axis: 2, p: 2 }, 'vectors');
  graph.output('vectors', 'float32', ['texts', 1, width]);
  return graph.encode();
}

/** Multiplications and additions, times two, that a text of so many tokens takes: what a rate in GFLOP/s refers to. */
export function embeddingFlop(tokens: number, { width, inner, layers }: EncoderShape = miniLmShape): number {
  const matrices = 4 * width * width + 2 * width * inner;
  return 2 * layers * (tokens * matrices + 2 * tokens * tokens * width);
}

// ---------------------------------------------------------------------------------------------------------------------

function encoderLayer(
  graph: GraphBuilder,
  { width, inner, heads, epsilon }: EncoderShape,
  state: string,
  tensor: (name: string) => Float32Array,
): string {
  const matrix = (name: string, rows: number, columns: number) =>
    graph.floats(transposed(tensor(name), columns, rows), [rows, columns]);
  const vector = (name: string, length: number) => graph.floats(tensor(name), [length]);
  const normalized = (sum: string, skip: string, part: string) =>
    graph.node(
      'microsoft.SkipLayerNormalization',
      [
        sum,
        skip,
        vector(`${part}.LayerNorm.weight`, width),
        vector(`${part}.LayerNorm.bias`, width),
        vector(`${part}.dense.bias`, width),
      ],
      { epsilon: { float: epsilon } },
    );

  const [weights, bias] = queryKeyValue(tensor, width);
  const attended = graph.node(
    'microsoft.Attention',
    [state, graph.floats(weights, [width, 3 * width]), graph.floats(bias, [3 * width])],
    { num_heads: heads },
  );
  const projected = graph.node('MatMul', [attended, matrix('attention.output.dense.weight', width, width)]);
  const middle = normalized(projected, state, 'attention.output');
  const widened = graph.node('MatMul', [middle, matrix('intermediate.dense.weight', width, inner)]);
  const activated = graph.node('microsoft.BiasGelu', [widened, vector('intermediate.dense.bias', inner)]);
  const narrowed = graph.node('MatMul', [activated, matrix('output.dense.weight', inner, width)]);
  return normalized(narrowed, middle, 'output');
}

/** The position table with the one segment's row added, as every text is of segment 0. */
function positions(tensor: (name: string) => Float32Array, { width, tokens }: EncoderShape): Float32Array {
  const table = tensor('embeddings.position_embeddings.weight').slice(0, tokens * width);
  const segment = tensor('embeddings.token_type_embeddings.weight');
  return table.map((each, index) => each + (segment[index % width] ?? 0));
}

/** The three projections side by side, as one matrix product makes them. */
function queryKeyValue(tensor: (name: string) => Float32Array, width: number): [Float32Array, Float32Array] {
  const weights = new Float32Array(width * 3 * width);
  const bias = new Float32Array(3 * width);
  ['query', 'key', 'value'].forEach((part, place) => {
    const matrix = transposed(tensor(`attention.self.${part}.weight`), width, width);
    for (let row = 0; row < width; row += 1) {
      weights.set(matrix.subarray(row * width, (row + 1) * width), row * 3 * width + place * width);
    }
    bias.set(tensor(`attention.self.${part}.bias`), place * width);
  });
  return [weights, bias];
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = matrix[row * columns + column] ?? 0;
    }
  }
  return result;
}
