import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { embeddingGraph } from '../../src/compute/graph.js';
import { readSafetensors } from '../../src/compute/safetensors.js';
import { ensureModel, miniLm, readModelFile } from '../../src/compute/weights.js';
import { dimensions } from './vectors.js';

const { onnx } = onnxProto;

/**
 * The folder that transformers.js loads: our own graph with its inputs, its mask, all 512 positions and its output. So the
 * rival gets the fused operators too, and what is compared is what lies around them.
 */
export async function writeModel(path: string): Promise<void> {
  const source = await ensureModel(miniLm);
  mkdirSync(join(path, 'onnx'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(source, name), join(path, name));
  writeFileSync(join(path, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }));
  const weights = await readModelFile(miniLm, source, 'model.safetensors');
  const model = onnx.ModelProto.decode(embeddingGraph(weights));
  const graph = model.graph;
  if (!graph?.node || !graph.input || !graph.output || !graph.initializer) throw new Error('the graph is empty');
  const { FLOAT, INT32, INT64 } = onnx.TensorProto.DataType;

  const nodes = graph.node.filter((node) => !['mask', 'ids'].includes(node.input?.[0] ?? ''));
  const first = graph.node.find((node) => node.input?.[0] === 'ids');
  const mean = graph.node.find((node) => node.input?.[0] === 'mask');
  if (!first || !mean) throw new Error('the graph is another one');
  const cast = (from: string, to: string) =>
    onnx.NodeProto.create({
      ...{ opType: 'Cast', input: [from], output: [to] },
      attribute: [{ name: 'to', type: onnx.AttributeProto.AttributeType.INT, i: INT32 }],
    });
  for (const node of nodes) if (node.opType === 'Attention') node.input = [...(node.input ?? []), 'mask32'];
  const last = nodes.find((node) => node.output?.[0] === mean.input?.[1]);
  if (!last) throw new Error('the graph is another one');
  last.output = ['last_hidden_state'];
  graph.node = [
    cast('input_ids', 'ids'),
    cast('attention_mask', 'mask32'),
    first,
    ...nodes.filter((node) => node.opType !== 'LpNormalization'),
  ];
  const value = (name: string, elemType: number, shape: (string | number)[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: shape.map((each) => (typeof each === 'number' ? { dimValue: each } : { dimParam: each })) },
      },
    },
  });
  graph.input = ['input_ids', 'attention_mask'].map((name) => value(name, INT64, ['texts', 'tokens']));
  graph.output = [value('last_hidden_state', FLOAT, ['texts', 'tokens', dimensions])];

  const tensors = readSafetensors(weights);
  const segment = tensors.get('embeddings.token_type_embeddings.weight')?.content;
  const table = tensors.get('embeddings.position_embeddings.weight')?.content;
  const positions = graph.initializer.find((each) => Number(each.dims?.[0]) === 256);
  if (!segment || !table || !positions) throw new Error('the weights lack positions');
  const sums = table.map((each, place) => each + (segment[place % dimensions] ?? 0));
  positions.dims = [table.length / dimensions, dimensions];
  positions.rawData = new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength);
  writeFileSync(join(path, 'onnx', 'model.onnx'), onnx.ModelProto.encode(model).finish());
}
