import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/store/fingerprint.js';
import type { Item } from './items.js';

/** What a reader who saw the text alone says of an item: is it kept? */
export interface Reading {
  kept: boolean;
  /** The share of items like it that were read. */
  share: number;
}

/** Readings of the items that were read, in the items' order; null: not read. `read.tsv` says how they were drawn. */
export function readingsOf(items: readonly Item[]): (Reading | null)[] {
  const known = new Map<string, Reading>();
  for (const line of readFileSync(join(import.meta.dirname, 'read.tsv'), 'utf8').split('\n')) {
    const [key = '', kept, share] = line.split('\t');
    if (key !== '' && !key.startsWith('#')) known.set(key, { kept: kept === 'yes', share: Number(share) });
  }
  return items.map(({ source, text }) => known.get(sha256(`${source} ${text}`).slice(0, 16)) ?? null);
}
