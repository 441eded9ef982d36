/**
 * Takes the table of n-grams out of eld's small edition and writes it in the form that `src/text/language-grams.ts` loads.
 * `node --import tsx scripts/make-language-table.ts`
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../src/store/fingerprint.js';

const package_ = join(import.meta.dirname, '..', 'node_modules', 'eld');
const { version, license } = JSON.parse(readFileSync(join(package_, 'package.json'), 'utf8'));
const inside = (path: string) => import(join(package_, 'src', path));
const { ngramsData } = (await inside('ngrams/small.js')) as {
  ngramsData: { languages: Record<string, string>; ngrams: Record<string, Record<string, number>> };
};
const { dictionary } = (await inside('dictionary.js')) as { dictionary: string[] };
const { separators } = (await inside('regexPatterns.js')) as { separators: RegExp };

/** eld writes a byte from 80 on as a character of its own, or as a space: back to the byte. */
const bytes = new Map<string, number>(
  [' ', "'", '`', ...'abcdefghijklmnopqrstuvwxyz'].map((char) => [char, char.charCodeAt(0)]),
);
const blanks: number[] = [];
dictionary.forEach((char, byte) => {
  if (byte < 0x80) return;
  if (char === ' ') blanks.push(byte);
  else if (bytes.has(char)) throw new Error(`two bytes are written as ${char}`);
  else bytes.set(char, byte);
});

const grams = Object.entries(ngramsData.ngrams).map(([text, scores]) => {
  const chars = [...text].map((char) => bytes.get(char));
  if (chars.length > 6 || chars.includes(undefined)) throw new Error(`an n-gram ${text}`);
  const numberOf = (part: (number | undefined)[]) =>
    part.reduce<number>((sum, byte, at) => sum + (byte ?? 0) * 256 ** at, 0);
  return {
    low: numberOf(chars.slice(0, 4)),
    high: numberOf(chars.slice(4)),
    scores: Object.entries(scores).map(([language, score]) => [Number(language), score] as const),
  };
});
grams.sort((a, b) => a.low - b.low || a.high - b.high);
const entries = grams.flatMap((gram) => gram.scores);
if (entries.some(([, score]) => !Number.isInteger(score) || score < 0 || score > 255))
  throw new Error('a score is no byte');

const keys = Buffer.alloc(6 * grams.length);
grams.forEach(({ low, high }, at) => {
  keys.writeUInt32LE(low, 4 * at);
  keys.writeUInt16LE(high, 4 * grams.length + 2 * at);
});
const content = gzipSync(
  Buffer.concat([
    keys,
    Buffer.from(grams.map((gram) => gram.scores.length)),
    Buffer.from(entries.map(([language]) => language)),
    Buffer.from(entries.map(([, score]) => score)),
  ]),
  { level: 9 },
);
const target = join(dirname(fileURLToPath(import.meta.url)), '..', 'data', 'languages');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'grams.bin.gz'), content);
writeFileSync(
  join(target, 'source.json'),
  `${JSON.stringify(
    {
      title: 'How much n-grams of bytes speak for languages',
      columns:
        'of each n-gram: its first four bytes (32 bits, the first lowest), its fifth and sixth (16 bits; 20 stands for an edge of a word), how many languages have it; of each of these: language, score',
      source: `package eld ${version}, its small table (Nito T.M.)`,
      license,
      grams: grams.length,
      entries: entries.length,
      languages: Object.values(ngramsData.languages),
      blanks,
      separators: separators.source,
      file: 'grams.bin.gz',
      bytes: content.length,
      sha256: sha256(content),
    },
    null,
    2,
  )}\n`,
);
