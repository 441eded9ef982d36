import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPipeline } from '../../src/pipeline/config.js';
import { lockText, readLock } from '../../src/pipeline/lock.js';
import { filesOf, type Manifest, manifestText } from '../../src/pipeline/manifest.js';
import { rerun } from '../../src/pipeline/rerun.js';
import { type RunEffects, run as runPipeline } from '../../src/pipeline/run.js';
import { type VerifyOptions, verifyRun } from '../../src/pipeline/verify.js';
import { sha256 } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';

const scratch = mkdtempSync(join(tmpdir(), 'curate-verify-'));
const inputs = join(scratch, 'inputs');
const good = new RunFolder(join(scratch, 'good'));
const silent: RunEffects = {
  stage: () => {},
  progress: () => {},
  warn: () => {},
  log: () => {},
  seconds: () => 0,
  signal: new AbortController().signal,
};

beforeAll(async () => {
  cpSync(join(import.meta.dirname, 'faults'), inputs, { recursive: true });
  const pipeline = readPipeline(join(inputs, 'pipeline.yaml'));
  await runPipeline(pipeline, { out: good.path, workers: 1, limit: null }, silent);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy of the finished run in which something was changed. */
function changed(name: string, change: (run: RunFolder) => void): RunFolder {
  const run = new RunFolder(join(scratch, name));
  cpSync(good.path, run.path, { recursive: true });
  change(run);
  return run;
}

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));

/** What a careful forger does after changing a file: makes the manifest fit again. */
function resign(run: RunFolder, file: string): void {
  const { files } = JSON.parse(readFileSync(run.manifest, 'utf8')) as Manifest;
  writeFileSync(run.manifest, manifestText({ ...files, [file]: sha256(readFileSync(join(run.path, file))) }));
}

async function findings(run: RunFolder, options: VerifyOptions = {}): Promise<string[]> {
  const found = await verifyRun(run.path, { workers: 2, ...options });
  expect(found.ok).toBe(found.findings.length === 0);
  return found.findings.map(({ kind, path }) => `${kind} ${path}`);
}

describe('verify', () => {
  it('finds nothing in a run as it was left, also when every table is read again', async () => {
    const found = await verifyRun(good.path, { deep: true });
    expect(found).toMatchObject({ ok: true, findings: [] });
    expect(found.files).toBe((await filesOf(good)).length);
    expect(found.tablesRead).toBe(Object.keys(readLock(good.lock).tables).length);
  });

  it('notices one flipped byte in any file, and names it', async () => {
    const run = changed('flipped', () => {});
    const files = [...(await filesOf(run)), 'manifest.json'];
    expect(files).toContain('curate.lock');
    expect(files.length).toBeGreaterThan(15);
    for (const [index, file] of files.entries()) {
      const path = join(run.path, file);
      const bytes = readFileSync(path);
      // The first, a middle or the last byte, in turn.
      const at = [0, Math.floor(bytes.length / 2), bytes.length - 1][index % 3] ?? 0;
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(path, flipped);
      const kind = file === 'manifest.json' ? 'changed-manifest' : 'changed';
      expect(await findings(run), `${file} byte ${at}`).toContain(`${kind} ${file}`);
      writeFileSync(path, bytes);
    }
    expect(await findings(run)).toEqual([]);
  }, 240_000);

  it('names missing and extra files', async () => {
    const run = changed('moved', (copy) => {
      const file = copy.files('rows')[0] ?? '';
      renameSync(file, join(dirname(file), 'zzz.parquet'));
      mkdirSync(join(copy.path, 'notes'));
      writeFileSync(join(copy.path, 'notes', 'todo.txt'), 'x');
    });
    const file = good.relative(good.files('rows')[0] ?? '');
    expect(await findings(run)).toEqual(['extra notes/todo.txt', 'extra rows/zzz.parquet', `missing ${file}`]);
  });

  it('says that a folder without a manifest is not finished', async () => {
    const run = changed('unfinished', (copy) => rmSync(copy.manifest));
    expect(await findings(run)).toEqual(['no-manifest manifest.json']);
  });

  it('a folder that is no run folder is a Problem', async () => {
    await expect(verifyRun(join(scratch, 'inputs'))).rejects.toThrow('is no run folder');
  });

  it('the log and the claim of a living process are nobody’s business', async () => {
    const run = changed('log', (copy) => {
      writeFileSync(copy.log, 'another line');
      writeFileSync(copy.state('claim.json'), '{}');
    });
    expect(await findings(run)).toEqual([]);
  });

  it('a file changed together with the manifest does not fit what its stage wrote', async () => {
    const file = good.relative(good.files('dataset')[0] ?? '');
    const run = changed('forged-file', (copy) => {
      writeFileSync(join(copy.path, file), readFileSync(copy.files('rows')[0] ?? ''));
      resign(copy, file);
    });
    expect(await findings(run)).toEqual([`not-as-locked ${file}`]);
  });

  it('a lock edited together with its checksum and the manifest does not fit the stages', async () => {
    const run = changed('forged-lock', (copy) => {
      const lock = readLock(copy.lock);
      lock.tables.rows = sha256('other rows');
      writeFileSync(copy.lock, lockText(lock));
      resign(copy, 'curate.lock');
    });
    expect(await findings(run)).toEqual(['not-as-locked table rows']);
  });

  it('a lock, a state and a manifest forged together are found by reading the tables', async () => {
    const run = changed('forged-all', (copy) => {
      const lock = readLock(copy.lock);
      const state = copy.state('stages', 'decontam.json');
      edit(state, (text) => text.replace(String(lock.tables.hits), sha256('other hits')));
      lock.tables.hits = sha256('other hits');
      writeFileSync(copy.lock, lockText(lock));
      for (const file of ['curate.lock', copy.relative(state)]) resign(copy, file);
    });
    // The state of the decontamination is read by the export, whose basis names the hash; nothing else does.
    expect((await findings(run)).filter((each) => each.includes('hits'))).toEqual([]);
    expect(await findings(run, { deep: true })).toContain('not-as-locked table hits');
  });

  it('compares with another lock', async () => {
    const lock = { ...readLock(good.lock) };
    lock.tables = { ...lock.tables, 'verdicts/filter': sha256('x') };
    const other = join(scratch, 'other.lock');
    writeFileSync(other, lockText(lock));
    expect(await findings(good, { lock: other })).toEqual(['not-as-locked table verdicts/filter']);
  });
});

