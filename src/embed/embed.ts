import { z } from 'zod';
import { loadEmbedder } from '../compute/embedder.js';
import { openVectorCache } from '../compute/vector-cache.js';
import { ensureModel, findModel, modelNamed } from '../compute/weights.js';
import { defineStage, type StageContext, type StageInput } from '../pipeline/stage.js';
import { sha256 } from '../store/fingerprint.js';
import { writeVectors } from '../store/vectors.js';
import { instructionsHash, instructionsOf, withoutInstructions } from './instructions.js';
import { cutRanges, type PromptPlace, type PromptRange, readPlaces, readTexts } from './prompts.js';

/** What is embedded and how. The only home of the stage's defaults. */
export const embedOptions = z.strictObject({
  /** Groups of sources whose prompts are embedded, and so clustered and labelled; the others keep theirs. */
  groups: z.array(z.string().min(1)).min(1),
  model: z.string().min(1).default('sentence-transformers/all-MiniLM-L6-v2'),
  precision: z.literal('fp32').default('fp32'),
  /** Keep vectors for later runs, and take those that earlier ones kept. Never changes a result. */
  cache: z.boolean().default(true),
  /** without-instruction: less the constant instructions that a source's YAML declares. */
  text: z.enum(['as-is', 'without-instruction']).default('as-is'),
});

export type EmbedOptions = z.infer<typeof embedOptions>;

/** Each distinct prompt of the groups becomes a vector of 384 numbers, once per run and, by the cache, once for ever. */
export const embed = defineStage<EmbedOptions, PromptRange>({
  name: 'embed',
  summary: 'distinct prompts become vectors',
  version: 1,
  options: embedOptions,
  reads: ['prompts', 'rows'],
  joins: [],
  writes: ['vectors'],
  runs: 'workers',

  async check(options) {
    const model = modelNamed(options.model);
    if (findModel(model) !== null) await ensureModel(model);
  },

  async inputs(options) {
    const model = modelNamed(options.model);
    const files: StageInput[] = model.files.map((file) => ({
      kind: 'model',
      name: `${model.name}/${file.name}`,
      sha256: file.sha256,
      bytes: file.bytes,
    }));
    if (options.text === 'as-is') return files;
    return [...files, { kind: 'source', name: 'instructions of data/sources', sha256: instructionsHash() }];
  },

  async tasks(options, context) {
    // Fetched here, once, and not by every worker.
    await ensureModel(modelNamed(options.model));
    const tables = await context.openTables({ threads: context.workers });
    try {
      return await cutRanges(tables, context.run, options.groups);
    } finally {
      tables.close();
    }
  },

  async work(task, options, context) {
    const tables = await context.openTables();
    try {
      const places = await readPlaces(tables, context.run, task, options.groups);
      const texts = (wanted: readonly PromptPlace[]) => readTexts(tables, context.run, wanted);
      const vectors = await vectorsOf(places, texts, options, context);
      const name = `${String(task.index).padStart(5, '0')}.arrow`;
      await writeVectors(context.run.file('vectors', name), context.run.temporary, {
        keys: places.map((place) => place.key),
        vectors,
        dimensions: modelNamed(options.model).dimensions,
      });
      return { files: [`vectors/${name}`], prompts: places.length };
    } finally {
      tables.close();
    }
  },

  async finish(reports, options) {
    const prompts = reports.reduce((sum, report) => sum + Number(report.prompts), 0);
    return {
      unit: 'prompts',
      in: prompts,
      kept: prompts,
      dropped: {},
      quarantined: 0,
      figures: { dimensions: modelNamed(options.model).dimensions },
      notes: {},
      warnings: prompts === 0 ? [`no prompt is of the groups ${options.groups.join(', ')}`] : [],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

type Texts = (wanted: readonly PromptPlace[]) => AsyncGenerator<{ index: number; text: string; source: string }>;

/** The vectors of a range's prompts in their order, from the cache where it has them. */
async function vectorsOf(
  places: readonly PromptPlace[],
  texts: Texts,
  options: EmbedOptions,
  context: StageContext,
): Promise<Float32Array> {
  const { dimensions } = modelNamed(options.model);
  const vectors = new Float32Array(places.length * dimensions);
  const cache = options.cache ? await openVectorCache(modelNamed(options.model), context.compute) : null;
  const missing = new Set(places.keys());
  const takeCached = (keys: readonly string[]) =>
    cache?.find(keys, (place, vector) => {
      vectors.set(vector, place * dimensions);
      missing.delete(place);
    });

  // A prompt's key is the hash of its text, so texts that are embedded as they are need not be read to be found.
  const keys = places.map((place) => place.key);
  if (options.text === 'as-is') takeCached(keys);
  const embedder = missing.size === 0 ? null : await loadEmbedder(options.model, context.compute);
  const tokens: Int32Array[] = [];
  const instructions = new Map<string, readonly string[]>();
  const wanted = [...missing];
  if (embedder !== null) {
    for await (const { index, text, source } of texts(wanted.map((place) => places[place] as PromptPlace))) {
      const place = wanted[index] as number;
      const embedded = options.text === 'as-is' ? text : stripped(text, source, instructions);
      if (options.text !== 'as-is') keys[place] = sha256(embedded).slice(0, 32);
      tokens[place] = embedder.tokenize(embedded);
    }
    if (options.text !== 'as-is') takeCached(keys);
    const left = wanted.filter((place) => missing.has(place));
    const before = places.length - left.length;
    const made = await embedder.embed(
      left.map((place) => tokens[place] as Int32Array),
      (done) => context.progress({ done: before + done, total: places.length, unit: 'prompts' }),
      context.signal,
    );
    left.forEach((place, index) => {
      vectors.set(made.subarray(index * dimensions, (index + 1) * dimensions), place * dimensions);
    });
    await cache?.add(
      left.map((place) => keys[place] as string),
      made,
    );
  }
  return vectors;
}

function stripped(text: string, source: string, known: Map<string, readonly string[]>): string {
  const instructions = known.get(source) ?? instructionsOf(source);
  known.set(source, instructions);
  return withoutInstructions(text, instructions);
}
