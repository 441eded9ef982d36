import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VectorFile, writeVectors } from '../../src/store/vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-vectors-'));
const path = join(folder, 'some.arrow');

describe('a vector file', () => {
  it('gives back keys and any range of vectors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { maxLength: 30 }), fc.nat(30), fc.nat(30), async (keys, a, b) => {
        const vectors = vectorsOf(keys.length, 3);
        await writeVectors(path, folder, { keys, vectors, dimensions: 3 });
        const file = new VectorFile(path);
        expect([...file.keys()].flat()).toEqual(keys.map((key) => Buffer.from(key).toString()));
        const start = Math.min(a, b, keys.length);
        const end = Math.min(Math.max(a, b), keys.length);
        const into = new Float32Array((end - start) * 3);
        file.read(start, end, into);
        expect(into).toEqual(vectors.slice(start * 3, end * 3));
        file.close();
      }),
      { numRuns: 50 },
    );
  });

  it('is read across its batches of 10,000', async () => {
    const vectors = vectorsOf(25_000, 2);
    await writeVectors(path, folder, { keys: null, vectors, dimensions: 2 });
    const file = new VectorFile(path);
    const into = new Float32Array(2 * 11_000);
    file.read(9_500, 20_500, into);
    expect(into).toEqual(vectors.slice(19_000, 41_000));
    expect([file.rowCount, file.dimensions, [...file.keys()]]).toEqual([25_000, 2, []]);
    file.close();
  });

  it('is what Arrow itself reads', async () => {
    const keys = ['a', 'é', ''];
    await writeVectors(path, folder, { keys, vectors: vectorsOf(3, 4), dimensions: 4 });
    const table = tableFromIPC(readFileSync(path));
    expect(table.schema.fields.map((field) => [field.name, String(field.type)])).toEqual([
      ['prompt_key', 'Utf8'],
      ['vector', 'FixedSizeList[4]<Float32>'],
    ]);
    expect(table.toArray().map((row) => row.prompt_key)).toEqual(keys);
    expect([...(table.get(2)?.vector ?? [])]).toEqual([8, 9, 10, 11]);
  });

  it('has the same bytes for the same content', async () => {
    const write = async (name: string) => {
      await writeVectors(join(folder, name), folder, { keys: ['x', 'y'], vectors: vectorsOf(2, 3), dimensions: 3 });
      return readFileSync(join(folder, name));
    };
    expect(await write('one.arrow')).toEqual(await write('two.arrow'));
  });

  it('that is none is refused', () => {
    writeFileSync(path, 'this is a text and not a vector file');
    expect(() => new VectorFile(path)).toThrow(/is not an Arrow IPC file/);
  });
});

function vectorsOf(count: number, dimensions: number): Float32Array {
  return Float32Array.from({ length: count * dimensions }, (_, place) => place);
}
