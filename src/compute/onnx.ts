import { createRequire } from 'node:module';
import type onnxProto from 'onnx-proto';

/** Loaded when a graph is built: most runs of the program build none, and it takes as long to load as forty of our files. */
const format = () => (load('onnx-proto') as typeof onnxProto).onnx;
const load = createRequire(import.meta.url);

export type ElementType = 'float32' | 'int32' | 'bool';

export type Attribute = number | readonly number[] | { float: number };

/** Builds an ONNX model in memory: float32 constants, nodes of the standard and of the `com.microsoft` operators. */
export class GraphBuilder {
  private readonly nodes: onnxProto.onnx.INodeProto[] = [];
  private readonly constants: onnxProto.onnx.ITensorProto[] = [];
  private readonly inputs: onnxProto.onnx.IValueInfoProto[] = [];
  private readonly outputs: onnxProto.onnx.IValueInfoProto[] = [];
  private nameCount = 0;

  /** Dimensions that are text are free. */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.inputs.push(value(name, type, shape));
    return name;
  }

  output(name: string, type: ElementType, shape: readonly (number | string)[]): void {
    this.outputs.push(value(name, type, shape));
  }

  floats(content: Float32Array, shape: readonly number[]): string {
    return this.constant(format().TensorProto.DataType.FLOAT, content, shape);
  }

  integers(content: readonly number[]): string {
    return this.constant(format().TensorProto.DataType.INT64, BigInt64Array.from(content.map(BigInt)), [
      content.length,
    ]);
  }

  /** Adds a node and returns the name of its (first) output. `''` as an input leaves an optional one out. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    output = this.name(),
    moreOutputs: readonly string[] = [],
  ): string {
    const [domain, opType] = operator.startsWith('microsoft.') ? ['com.microsoft', operator.slice(10)] : ['', operator];
    this.nodes.push({
      opType,
      domain,
      input: [...inputs],
      output: [output, ...moreOutputs],
      attribute: Object.entries(attributes).map(([name, content]) => attribute(name, content)),
    });
    return output;
  }

  encode(): Uint8Array {
    const { ModelProto } = format();
    const model = ModelProto.create({
      irVersion: 8,
      producerName: 'curate',
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'curate',
        node: this.nodes,
        initializer: this.constants,
        input: this.inputs,
        output: this.outputs,
      },
    });
    return ModelProto.encode(model).finish();
  }

  private constant(dataType: number, content: Float32Array | BigInt64Array, dims: readonly number[]): string {
    const name = this.name();
    const rawData = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    this.constants.push({ name, dataType, dims: [...dims], rawData });
    return name;
  }

  private name(): string {
    this.nameCount += 1;
    return `v${this.nameCount}`;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function value(name: string, type: ElementType, shape: readonly (number | string)[]): onnxProto.onnx.IValueInfoProto {
  const { FLOAT, INT32, BOOL } = format().TensorProto.DataType;
  const elemType = { float32: FLOAT, int32: INT32, bool: BOOL }[type];
  const dim = shape.map((each) => (typeof each === 'number' ? { dimValue: each } : { dimParam: each }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function attribute(name: string, content: Attribute): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = format().AttributeProto;
  if (typeof content === 'number') return { name, type: AttributeType.INT, i: content };
  if ('float' in content) return { name, type: AttributeType.FLOAT, f: content.float };
  return { name, type: AttributeType.INTS, ints: [...content] };
}
