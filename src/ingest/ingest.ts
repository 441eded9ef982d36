import { defineStage, type StageContext, type StageInput } from '../pipeline/stage.js';
import { fingerprint } from '../store/fingerprint.js';
import type { Tables } from '../store/tables.js';
import { checkColumns, checkSources } from './check.js';
import type { SourceFile } from './files.js';
import { fetchHead, fetchSource, keepListing } from './hub/source.js';
import { merge } from './merge.js';
import { type IngestOptions, options } from './options.js';
import { decidingParts, readSourceFile } from './source-file.js';
import { resolveSource, type Source } from './sources.js';
import { cutTasks, type IngestTask } from './tasks.js';
import { work } from './work.js';

/**
 * Reads the sources and writes every row down once in one shape, with its counts, language, keys and identity. What
 * cannot be read goes to quarantine with its place and reason.
 */
export const ingest = defineStage<IngestOptions, IngestTask>({
  name: 'ingest',
  summary: 'reads the sources into canonical rows',
  version: 4,
  options,
  reads: [],
  joins: [],
  writes: ['rows', 'prompts', 'quarantine'],
  runs: 'workers',
  beginsEarly: true,

  async check(options, context) {
    await withTables(context, (tables) => checkSources(options, context, tables));
  },

  async inputs(options, context) {
    const inputs = new Map<string, StageInput>();
    for (const source of await resolveAll(options, context)) {
      for (const file of source.files) {
        const sha256 = file.sha256 ?? (await context.hash(file.path));
        const usual = `${source.name}/${file.name}`;
        const known = inputs.get(usual);
        // Two folders may hold files of one name; the same file in two entries is one input.
        const name = known === undefined || known.sha256 === sha256 ? usual : `${usual} (sources[${source.entry}])`;
        const revision = source.hub === null ? {} : { revision: source.hub.repository.commit };
        const bytes = file.bytes === undefined ? {} : { bytes: file.bytes };
        inputs.set(name, { kind: 'source', name, sha256, ...revision, ...bytes });
      }
    }
    for (const { use } of options.sources) {
      // What the named source says decides the rows as much as the pipeline file does.
      const name = `${use}.yaml`;
      if (use !== undefined)
        inputs.set(name, { kind: 'source', name, sha256: fingerprint(decidingParts(readSourceFile(use))) });
    }
    return [...inputs.values()];
  },

  async tasks(options, context) {
    const sources = await resolveAll(options, context);
    return withTables(context, async (tables) => {
      const tasks: IngestTask[] = [];
      for (const source of sources) {
        const { hub } = source;
        if (hub !== null) await keepListing(hub.name, hub.revision, hub.repository, context);
        if (hub !== null && context.limit === null) await fetchSource(hub, context);
        const provide = async (file: SourceFile, rows: number | null) => {
          if (hub === null) return;
          if (rows !== null) await fetchHead(hub, file, rows, tables, context);
          await checkColumns(source, file, tables);
        };
        tasks.push(...(await cutTasks(source, tables, context.limit, provide)));
      }
      return tasks;
    });
  },

  work,

  async finish(reports, options, context) {
    return merge(reports, await resolveAll(options, context), options, context);
  },
});

// ---------------------------------------------------------------------------------------------------------------------

async function resolveAll(options: IngestOptions, context: StageContext): Promise<Source[]> {
  const sources: Source[] = [];
  for (const [index, entry] of options.sources.entries()) sources.push(await resolveSource(entry, index, context));
  return sources;
}

async function withTables<T>(context: StageContext, use: (tables: Tables) => Promise<T>): Promise<T> {
  const tables = await context.openTables();
  try {
    return await use(tables);
  } finally {
    tables.close();
  }
}
