import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../src/problem.js';
import { cutJsonValues, readJsonValues, type ValueRange } from '../../../src/store/readers/json-values.js';
import { readRows } from '../../../src/store/readers/read-rows.js';
import type { Reading } from '../../../src/store/readers/reading.js';
import { literal, Tables } from '../../../src/store/tables.js';

/** More of them by hand: `CURATE_FUZZ_RUNS=10000 npx vitest run test/store/readers/fuzz.test.ts`. */
const runs = Number(process.env.CURATE_FUZZ_RUNS ?? 150);
const patience = 60_000 + runs * 400;

let folder: string;
let tables: Tables;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curate-fuzz-'));
  tables = await Tables.open({ temporaryFolder: folder });
});
afterAll(() => {
  tables.close();
  rmSync(folder, { recursive: true, force: true });
});

async function readings(content: Buffer, name: string): Promise<Reading[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const found: Reading[] = [];
  for await (const reading of readRows(path, tables)) found.push(reading);
  return found;
}

/** A JSON file as tasks read it, cut into pieces of a few rows. */
async function inPieces(name: string, size: number): Promise<{ whole: Reading[]; pieces: Reading[] }> {
  const path = join(folder, name);
  const read = async (range?: ValueRange) => {
    const found: Reading[] = [];
    for await (const readings of readJsonValues(path, 'none', range)) found.push(...readings);
    return found;
  };
  const pieces: Reading[] = [];
  for (const range of await cutJsonValues(path, size, () => 700)) pieces.push(...(await read(range)));
  return { whole: await read(), pieces };
}

/** Real rows: long texts, quotes, escapes, several scripts. */
const shipped = join(import.meta.dirname, '../../../data/samples');
const real = (
  JSON.parse(readFileSync(join(shipped, 'medical-r1-distill-zh', 'delicate-medical-r1.json'), 'utf8')) as Record<
    string,
    string
  >[]
)
  .slice(0, 12)
  .map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value.slice(0, 120)])));

const nasty = fc.constantFrom(
  Buffer.from('"'),
  Buffer.from('\\'),
  Buffer.from('{'),
  Buffer.from(']'),
  Buffer.from('\n'),
  Buffer.from('\0'),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from('1e999999999'),
  Buffer.from('9'.repeat(400)),
  Buffer.from('[[['.repeat(3000)),
  Buffer.from('NaN'),
  Buffer.from('\\ud800'),
  Buffer.from('[{"a":'.repeat(500)),
);

type Change = {
  at: number;
  kind: 'flip' | 'cut' | 'insert' | 'drop' | 'repeat';
  byte: number;
  length: number;
  bytes: Buffer;
};
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  kind: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'insert', 'drop', 'repeat'),
  byte: fc.integer({ min: 0, max: 255 }),
  length: fc.integer({ min: 1, max: 200 }),
  bytes: nasty,
});

function mutate(content: Buffer, changes: readonly Change[]): { content: Buffer; first: number } {
  let bytes = Buffer.from(content);
  let first = bytes.length;
  for (const { at, kind, byte, length, bytes: inserted } of changes) {
    const place = Math.floor(at * bytes.length);
    first = Math.min(first, place);
    const before = bytes.subarray(0, place);
    if (kind === 'flip') bytes[place] = byte;
    else if (kind === 'cut') bytes = Buffer.from(before);
    else if (kind === 'insert') bytes = Buffer.concat([before, inserted, bytes.subarray(place)]);
    else if (kind === 'drop') bytes = Buffer.concat([before, bytes.subarray(place + length)]);
    else bytes = Buffer.concat([before, bytes.subarray(place, place + length), bytes.subarray(place)]);
  }
  return { content: bytes, first };
}

/** Reads the changed file under a name that fixes its format where its content no longer does. */
function fuzz(
  original: Buffer,
  name: string,
  check: (found: Reading[], content: Buffer, first: number) => void | Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
    const { content, first } = mutate(original, changes);
    let found: Reading[];
    try {
      found = await readings(content, name);
    } catch (error) {
      // A file that is another format now, and one that cannot be read at all.
      if (error instanceof Problem) return;
      throw error;
    }
    await check(found, content, first);
  });
  return fc.assert(property, {
    numRuns: runs,
    seed: 11,
    interruptAfterTimeLimit: patience - 5000,
    markInterruptAsFailure: true,
  });
}

