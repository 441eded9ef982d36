import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.js';

/** The files that the arguments name; of a folder all data files in it, by name. */
export function dataPaths(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!existsSync(path)) throw new Problem('no such file', { where: path, try: 'check the path; a shell expands *' });
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path).filter((name) => /\.(parquet|jsonl?|ndjson|csv|tsv)(\.(gz|zst|bz2))?$/i.test(name));
    if (files.length === 0) throw new Problem('no data file in the folder', { where: path });
    return files.sort().map((name) => join(path, name));
  });
}
