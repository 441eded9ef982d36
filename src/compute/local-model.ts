import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { sha256File } from '../store/fingerprint.js';
import type { EncoderShape } from './graph.js';
import { foldersNamed, type ModelFile, type ModelSpec, modelCacheFolder, models } from './weights.js';

/** What a folder must hold; `optional` counts where it is there. The layout is that of sentence-transformers. */
const required = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
const optional = ['sentence_bert_config.json', '1_Pooling/config.json'];

const count = z.int().positive();
const encoder = z.looseObject({
  model_type: z.literal('bert'),
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  vocab_size: count,
  max_position_embeddings: count,
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: z.literal('gelu').default('gelu'),
  position_embedding_type: z.literal('absolute').default('absolute'),
});
const sentences = z.looseObject({ max_seq_length: count.nullish() });
const pooling = z.looseObject({ pooling_mode_mean_tokens: z.literal(true) });

const opened = new Map<string, { stamp: string; model: ModelSpec }>();

/**
 * The model of that name: a pinned one, or a BERT sentence encoder of the user's own: the path of a folder, or an id whose
 * folder is in `CURATE_MODELS` or in the cache. Its own files are hashed, as nothing pins them. Nothing unpinned is fetched.
 */
export async function openModel(name: string): Promise<ModelSpec> {
  const pinned = models.find((model) => model.name === name);
  if (pinned !== undefined) return pinned;
  const places = isAbsolute(name) ? [name] : [...foldersNamed(name).slice(0, 1), modelCacheFolder({ name })];
  const folder = places.find((place) => existsSync(join(place, 'config.json')));
  if (folder === undefined)
    throw new Problem(`no model "${labelOf(name)}"`, {
      where: 'reworded.model',
      items: places.map((place) => `no config.json in ${place}`),
      try: `${models.map((model) => model.name).join(', ')}, or a folder with ${required.join(', ')} (float32) of a BERT sentence encoder`,
    });
  const files = [...required, ...optional.filter((file) => existsSync(join(folder, file)))];
  const missing = files.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw unfit(name, folder, `no ${missing.join(', ')}`);
  const stamp = JSON.stringify(
    files.map((file) => statSync(join(folder, file))).map((each) => [each.size, each.mtimeMs]),
  );
  const known = opened.get(folder);
  if (known?.stamp === stamp) return known.model;
  const shape = shapeOf(name, folder, files);
  const hashed: ModelFile[] = [];
  for (const file of files) {
    const path = join(folder, file);
    hashed.push({ name: file, bytes: statSync(path).size, sha256: await sha256File(path) });
  }
  const model: ModelSpec = {
    name: labelOf(name),
    dimensions: shape.width,
    shape,
    license: 'of its own',
    files: hashed,
    folder,
    package: null,
  };
  opened.set(folder, { stamp, model });
  return model;
}

/** What a model is called in outputs: a folder by its last part, as its path is this machine's own. */
export function labelOf(name: string): string {
  return isAbsolute(name) ? basename(name) : name;
}

// ---------------------------------------------------------------------------------------------------------------------

function shapeOf(name: string, folder: string, files: readonly string[]): EncoderShape {
  const read = <T>(file: string, form: z.ZodType<T>): T => {
    const parsed = form.safeParse(jsonIn(join(folder, file)));
    if (!parsed.success)
      throw unfit(
        name,
        folder,
        parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`).join('; '),
      );
    return parsed.data;
  };
  const config = read('config.json', encoder);
  if (files.includes('1_Pooling/config.json')) read('1_Pooling/config.json', pooling);
  const longest = files.includes('sentence_bert_config.json')
    ? read('sentence_bert_config.json', sentences).max_seq_length
    : null;
  return {
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    inner: config.intermediate_size,
    vocabulary: config.vocab_size,
    tokens: Math.min(longest ?? config.max_position_embeddings, config.max_position_embeddings),
    epsilon: config.layer_norm_eps,
  };
}

/** What is no JSON fits no form. */
function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function unfit(name: string, folder: string, found: string): Problem {
  return new Problem(`the model "${labelOf(name)}" cannot be used`, {
    where: folder,
    found,
    try: 'a BERT encoder with mean pooling, as sentence-transformers writes it, with weights in float32',
  });
}
