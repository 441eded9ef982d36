import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sha256File } from '../../src/store/fingerprint.js';
import { hashFiles } from '../../src/store/hash-files.js';

const folder = mkdtempSync(join(tmpdir(), 'curate-hash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([1, 3])('hashes files of every size as one stream would, with %i threads', async (threads) => {
  const sizes = [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000, 70_000_000];
  const paths = sizes.map((size) => {
    const path = join(folder, `${size}.bin`);
    writeFileSync(path, `begins ${size}`.slice(0, size));
    truncateSync(path, size);
    return path;
  });
  const found = new Map<string, string | null>();
  let bytes = 0;
  await hashFiles([...paths, join(folder, 'none')], threads, (file) => {
    found.set(file.path, file.hash);
    bytes += file.bytes;
  });
  for (const path of paths) expect(found.get(path), path).toBe(await sha256File(path));
  expect(found.get(join(folder, 'none'))).toBeNull();
  expect(bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
});
