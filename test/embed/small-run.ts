import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIGINT, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import type { StageContext } from '../../src/pipeline/stage.js';
import { sha256 } from '../../src/store/fingerprint.js';
import { RunFolder } from '../../src/store/folder.js';
import { Tables } from '../../src/store/tables.js';

export const promptKey = (prompt: string): string => sha256(prompt).slice(0, 32);

/** Prompts of a file of `rows/`; where `groups` is not given they are of the group `traces`. */
export interface SmallPrompt {
  prompt: string;
  groups?: string[];
  source?: string;
}

/** A run folder with what `embed` reads: `rows/` (only its columns `prompt` and `source`) and `prompts/`. */
export async function promptsRun(files: Record<string, SmallPrompt[]>): Promise<RunFolder> {
  const run = new RunFolder(mkdtempSync(join(tmpdir(), 'curate-embed-')));
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  try {
    const rows = await tables.writer({ source: VARCHAR, prompt: VARCHAR });
    const prompts = await tables.writer({ prompt_key: VARCHAR, file: VARCHAR, row: BIGINT, groups: LIST(VARCHAR) });
    for (const [file, list] of Object.entries(files)) {
      for (const [row, { prompt, groups, source }] of list.entries()) {
        await rows.append({ source: source ?? 'mine', prompt });
        await prompts.append({
          prompt_key: promptKey(prompt),
          file,
          row: BigInt(row),
          groups: listValue(groups ?? ['traces']),
        });
      }
      await rows.writeTo(run.file('rows', file));
    }
    await prompts.writeTo(run.file('prompts', 'prompts.parquet'));
  } finally {
    tables.close();
  }
  return run;
}

/** The context of a stage that runs in this process. */
export function contextOf(run: RunFolder, settings: Partial<StageContext> = {}): StageContext {
  return {
    run,
    seed: 42,
    compute: 'native',
    workers: 1,
    limit: null,
    options: {},
    resolve: (path) => path,
    expand: (text) => text,
    hash: async () => '',
    openTables: (options = {}) => Tables.open({ ...options, temporaryFolder: run.temporary }),
    progress: () => {},
    warn: () => {},
    signal: new AbortController().signal,
    ...settings,
  };
}