/** Readings in the order of the file, each place once, each bad one with a reason and a text that can be shown. */
function wellFormed(found: readonly Reading[], length: number): void {
  let offset = -1;
  let index = -1;
  for (const reading of found) {
    expect(reading.index).toBeGreaterThan(index);
    index = reading.index;
    if (reading.offset !== null) {
      expect(reading.offset).toBeGreaterThanOrEqual(Math.max(0, offset));
      expect(reading.offset).toBeLessThanOrEqual(length);
      offset = reading.offset;
    }
    if (reading.kind === 'bad') {
      expect(reading.excerpt.isWellFormed()).toBe(true);
      expect(reading.excerpt.length).toBeLessThanOrEqual(200);
    }
  }
}

describe('a file with bytes flipped, cut, inserted, dropped and repeated is read to its end', () => {
  it('as JSONL: as many readings as lines that are not blank', { timeout: patience }, async () => {
    const original = Buffer.from(`${real.map((row) => JSON.stringify(row)).join('\n')}\n`);
    await fuzz(original, 'fuzz.jsonl', (found, content) => {
      wellFormed(found, content.length);
      if (!content.subarray(0, 3).includes('{')) return;
      const lines = content
        .toString('latin1')
        .split('\n')
        .filter((line) => /[^ \t\r]/.test(line)).length;
      expect(found).toHaveLength(lines);
    });
  });

  it('as a JSON array: every row before the first change as it was', { timeout: patience }, async () => {
    const original = Buffer.from(JSON.stringify(real));
    const ends = real.map((_, index) => Buffer.from(JSON.stringify(real.slice(0, index + 1))).length);
    await fuzz(original, 'fuzz.json', async (found, content, first) => {
      wellFormed(found, content.length);
      if (first < 2) return;
      const untouched = ends.filter((end) => end <= first).length;
      expect(found.slice(0, untouched).map((reading) => reading.kind === 'row' && reading.row)).toEqual(
        real.slice(0, untouched),
      );
      expect(found.map((reading) => reading.index)).toEqual(found.map((_, index) => index));
      const { whole, pieces } = await inPieces('fuzz.json', content.length);
      expect(pieces).toEqual(whole);
    });
  });

  it('as CSV: every record before the first change as it was', { timeout: patience }, async () => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const lines = ['a,b,c', ...real.map((row) => Object.values(row).map(quoted).join(','))].map(
      (line) => `${line}\r\n`,
    );
    const starts = lines.map((_, index) => Buffer.from(lines.slice(0, index + 1).join('')).length);
    await fuzz(Buffer.from(lines.join('')), 'fuzz.csv', (found, content, first) => {
      wellFormed(found, content.length);
      const untouched = starts.slice(1).filter((end) => end <= first).length;
      const rows = found
        .slice(0, untouched)
        .map((reading) => reading.kind === 'row' && Object.values(reading.row as object));
      if (first > (starts[0] ?? 0)) expect(rows).toEqual(real.slice(0, untouched).map((row) => Object.values(row)));
    });
  });

  it('as gzip: good rows and then at most one tail', { timeout: patience }, async () => {
    const original = gzipSync(`${real.map((row) => JSON.stringify(row)).join('\n')}\n`);
    await fuzz(original, 'fuzz.jsonl.gz', (found) => wellFormed(found, Number.MAX_SAFE_INTEGER));
  });

  it('as Parquet: every row of the footer once, or one reading that says there is none', {
    timeout: patience,
  }, async () => {
    const path = join(folder, 'real.parquet');
    await tables.run(
      `COPY (SELECT i AS n, [{'role': 'user', 'content': sha256(i::VARCHAR)}] AS messages, i % 7 = 0 AS flag
             FROM range(5000) t(i)) TO ${literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
    );
    const original = readFileSync(path);
    await fuzz(original, 'fuzz.parquet', (found, content) => {
      if (content.subarray(0, 4).toString('latin1') !== 'PAR1') return;
      wellFormed(found, content.length);
      expect(found.map((reading) => reading.index)).toEqual(found.map((_, index) => index));
    });
  });
});

it('JSON nested a million deep is one row, or one bad one', async () => {
  const deep = `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`;
  expect(await readings(Buffer.from(`${deep}\n{"a":1}\n`), 'deep.jsonl')).toHaveLength(2);
  expect(await readings(Buffer.from(`[${deep},{"a":1}]`), 'deep.json')).toHaveLength(2);
});
