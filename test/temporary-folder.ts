import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All that the tests and the programs they start leave behind lies in one folder, which goes with them. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'curate-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
