import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadEmbedder } from '../../src/compute/embedder.js';
import { openModel } from '../../src/compute/local-model.js';
import { miniLm, modelHash } from '../../src/compute/weights.js';
import { Problem } from '../../src/problem.js';
import { makeTinyModel, naiveVector } from './tiny-model.js';

const words = ['which', 'drug', 'treats', 'fever', 'welches', 'mittel', 'hilft', 'gegen', 'fieber'];
const texts = ['Which drug treats fever?', 'Welches Mittel hilft gegen Fieber', 'xyzzy', 'drug '.repeat(500)];

describe("a model of the user's own", () => {
  it.each(['', 'bert.'])(
    'makes the vectors that the weights say, natively and on WebAssembly (names after "%s")',
    async (prefix) => {
      const model = makeTinyModel(words, 3, prefix);
      for (const compute of ['native', 'portable'] as const) {
        const embedder = await loadEmbedder(model.folder, compute);
        const tokens = texts.map(embedder.tokenize);
        const vectors = await embedder.embed(tokens);
        expect(embedder.dimensions).toBe(model.shape.width);
        tokens.forEach((ids, place) => {
          const expected = naiveVector(model, [...ids]);
          const found = vectors.subarray(place * 24, (place + 1) * 24);
          expected.forEach((value, at) => {
            expect(found[at]).toBeCloseTo(value, 4);
          });
        });
      }
    },
  );

  it('takes its special tokens and its longest text from its own files', async () => {
    const model = makeTinyModel(words);
    writeFileSync(join(model.folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 16 }));
    const { tokenize } = await loadEmbedder(model.folder, 'native');
    const ids = tokenize(texts[3] as string);
    expect(ids).toHaveLength(16);
    expect([ids[0], ids[1], ids[15]]).toEqual([2, model.vocabulary.indexOf('drug'), 3]);
  });

  it('is another model when a weight changes, so that no cached vector is taken for its own', async () => {
    const [one, same, other] = [makeTinyModel(words, 5), makeTinyModel(words, 5), makeTinyModel(words, 6)];
    const hashes = await Promise.all([one, same, other].map(async ({ folder }) => modelHash(await openModel(folder))));
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('is found by its id below CURATE_MODELS, and the pinned one by its name', async () => {
    const model = makeTinyModel(words);
    const before = process.env.CURATE_MODELS;
    process.env.CURATE_MODELS = join(model.folder, '..');
    try {
      const id = model.folder.split('/').at(-1) as string;
      expect(await openModel(id)).toMatchObject({ name: id, folder: model.folder, dimensions: 24 });
      expect(await openModel(miniLm.name)).toBe(miniLm);
    } finally {
      if (before === undefined) delete process.env.CURATE_MODELS;
      else process.env.CURATE_MODELS = before;
    }
  });

  it('is refused in a sentence where a file is missing or it is no such encoder', async () => {
    await expect(openModel('nobody/nothing')).rejects.toThrow(Problem);
    const model = makeTinyModel(words);
    writeFileSync(join(model.folder, '1_Pooling', 'config.json'), JSON.stringify({ pooling_mode_cls_token: true }));
    await expect(openModel(model.folder)).rejects.toMatchObject({
      parts: { found: expect.stringContaining('pooling_mode_mean_tokens') },
    });
    rmSync(join(model.folder, 'tokenizer.json'));
    await expect(openModel(model.folder)).rejects.toMatchObject({ parts: { found: 'no tokenizer.json' } });
  });
});
