import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../product.js';

/** Names of the benchmarks that `use:` knows. */
export function knownBenchmarks(): string[] {
  return readdirSync(join(dataFolder, 'benchmarks'))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}
