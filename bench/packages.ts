import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { version as duckdbVersion } from '@duckdb/node-api';
import { runtimeVersion } from '../src/compute/session.js';
import { Tables } from '../src/store/tables.js';
import { conditions, printTable } from './conditions.js';
import { clustering, neighbours } from './packages/clustering.js';
import { parquet } from './packages/parquet.js';
import { install, type Line, messageOf, rivals, versionOf } from './packages/rivals.js';
import { transformers } from './packages/transformers.js';
import { dimensions, vectorsLike } from './packages/vectors.js';
import { benchPrompts } from './vectors.js';

/**
 * The packages that one would reach for against what the product uses, each pair in the same process on the same input.
 * `npm run bench -- packages [transformers parquet kmeans hnsw]`: the first run installs the packages into `bench/node_modules`.
 */
export async function run(args: string[]): Promise<void> {
  install();
  const cache = join(import.meta.dirname, '.cache');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'packages-'));
  const tables = await Tables.open({ temporaryFolder: join(work, 'tmp'), memoryMegabytes: 2_000 });
  try {
    console.log(conditions());
    const own = `DuckDB ${duckdbVersion()} · ONNX Runtime ${await runtimeVersion('native')}`;
    console.log(`${rivals.map((name) => `${name} ${versionOf(name)}`).join(' · ')} · ${own}`);
    console.log('one thread each; s are CPU seconds, rates are per CPU second');
    const lines: Line[] = [];
    const add = async (name: string, part: () => Promise<Line[]>) => {
      if (args.length > 0 && !args.some((each) => name.includes(each))) return;
      // A package that does not install or run here is a line of the table, not the end of the bench.
      const found = await part().catch((error: unknown): Line[] => [[name, `fails: ${messageOf(error)}`, '', '']]);
      lines.push(...found);
    };
    const texts = (await benchPrompts(null)).slice(0, 600);
    await add('@huggingface/transformers', () => transformers(texts.slice(0, 300), tables, work));
    await add('parquetjs-lite', () => parquet(tables, work));
    const vectors = await vectorsLike(texts, 20_000);
    await add('ml-kmeans', () => clustering(vectors.subarray(0, 4_000 * dimensions), 100, 10));
    await add('hnswlib-node', () => neighbours(vectors));
    printTable(['', 'the package', 'curate', 'ours, times faster'], lines);
  } finally {
    tables.close();
    rmSync(work, { recursive: true });
  }
}
