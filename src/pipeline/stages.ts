import { classify } from '../classify/classify.js';
import { cluster } from '../cluster/cluster.js';
import { decontam } from '../decontam/decontam.js';
import { embed } from '../embed/embed.js';
import { exportStage } from '../export/export.js';
import { filter } from '../filter/filter.js';
import { ingest } from '../ingest/ingest.js';
import type { Stage, StageName } from './stage.js';

/** A stage whose options and tasks are known to itself alone. */
export type AnyStage = Stage<unknown>;

/** All stages in the order in which they run. */
export const stages: readonly AnyStage[] = [ingest, embed, cluster, classify, filter, decontam, exportStage];

/** The stage of that name. */
export function stageNamed(name: StageName): AnyStage {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) throw new Error(`no stage ${name}`);
  return stage;
}
