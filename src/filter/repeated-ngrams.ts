import { splitWords } from '../text/spaces.js';

/** Characters of scripts without spaces: each counts as a word of its own, so that loops in Chinese are seen too. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/**
 * The share of a text's words (from 0 to 1) that lie in a run of `length` words which the same text had before: 0 for a
 * text that never repeats itself, near 1 for one caught in a loop. Exact: equal hashes are compared word by word.
 */
export function repeatedShare(text: string, length: number): number {
  const words = wordNumbers(text);
  if (words.length <= length) return 0;
  const first = firstOccurrences(words, length);
  let covered = 0;
  let coveredTo = 0;
  for (let start = 0; start + length <= words.length; start += 1) {
    if (first[start] === start) continue;
    covered += start + length - Math.max(start, coveredTo);
    coveredTo = start + length;
  }
  return covered / words.length;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Each word as the number under which it was first seen. */
function wordNumbers(text: string): Int32Array {
  const numbers = new Map<string, number>();
  const words: number[] = [];
  const add = (word: string): void => {
    let number = numbers.get(word);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(word, number);
    }
    words.push(number);
  };
  const anyUnspaced = unspaced.test(text);
  for (const word of splitWords(text)) {
    if (!anyUnspaced || !unspaced.test(word)) {
      add(word);
      continue;
    }
    let piece = '';
    for (const character of word) {
      if (!unspaced.test(character)) piece += character;
      else {
        if (piece !== '') add(piece);
        piece = '';
        add(character);
      }
    }
    if (piece !== '') add(piece);
  }
  return Int32Array.from(words);
}

/** For every start of a run: where an equal run starts first (itself, where there is none before). */
function firstOccurrences(words: Int32Array, length: number): Int32Array {
  const runCount = words.length - length + 1;
  const size = 2 ** Math.ceil(Math.log2(runCount * 2 + 1));
  const slots = new Int32Array(size).fill(-1);
  const first = new Int32Array(runCount);
  let power = 1;
  for (let index = 1; index < length; index += 1) power = Math.imul(power, base);
  let hash = 0;
  for (let index = 0; index < length - 1; index += 1) hash = Math.imul(hash, base) + mixed(words[index]);
  for (let start = 0; start < runCount; start += 1) {
    hash = (Math.imul(hash, base) + mixed(words[start + length - 1])) | 0;
    let slot = spread(hash) & (size - 1);
    for (;;) {
      const candidate = slots[slot] as number;
      if (candidate === -1) {
        slots[slot] = start;
        first[start] = start;
        break;
      }
      if (equalRuns(words, candidate, start, length)) {
        first[start] = candidate;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
    hash = (hash - Math.imul(mixed(words[start]), power)) | 0;
  }
  return first;
}

const base = 0x01000193;

function mixed(word: number | undefined): number {
  return Math.imul((word ?? 0) + 1, 0x9e3779b1);
}

function spread(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 1;
}

function equalRuns(words: Int32Array, a: number, b: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (words[a + index] !== words[b + index]) return false;
  return true;
}
