import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Problem } from '../problem.js';

/** What a check writes. */
const results = ['clean', 'hits.parquet', 'candidates.parquet', 'coverage.json', 'summary.json'];
/** What a judge was paid for stays, and what a check was killed over is written anew. */
const staying = ['votes.jsonl', 'spent.jsonl', '.tmp'];

/**
 * What an earlier check left in the folder, to be removed once this one can begin. Throws where the folder holds anything
 * else, or an input: what one check left is often what the next one reads.
 */
export function earlierResults(out: string, inputs: readonly string[]): string[] {
  if (!existsSync(out)) return [];
  const inside = inputs.find((path) => realpathSync(path).startsWith(realpathSync(out) + sep));
  if (inside !== undefined)
    throw new Problem('the output folder holds what is to be read, which would be removed', {
      where: inside,
      try: '--out with another folder',
    });
  const present = readdirSync(out).filter((name) => !staying.includes(name));
  const clean = present.includes('clean') ? readdirSync(join(out, 'clean')) : [];
  const foreign = [
    ...present.filter((name) => !results.includes(name)),
    ...clean.filter((name) => !/^\d{5}-.*\.parquet$/s.test(name)).map((name) => join('clean', name)),
  ];
  if (foreign.length > 0)
    throw new Problem('the output folder holds other files', {
      where: out,
      found: foreign.slice(0, 5).join(', '),
      try: '--out with a new folder',
    });
  return present.map((name) => join(out, name));
}
