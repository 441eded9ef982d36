import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Lz4 } from '../../src/store/lz4.js';

/** The block format read back, as its description has it. */
function decompress(block: Uint8Array): Buffer {
  const bytes: number[] = [];
  let at = 0;
  const next = () => block[at++] as number;
  const rest = (half: number) => {
    let length = half;
    if (half === 15) for (let more = 255; more === 255; length += more) more = next();
    return length;
  };
  for (;;) {
    const token = next();
    for (let left = rest(token >> 4); left > 0; left -= 1) bytes.push(next());
    if (at === block.length) return Buffer.from(bytes);
    const distance = next() | (next() << 8);
    if (distance === 0 || distance > bytes.length) throw new Error(`a distance of ${distance} at ${bytes.length}`);
    for (let left = rest(token & 15) + 4; left > 0; left -= 1) bytes.push(bytes[bytes.length - distance] as number);
  }
}

const lz4 = new Lz4();

const repeating = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('a', 'ab', 'the patient ', '心电图', '\0', 'x'.repeat(300)), fc.nat({ max: 60 })),
      fc.tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.constant(1)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.map(([text, times]) => text.repeat(times)).join('')));

it('what was compressed comes back, whatever repeats in it', () => {
  fc.assert(
    fc.property(repeating, fc.uint8Array({ maxLength: 40 }), (bytes, more) => {
      expect(decompress(lz4.compress([bytes, more])).equals(Buffer.concat([bytes, more]))).toBe(true);
    }),
    { numRuns: 1500, seed: 5 },
  );
});

it('short texts, whose last bytes may be no match, come back', () => {
  for (let length = 0; length < 80; length += 1) {
    for (const bytes of [Buffer.alloc(length, 'a'), Buffer.from('abcdefg'.repeat(12)).subarray(0, length)]) {
      expect(decompress(lz4.compress([bytes])).equals(bytes)).toBe(true);
    }
  }
});

it('the last twelve bytes begin no match and the last five are literals, as the format asks', () => {
  const bytes = Buffer.alloc(1000, 'ab');
  const block = lz4.compress([bytes]);
  expect(block.subarray(-5).equals(bytes.subarray(-5))).toBe(true);
  expect((block.at(-6) as number) >> 4).toBe(5);
});

it('repeats further off than the format can tell are no repeats', () => {
  const noise = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 0xff));
  const bytes = Buffer.concat([noise, noise]);
  expect(decompress(lz4.compress([bytes])).equals(bytes)).toBe(true);
});

it('a text of many megabytes is compressed like a short one, and the next one too', () => {
  const text = Buffer.alloc(5 << 20, 'one word after another ');
  expect(lz4.compress([text]).length).toBeLessThan(text.length / 100);
  expect(decompress(lz4.compress([Buffer.from('and again and again and again')])).toString()).toBe(
    'and again and again and again',
  );
});
