import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run bench -- NAME [ARGUMENTS]` calls `run` of `bench/NAME.ts`. */
const [name = '', ...args] = process.argv.slice(2);
const notBenches = new Set(['bench', 'python', 'conditions', 'vectors', 'decontam-data']);
const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z-]+\.ts$/.test(file))
  .map((file) => file.slice(0, -3))
  .filter((each) => !notBenches.has(each));
if (names.includes(name) && existsSync(join(import.meta.dirname, `${name}.ts`))) {
  const bench = (await import(`./${name}.ts`)) as { run(args: string[]): Promise<void> };
  await bench.run(args);
} else {
  console.error(`npm run bench -- ${names.join('|')}`);
  process.exitCode = 2;
}
