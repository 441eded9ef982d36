import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RunFolder } from '../src/store/folder.js';
import { parquet, Tables } from '../src/store/tables.js';

/**
 * A folder is a test case: `pipeline.yaml` (its first line is the claim), `input/`, and `expected/` with what the command
 * must leave: `rows.jsonl`, `quarantine.jsonl`, `hits.jsonl`, `closing.txt`, or `exit` and `stderr.txt`. A missing
 * `expected/` is written on a person's machine and fails in CI.
 */
const cases = join(import.meta.dirname, 'cases');
const command = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
const only = process.env.CURATE_CASE;
const scratch = mkdtempSync(join(tmpdir(), 'curate-cases-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const names = readdirSync(cases).filter(
  (name) => existsSync(join(cases, name, 'pipeline.yaml')) && (only === undefined || name === only),
);

describe.each(names)('%s', (name) => {
  const folder = join(cases, name);
  const claim = readFileSync(join(folder, 'pipeline.yaml'), 'utf8').split('\n')[0]?.replace(/^#\s*/, '') ?? '';

  test(claim, async () => {
    const out = join(scratch, name);
    const ran = spawnSync(
      process.execPath,
      [command, 'run', 'pipeline.yaml', '--out', out, '--workers', '1', '--quiet'],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
      },
    );
    const found =
      ran.status === 0
        ? await tablesOf(out)
        : { exit: `${ran.status}\n`, 'stderr.txt': masked(ran.stderr, out, folder) };
    if (ran.status === 0) found['closing.txt'] = `${ran.stdout.trimEnd().split('\n').at(-1)}\n`;
    expect(readExpected(join(folder, 'expected'), found)).toEqual(found);
    if (ran.status !== 0) expect(existsSync(join(out, 'dataset'))).toBe(false);
  });
});

/** The files of `expected/`, written first where they are missing and nobody's CI is asking. */
function readExpected(folder: string, found: Record<string, string>): Record<string, string> {
  if (Object.values(found).some((text) => text.includes('this is a defect')))
    throw new Error(JSON.stringify(found, null, 1));
  if (!existsSync(folder) && process.env.CI === undefined) {
    mkdirSync(folder);
    for (const [file, text] of Object.entries(found)) writeFileSync(join(folder, file), text);
  }
  return Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

async function tablesOf(out: string): Promise<Record<string, string>> {
  const run = new RunFolder(out);
  const tables = await Tables.open({ temporaryFolder: join(out, '.curate', 'tmp') });
  const lines = async (sql: string) => (await tables.rows(sql)).map((row) => `${JSON.stringify(row)}\n`).join('');
  try {
    const verdicts = (table: 'verdicts/filter' | 'verdicts/decontam') => {
      const files = run.files(table);
      return files.length === 0 ? '(SELECT NULL AS id, NULL AS first_failed)' : parquet(files);
    };
    const found: Record<string, string> = {
      'rows.jsonl': await lines(
        `SELECT r.origin.row AS row, r.id, CASE WHEN length(r.prompt) > 60 THEN r.prompt[:60] || '…' ELSE r.prompt END AS prompt,
                r.complete, r.prompt_words, r.prompt_words_segmented AS segmented,
                coalesce(r.reasoning_words, 0) + coalesce(r.answer_words, 0) AS trace_words,
                coalesce(r.reasoning_waits, 0) + coalesce(r.answer_waits, 0) AS waits, r.language,
                coalesce(f.first_failed, d.first_failed) AS failed
         FROM ${parquet(run.files('rows'))} r
         LEFT JOIN ${verdicts('verdicts/filter')} f ON f.id = r.id
         LEFT JOIN ${verdicts('verdicts/decontam')} d ON d.id = r.id ORDER BY r.source, r.origin.file, r.origin.row, r.id`,
      ),
    };
    const quarantine = run.files('quarantine');
    if (quarantine.length > 0)
      found['quarantine.jsonl'] = await lines(
        `SELECT file, row, reason FROM ${parquet(quarantine)} ORDER BY file, row`,
      );
    const hits = run.files('hits');
    if (hits.length > 0) {
      const text = await lines(
        `SELECT method, benchmark, item, field, span_start, span_end FROM ${parquet(hits)} ORDER BY method, benchmark, item, prompt_key, field, span_start`,
      );
      if (text !== '') found['hits.jsonl'] = text;
    }
    return found;
  } finally {
    tables.close();
  }
}

/** Paths of this machine replaced by what they stand for. */
function masked(text: string, out: string, folder: string): string {
  return text.replaceAll(out, 'OUT').replaceAll(folder, 'CASE');
}
