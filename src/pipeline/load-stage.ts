import type { StageName } from './stage.js';
import type { AnyStage } from './stages.js';

const loaders: Record<StageName, () => Promise<AnyStage>> = {
  ingest: async () => (await import('../ingest/ingest.js')).ingest,
  embed: async () => (await import('../embed/embed.js')).embed,
  cluster: async () => (await import('../cluster/cluster.js')).cluster,
  classify: async () => (await import('../classify/classify.js')).classify,
  filter: async () => (await import('../filter/filter.js')).filter,
  decontam: async () => (await import('../decontam/decontam.js')).decontam,
  export: async () => (await import('../export/export.js')).exportStage,
};

/** How a stage does one task: without the rest of it where the stage keeps that apart. */
export async function loadWork(name: StageName): Promise<AnyStage['work']> {
  if (name === 'ingest') return (await import('../ingest/work.js')).work as AnyStage['work'];
  const stage = await loadStage(name);
  return (task, options, context) => stage.work(task, options, context);
}

/** One stage and no other: a worker thread that reads files need not load a model's runtime. */
export function loadStage(name: StageName): Promise<AnyStage> {
  return loaders[name]();
}
