import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BOOLEAN, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { hitColumns } from '../../src/decontam/hit-columns.js';
import { filter } from '../../src/filter/filter.js';
import type { StageInput, StageName, StageReport } from '../../src/pipeline/stage.js';
import type { Json } from '../../src/store/fingerprint.js';
import type { RunFolder } from '../../src/store/folder.js';
import { parquet } from '../../src/store/tables.js';
import {
  type ClusterSpec,
  promptKey,
  type RowSpec,
  runFilter,
  runFolderWith,
  withTables,
  writeClusters,
} from '../filter/small-run.js';

export interface AskedSpec {
  files: Record<string, RowSpec[]>;
  clusters?: ClusterSpec[];
  /** `filter:` of the pipeline; absent: no such stage. */
  filter?: { [key: string]: Json };
  decontam?: { options: { [key: string]: Json }; methods: string[]; hits: HitSpec[] };
  seed?: number;
  inputs?: StageInput[];
}

export interface HitSpec {
  prompt: string;
  method: string;
  benchmark: string;
  item: string;
  score?: number;
  span?: [number, number];
  count?: number;
  id?: string;
  field?: string;
}

/** A run folder as the pipeline leaves it when all stages are finished, without running those before the filter. */
export async function askedRun(spec: AskedSpec): Promise<RunFolder> {
  const run = await runFolderWith(spec.files);
  const stages: Partial<Record<StageName, Json>> = { ingest: { sources: [] } };
  if (spec.clusters !== undefined) {
    await writeClusters(run, spec.clusters);
    Object.assign(stages, { embed: { groups: ['traces'] }, cluster: {}, classify: {} });
  }
  const rows = Object.values(spec.files).flat();
  const reports = new Map<StageName, StageReport>(
    (Object.keys(stages) as StageName[]).map((name) => [name, reportOf(rows.length)]),
  );
  if (spec.filter !== undefined) {
    reports.set('filter', await runFilter(run, spec.filter, stages));
    stages.filter = filter.options.parse(spec.filter) as Json;
  }
  if (spec.decontam !== undefined) {
    await writeDecontam(run, spec.decontam);
    stages.decontam = spec.decontam.options;
    reports.set('decontam', reportOf(rows.length));
  }
  const pipeline = {
    file: '/x/pipeline.yaml',
    folder: '/x',
    name: 'small',
    seed: spec.seed ?? 42,
    compute: 'native',
    stages,
  };
  write(run.state('pipeline.json'), pipeline);
  for (const [name, report] of reports) {
    write(run.state('stages', `${name}.json`), {
      report: report as unknown as Json,
      inputs: (name === 'ingest' ? (spec.inputs ?? []) : []) as unknown as Json,
      tables: {},
    });
  }
  return run;
}

function reportOf(rows: number): StageReport {
  return { unit: 'rows', in: rows, kept: rows, dropped: {}, quarantined: 0, figures: {}, notes: {}, warnings: [] };
}

async function writeDecontam(run: RunFolder, { methods, hits }: NonNullable<AskedSpec['decontam']>): Promise<void> {
  await withTables(run, async (tables) => {
    const writer = await tables.writer(hitColumns);
    for (const hit of hits) {
      await writer.append({
        prompt_key: promptKey(hit.prompt),
        field: hit.field ?? 'prompt',
        method: hit.method,
        benchmark: hit.benchmark,
        item: hit.item,
        score: hit.score ?? 1,
        span_start: hit.span?.[0] ?? 0,
        span_end: hit.span?.[1] ?? 1,
        span_count: hit.count ?? 1,
        text: '',
        id: hit.id ?? null,
      });
    }
    await writer.writeTo(run.file('hits', '00000.parquet'));
    const rows = await tables.rows<{ id: string; prompt_key: string }>(
      `SELECT id, prompt_key FROM ${parquet(run.files('rows'))}`,
    );
    const columns = Object.fromEntries(methods.map((method) => [method, BOOLEAN]));
    const verdicts = await tables.writer({ id: VARCHAR, ...columns, first_failed: VARCHAR });
    for (const { id, prompt_key } of rows) {
      const failed = (method: string) =>
        hits.some((hit) => hit.method === method && promptKey(hit.prompt) === prompt_key && (hit.id ?? id) === id);
      const row: Record<string, DuckDBValue> = { id, first_failed: methods.find(failed) ?? null };
      for (const method of methods) row[method] = !failed(method);
      await verdicts.append(row);
    }
    await verdicts.writeTo(run.file('verdicts/decontam', '00000.parquet'));
  });
}

function write(path: string, value: Json): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
}
