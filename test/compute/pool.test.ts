import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { workerFile } from '../../src/product.js';

const run = promisify(execFile);

// A process of its own, because what this guards against ends the whole process and not one thread of it.
test('a pool may be closed while its threads still load', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'curate-pool-'));
  const parts = Array.from({ length: 100 }, (_, each) => `part${each}.mjs`);
  for (const part of parts) await writeFile(join(folder, part), 'export const part = 1;\n');
  const thread = join(folder, 'thread.mjs');
  await writeFile(
    thread,
    `${parts.map((part) => `import './${part}';`).join('\n')}\nexport default (task) => task + 1;\n`,
  );
  const main = join(folder, 'main.mjs');
  await writeFile(
    main,
    `import { openPool } from ${JSON.stringify(workerFile('compute/pool').href)};
const file = new URL(${JSON.stringify(pathToFileURL(thread).href)});
for (let round = 0; round < 120; round++) {
  const pool = openPool(file, 4);
  await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 80));
  await pool.close();
}
const last = openPool(file, 2);
console.log(JSON.stringify(await last.run([1, 2, 3])));
await last.close();
`,
  );
  const { stdout } = await run(process.execPath, [main]);
  expect(JSON.parse(stdout)).toEqual([2, 3, 4]);
});
