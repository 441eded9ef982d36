import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { Tokenizer } from '@huggingface/tokenizers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Embedder, embedTexts, loadEmbedder } from '../../src/compute/embedder.js';
import { findModel, miniLm, readModelFile } from '../../src/compute/weights.js';

interface Reference {
  text: string;
  ids: number[];
  vector: number[];
}

let references: Reference[] = [];
let embedder: Embedder;

beforeAll(async () => {
  references = await readReferences();
  embedder = await loadEmbedder(miniLm.name, 'native');
});

describe('against sentence-transformers', () => {
  it('makes the same token ids of all 241 texts', () => {
    expect(references).toHaveLength(241);
    for (const { text, ids } of references) expect([...embedder.tokenize(text)]).toEqual(ids);
  });

  it('makes vectors within cosine 0.9999999 of all 241', async () => {
    const vectors = await embedder.embed(references.map(({ text }) => embedder.tokenize(text)));
    const least = Math.min(...references.map(({ vector }, place) => cosine(vector, vectorAt(vectors, place))));
    expect(least).toBeGreaterThan(0.9999999);
  }, 240_000);

  it('makes them on WebAssembly too', async () => {
    const some = references.filter((_, place) => place % 30 === 0);
    const vectors = await embedTexts(
      some.map(({ text }) => text),
      { compute: 'portable' },
    );
    const least = Math.min(...some.map(({ vector }, place) => cosine(vector, vectorAt(vectors, place))));
    expect(least).toBeGreaterThan(0.9999999);
  });
});

describe('a vector', () => {
  it('is the same bits alone, in company and in another order', async () => {
    const tokens = references.filter((_, place) => place % 5 === 0).map(({ text }) => embedder.tokenize(text));
    const together = await embedder.embed(tokens);
    const reversed = await embedder.embed([...tokens].reverse());
    for (const [place, each] of tokens.entries()) {
      const own = vectorAt(together, place);
      expect(vectorAt(reversed, tokens.length - 1 - place)).toEqual(own);
      if (place % 8 === 0) expect(await embedder.embed([each])).toEqual(own);
    }
  });

  it('is the same bits with two threads in a product', async () => {
    const texts = references.slice(0, 20).map(({ text }) => text);
    const one = await embedTexts(texts, { compute: 'native' });
    expect(await embedTexts(texts, { compute: 'native', threads: 2 })).toEqual(one);
  });

  it('has length 1, for whatever text', async () => {
    const texts = ['', ' ', '\0', 'emoji 👩‍⚕️🩺', 'العربية', 'word '.repeat(10_000), '\ud800'];
    const vectors = await embedTexts(texts, { compute: 'native' });
    for (const place of texts.keys()) {
      const vector = vectorAt(vectors, place);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });
});

describe('tokens', () => {
  it('end at 254 between the special ones', () => {
    for (const [words, expected] of [
      [253, 255],
      [254, 256],
      [255, 256],
      [256, 256],
      [257, 256],
      [20_000, 256],
    ] as const) {
      const ids = embedder.tokenize(Array(words).fill('the').join(' '));
      expect(ids).toHaveLength(expected);
      expect([ids[0], ids.at(-1)]).toEqual([101, 102]);
    }
  });

  it('of a long text are the first of all its tokens, though only its beginning is tokenized', async () => {
    const folder = findModel(miniLm) ?? '';
    const json = async (name: string) => JSON.parse((await readModelFile(miniLm, folder, name)).toString()) as object;
    const whole = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
    const long = references.map(({ text }) => text).join(' ');
    for (const start of [0, 11, 222, 3333, 9_000, 14_000]) {
      const text = long.slice(start);
      const { ids } = whole.encode(text, { add_special_tokens: false });
      expect([...embedder.tokenize(text)]).toEqual([101, ...ids.slice(0, 254), 102]);
    }
  });

  it('of a text without a single space are found too', () => {
    expect(embedder.tokenize('x'.repeat(50_000))).toHaveLength(3);
    expect(embedder.tokenize('心'.repeat(50_000))).toHaveLength(256);
  });
});

async function readReferences(): Promise<Reference[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const file = fileURLToPath(new URL('minilm.parquet', import.meta.url));
  const reader = await connection.runAndReadAll(`SELECT text, input_ids AS ids, vector FROM '${file}'`);
  return reader.getRowObjectsJS() as unknown as Reference[];
}

function vectorAt(vectors: Float32Array, place: number): Float32Array {
  return vectors.slice(place * 384, (place + 1) * 384);
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let place = 0; place < a.length; place += 1) {
    const x = a[place] ?? 0;
    const y = b[place] ?? 0;
    product += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return product / Math.sqrt(lengthA * lengthB);
}
