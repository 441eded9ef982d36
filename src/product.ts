import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the installed package: both `src/` and `dist/` lie directly in it. */
export const productFolder = fileURLToPath(new URL('..', import.meta.url));

/** `data/` of the package: sources, labels, benchmarks and pipelines that ship. */
export const dataFolder = join(productFolder, 'data');

export const productVersion: string = (
  JSON.parse(readFileSync(join(productFolder, 'package.json'), 'utf8')) as { version: string }
).version;

/**
 * The compiled file of a worker thread, by its path below `src/` without ending (`pipeline/worker`).
 * Tests run the sources, but a thread starts outside their loader and so takes the build.
 */
export function workerFile(name: string): URL {
  return new URL(`../dist/${name}.js`, import.meta.url);
}

/**
 * What a thread pool starts its threads with. Piscina tries `require` before `import`, and Node aborts the whole process
 * when a thread is ended inside a `require` of a module graph; an `import` may be ended at any moment.
 */
export const threadArguments: string[] = ['--no-experimental-require-module'];
