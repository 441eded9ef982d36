import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { StageName, StageReport } from '../pipeline/stage.js';
import type { RunFolder } from '../store/folder.js';

/** What earlier stages left about themselves; null for a stage that is not in the pipeline. */
export type StageFacts = Pick<StageReport, 'in' | 'kept' | 'dropped' | 'quarantined' | 'figures' | 'warnings'>;

const stageFile = z.looseObject({
  report: z.looseObject({
    in: z.number(),
    kept: z.number(),
    dropped: z.record(z.string(), z.number()),
    quarantined: z.number(),
    figures: z.record(z.string(), z.json()),
    warnings: z.array(z.string()),
  }),
  inputs: z
    .array(z.looseObject({ kind: z.string(), name: z.string(), sha256: z.string(), revision: z.string().optional() }))
    .optional(),
});
export type StageFile = z.output<typeof stageFile>;

/** The pipeline's name; a folder that no pipeline made (a test's) has none. */
export function runName(run: RunFolder): string {
  const path = run.state('run.json');
  if (!existsSync(path)) return 'dataset';
  return z.looseObject({ name: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).name;
}

/** The finished account of a stage before this one, or null. */
export function stageFacts(run: RunFolder, stage: StageName): StageFile | null {
  const path = run.state('stages', `${stage}.json`);
  if (!existsSync(path)) return null;
  return stageFile.parse(JSON.parse(readFileSync(path, 'utf8')));
}
