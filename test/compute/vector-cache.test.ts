import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VectorCache } from '../../src/compute/vector-cache.js';
import { promptKey } from '../embed/small-run.js';

const dimensions = 5;

describe('the cache of vectors', () => {
  it('gives back what was put in, from whichever segment, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.nat(60), { maxLength: 20 }), { maxLength: 5 }),
        fc.uniqueArray(fc.nat(60), { maxLength: 30 }),
        async (additions, asked) => {
          const { cache } = newCache();
          for (const numbers of additions) await cache.add(numbers.map(keyOf), vectorsOf(numbers));
          const known = new Set(additions.flat());
          expect(find(cache, asked)).toEqual(new Map(asked.filter((each) => known.has(each)).map(withVector)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is shared by two that use one folder at the same time', async () => {
    const { cache, folder } = newCache();
    const other = new VectorCache(folder, dimensions);
    await Promise.all([
      cache.add([1, 2].map(keyOf), vectorsOf([1, 2])),
      other.add([2, 3].map(keyOf), vectorsOf([2, 3])),
    ]);
    const expected = new Map([1, 2, 3].map(withVector));
    expect(find(cache, [1, 2, 3, 4])).toEqual(expected);
    expect(find(other, [1, 2, 3, 4])).toEqual(expected);
  });

  it('keeps a segment once that two computed', async () => {
    const { cache, folder } = newCache();
    await cache.add([1, 2].map(keyOf), vectorsOf([1, 2]));
    await new VectorCache(folder, dimensions).add([1, 2].map(keyOf), vectorsOf([1, 2]));
    expect(segments(folder)).toHaveLength(1);
  });

  it('finds the same key asked for twice', async () => {
    const { cache } = newCache();
    await cache.add([7].map(keyOf), vectorsOf([7]));
    const places: number[] = [];
    cache.find([7, 8, 7].map(keyOf), (place) => places.push(place));
    expect(places).toEqual([0, 2]);
  });

  it('may be deleted while it is in use', async () => {
    const { cache, folder } = newCache();
    await cache.add([1, 2].map(keyOf), vectorsOf([1, 2]));
    expect(find(cache, [1]).size).toBe(1);
    for (const path of segments(folder)) rmSync(path);
    expect(find(cache, [1, 2]).size).toBe(0);
    await cache.add([2].map(keyOf), vectorsOf([2]));
    expect(find(cache, [1, 2])).toEqual(new Map([2].map(withVector)));
  });

  it('never gives a vector whose bytes were changed', async () => {
    const { cache, folder } = newCache();
    await cache.add([1, 2, 3].map(keyOf), vectorsOf([1, 2, 3]));
    const [path = ''] = segments(folder);
    const bytes = readFileSync(path);
    // The last byte belongs to the last vector.
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(find(new VectorCache(folder, dimensions), [1, 2, 3])).toEqual(new Map([1, 2].map(withVector)));
  });

  it('takes a torn or foreign segment for none', async () => {
    const { cache, folder } = newCache();
    await cache.add([1].map(keyOf), vectorsOf([1]));
    const [path = ''] = segments(folder);
    writeFileSync(join(folder, 'other.segment'), 'what is this');
    truncateSync(path, 50);
    expect(find(new VectorCache(folder, dimensions), [1]).size).toBe(0);
  });
});

function newCache(): { cache: VectorCache; folder: string } {
  const folder = join(mkdtempSync(join(tmpdir(), 'curate-cache-')), 'vectors');
  return { cache: new VectorCache(folder, dimensions), folder };
}

function segments(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.segment'))
    .map((name) => join(folder, name));
}

function keyOf(number: number): string {
  return promptKey(String(number));
}

function vectorsOf(numbers: readonly number[]): Float32Array {
  return Float32Array.from(numbers.flatMap((number) => withVector(number)[1]));
}

function withVector(number: number): [number, number[]] {
  return [number, Array.from({ length: dimensions }, (_, place) => number * 10 + place)];
}

function find(cache: VectorCache, numbers: readonly number[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  cache.find(numbers.map(keyOf), (place, vector) => found.set(numbers[place] ?? -1, [...vector]));
  return found;
}