describe('verify --rerun', () => {
  const again = (run: RunFolder, name: string) => rerun(run.path, { workers: 1, scratch: join(scratch, name) }, silent);

  it('an honest run is made again, equal in every stage', async () => {
    const found = await again(good, 'again-equal');
    expect(found).toMatchObject({ ok: true, first: null, why: [] });
    expect(found.stages.map(({ stage, result }) => `${stage} ${result}`)).toEqual([
      'ingest equal',
      'filter equal',
      'decontam equal',
      'export equal',
    ]);
  });

  it('names the first stage and row that differ, and the source that changed', async () => {
    const rows = join(inputs, 'rows.jsonl');
    const before = readFileSync(rows, 'utf8');
    const [first = '', ...rest] = before.split('\n');
    const row = JSON.parse(first) as { prompt: string };
    writeFileSync(rows, [JSON.stringify({ ...row, prompt: `${row.prompt} indeed` }), ...rest].join('\n'));
    try {
      const found = await again(good, 'again-source');
      expect(found.ok).toBe(false);
      expect(found.first).toMatchObject({ stage: 'ingest', table: 'rows', row: 0 });
      expect(found.first?.key).toMatch(/^id mine-/);
      expect(found.first?.differences.join('\n')).toContain('indeed');
      expect(found.why.join('\n')).toMatch(/source .*rows\.jsonl/);
      expect(found.stages.slice(1).map((stage) => stage.result)).toEqual([
        'not compared',
        'not compared',
        'not compared',
      ]);
    } finally {
      writeFileSync(rows, before);
    }
  });

  it('a result that nobody could have computed is found, though every checksum fits', async () => {
    const run = changed('wrong-verdicts', (copy) => {
      const lock = readLock(copy.lock);
      lock.tables['verdicts/filter'] = sha256('wrong');
      writeFileSync(copy.lock, lockText(lock));
    });
    const found = await again(run, 'again-wrong');
    expect(found).toMatchObject({ ok: false, first: { stage: 'filter', table: 'verdicts/filter' } });
    expect(found.why.join()).toContain('the run folder was changed');
  });
});
