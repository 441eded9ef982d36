import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A BERT sentence encoder with random weights and a vocabulary of words, written as sentence-transformers does. */
export interface TinyModel {
  folder: string;
  vocabulary: string[];
  shape: { width: number; layers: number; heads: number; inner: number; tokens: number };
  tensors: Map<string, { shape: number[]; content: Float32Array }>;
}

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const shape = { width: 24, layers: 2, heads: 3, inner: 40, tokens: 64 };

/** `words` in lower case; a letter alone is always known. The same seed gives the same weights. */
export function makeTinyModel(words: readonly string[], seed = 1, prefix = ''): TinyModel {
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789?.,-'];
  const vocabulary = [...new Set([...special, ...letters, ...letters.map((letter) => `##${letter}`), ...words])];
  const folder = mkdtempSync(join(tmpdir(), 'curate-tiny-model-'));
  const tensors = randomTensors(vocabulary.length, seed);
  writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors, prefix));
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', {
    model_type: 'bert',
    hidden_size: shape.width,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    intermediate_size: shape.inner,
    vocab_size: vocabulary.length,
    max_position_embeddings: shape.tokens,
    layer_norm_eps: 1e-12,
    hidden_act: 'gelu',
  });
  mkdirSync(join(folder, '1_Pooling'));
  json('1_Pooling/config.json', { pooling_mode_mean_tokens: true });
  json('tokenizer_config.json', { tokenizer_class: 'BertTokenizer', do_lower_case: true });
  json('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  });
  return { folder, vocabulary, shape, tensors };
}

/** The vector of token ids, worked out loop by loop in double precision. */
export function naiveVector(model: TinyModel, ids: readonly number[]): number[] {
  const { width, heads, layers } = model.shape;
  const tensor = (name: string) => (model.tensors.get(name) as { content: Float32Array }).content;
  const linear = (rows: number[][], name: string, outputs: number) =>
    rows.map((row) =>
      Array.from({ length: outputs }, (_, output) =>
        row.reduce(
          (sum, value, input) => sum + value * (tensor(`${name}.weight`)[output * row.length + input] as number),
          tensor(`${name}.bias`)[output] as number,
        ),
      ),
    );
  const normal = (rows: number[][], name: string) =>
    rows.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / width;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      return row.map(
        (value, place) =>
          ((value - mean) / Math.sqrt(variance + 1e-12)) * (tensor(`${name}.weight`)[place] as number) +
          (tensor(`${name}.bias`)[place] as number),
      );
    });
  const plus = (a: number[][], b: number[][]) =>
    a.map((row, r) => row.map((value, c) => value + (b[r]?.[c] as number)));
  let state = normal(
    ids.map((id, position) =>
      Array.from(
        { length: width },
        (_, place) =>
          (tensor('embeddings.word_embeddings.weight')[id * width + place] as number) +
          (tensor('embeddings.position_embeddings.weight')[position * width + place] as number) +
          (tensor('embeddings.token_type_embeddings.weight')[place] as number),
      ),
    ),
    'embeddings.LayerNorm',
  );
  for (let layer = 0; layer < layers; layer += 1) {
    const at = (name: string) => `encoder.layer.${layer}.${name}`;
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      linear(state, at(`attention.self.${part}`), width),
    ) as [number[][], number[][], number[][]];
    const size = width / heads;
    const attended = query.map((row) =>
      Array.from({ length: width }, (_, place) => {
        const head = Math.floor(place / size) * size;
        const scores = key.map((other) => {
          let sum = 0;
          for (let part = head; part < head + size; part += 1) sum += (row[part] as number) * (other[part] as number);
          return Math.exp(sum / Math.sqrt(size));
        });
        const total = scores.reduce((sum, each) => sum + each, 0);
        return value.reduce(
          (sum, other, index) => sum + ((scores[index] as number) / total) * (other[place] as number),
          0,
        );
      }),
    );
    const middle = normal(
      plus(linear(attended, at('attention.output.dense'), width), state),
      at('attention.output.LayerNorm'),
    );
    const wide = linear(middle, at('intermediate.dense'), model.shape.inner).map((row) => row.map(gelu));
    state = normal(plus(linear(wide, at('output.dense'), width), middle), at('output.LayerNorm'));
  }
  const mean = Array.from({ length: width }, (_, place) => state.reduce((sum, row) => sum + (row[place] as number), 0));
  const length = Math.hypot(...mean);
  return mean.map((value) => value / length);
}

// ---------------------------------------------------------------------------------------------------------------------

function randomTensors(vocabulary: number, seed: number): TinyModel['tensors'] {
  const { width, inner, tokens, layers } = shape;
  const tensors: TinyModel['tensors'] = new Map();
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const add = (name: string, dimensions: number[], scale: number, shift = 0) => {
    const content = new Float32Array(dimensions.reduce((product, each) => product * each, 1));
    tensors.set(name, { shape: dimensions, content: content.map(() => shift + scale * uniform()) });
  };
  const linear = (name: string, outputs: number, inputs: number) => {
    add(`${name}.weight`, [outputs, inputs], 0.6);
    add(`${name}.bias`, [outputs], 0.2);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [width], 0.2, 1);
    add(`${name}.bias`, [width], 0.1);
  };
  add('embeddings.word_embeddings.weight', [vocabulary, width], 2);
  add('embeddings.position_embeddings.weight', [tokens, width], 0.1);
  add('embeddings.token_type_embeddings.weight', [2, width], 0.1);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer += 1) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, width, width);
    linear(`${at}.attention.output.dense`, width, width);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, inner, width);
    linear(`${at}.output.dense`, width, inner);
    norm(`${at}.output.LayerNorm`);
  }
  return tensors;
}

function safetensors(tensors: TinyModel['tensors'], prefix: string): Buffer {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { shape: dimensions, content }] of tensors) {
    header[`${prefix}${name}`] = { dtype: 'F32', shape: dimensions, data_offsets: [end, end + content.byteLength] };
    end += content.byteLength;
  }
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([size, head, ...[...tensors.values()].map(({ content }) => Buffer.from(content.buffer))]);
}

/** With the error function by its series: exact enough for what stands between two layers. */
function gelu(value: number): number {
  const x = value / Math.SQRT2;
  let term = x;
  let sum = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return 0.5 * value * (1 + (2 / Math.sqrt(Math.PI)) * sum);
}
