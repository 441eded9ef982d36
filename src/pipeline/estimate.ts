import { availableParallelism } from 'node:os';
import { classifyCost } from '../classify/cost.js';
import type { ClassifyOptions } from '../classify/options.js';
import type { ClusterOptions } from '../cluster/cluster.js';
import { clusterCost } from '../cluster/cost.js';
import { calibrate } from '../compute/calibrate.js';
import type { DecontamOptions } from '../decontam/options.js';
import { isReworded } from '../decontam/presets.js';
import { type JudgeCost, judgeCost, rewordedCost } from '../decontam/reworded/cost.js';
import { embedCost } from '../embed/cost.js';
import type { EmbedOptions } from '../embed/embed.js';
import { measurePrompts } from '../embed/prompts.js';
import { estimateSources, type SourceEstimate } from '../ingest/estimate.js';
import type { IngestOptions } from '../ingest/options.js';
import type { RunFolder } from '../store/folder.js';
import type { Pipeline } from './config.js';
import type { StageContext, StageName } from './stage.js';

/**
 * What a whole run would take, none of it being there yet. Sizes in bytes, times in seconds on this machine. Where ingest's
 * result stands in the folder `ingested`, prompts are counted and measured instead of assumed.
 */
export interface Estimate {
  sources: (SourceEstimate & { diskBytes: number | null })[];
  /** Rows that the stages after ingest would see at most; null where a source's size is unknown. */
  rows: number | null;
  /** Distinct prompts that would be embedded, at most. */
  prompts: number | null;
  fetchBytes: number | null;
  /** Of the run folder; what is fetched lies in the hub's cache besides. */
  diskBytes: number | null;
  /** Of the stage that needs most. */
  memoryBytes: number;
  /** GFLOP/s of matrix products, measured for two seconds; null where nothing is embedded or clustered. */
  gflopRate: number | null;
  stages: { stage: StageName; gflop: number | null; memoryBytes: number | null; seconds: number | null }[];
  calls: { least: number; expected: number; most: number } | null;
  tokens: { input: number; output: number } | null;
  money: number | null;
  /** Of the judge of reworded questions, on top of the calls for labels; null where none is asked. */
  judge: JudgeCost | null;
}

/** The rates and shares that times are estimated from, as measured on two cores (bench/); a plan is no promise. */
const assumed = {
  /** Tokens of a prompt on average, the two special ones included, before the prompts have been read. */
  tokens: 120,
  /** Text of a row once it is read, and what share of it the rows take on disk (LZ4), and the dataset (zstd). */
  rowBytes: 8_000,
  rowsShare: 0.55,
  datasetShare: 0.35,
  /** Text read, judged and written by a core in a second. */
  ingestRate: 60e6,
  exportRate: 60e6,
  decontamPrompts: 1_000,
  filterRows: 500_000,
  /** Share of the calibrated rate that the two computing stages reach. */
  embedShare: 0.8,
  clusterShare: 0.8,
  /** Memory of a run that neither embeds nor clusters. */
  memory: 1.2e9,
  answersPerSecond: 50,
};

export async function estimate(
  pipeline: Pipeline,
  context: StageContext,
  workers = availableParallelism(),
  ingested: RunFolder | null = null,
): Promise<Estimate> {
  const { ingest, embed, cluster, classify, decontam } = pipeline.stages as Record<string, unknown>;
  const groups = embed === undefined ? [] : (embed as EmbedOptions).groups;
  const tables = await context.openTables();
  let sources: SourceEstimate[];
  let measured: { prompts: number; tokens: number } | null = null;
  try {
    sources = await estimateSources(ingest as IngestOptions, context, tables);
    if (ingested !== null && embed !== undefined && ingested.files('rows').length > 0)
      measured = await measurePrompts(tables, ingested, groups);
  } finally {
    tables.close();
  }
  const rows = total(
    sources.map((source) => (source.rows === null ? null : Math.min(source.rows, source.limit ?? source.rows))),
  );
  const entries = (ingest as IngestOptions).sources;
  const embedded = sources.filter((source) => groups.includes(entries[source.entry]?.group ?? ''));
  const prompts = measured?.prompts ?? total(embedded.map((source) => source.rows));
  const rewords = decontam !== undefined && isReworded(decontam as DecontamOptions);
  const rate = embed === undefined && !rewords ? null : await calibrate(context.compute, workers);

  const text = total(sources.map(textOf));
  const disk = sources.map(diskOf);
  const keptText = total(sources.map(keptTextOf));
  const result: Estimate = {
    sources: sources.map((source, at) => ({ ...source, diskBytes: disk[at] ?? null })),
    rows,
    prompts: embed === undefined ? null : prompts,
    fetchBytes: total(sources.map((source) => source.fetchBytes)),
    diskBytes: total(disk),
    memoryBytes: assumed.memory,
    gflopRate: rate,
    stages: [],
    calls: null,
    tokens: null,
    money: null,
    judge: null,
  };
  const add = (stage: StageName, gflop: number | null, memoryBytes: number | null, seconds: number | null) => {
    if (pipeline.stages[stage] === undefined) return;
    result.stages.push({ stage, gflop, memoryBytes, seconds: seconds === null ? null : Math.round(seconds) });
    result.memoryBytes = Math.max(result.memoryBytes, memoryBytes ?? 0);
  };
  const per = (count: number | null, perSecond: number) => (count === null ? null : count / perSecond);
  const window = Math.max(0, ...sources.map((source) => source.windowGigabytes)) * 1e9;
  add('ingest', null, assumed.memory + window, per(text, assumed.ingestRate * workers));
  if (embed !== undefined && rate !== null && prompts !== null) {
    const cost = embedCost({ prompts, tokens: measured?.tokens ?? assumed.tokens, workers });
    add('embed', cost.gflop, cost.memoryBytes, cost.gflop / (rate * assumed.embedShare));
    if (result.diskBytes !== null) result.diskBytes += 2 * cost.diskBytes;
  } else add('embed', null, null, null);
  if (cluster !== undefined) {
    const { k, algorithm, passes } = cluster as ClusterOptions;
    const cost =
      prompts === null
        ? null
        : clusterCost({ points: prompts, clusters: k, dimensions: 384, algorithm, passes, workers });
    add(
      'cluster',
      cost?.gflop ?? null,
      cost?.memoryBytes ?? null,
      cost === null || rate === null ? null : cost.gflop / (rate * assumed.clusterShare),
    );
    if (classify !== undefined) {
      const asked = classifyCost(k, classify as ClassifyOptions, context.resolve);
      const byEndpoint = asked.calls.most > 0;
      if (byEndpoint) Object.assign(result, { calls: asked.calls, tokens: asked.tokens, money: asked.money });
      add('classify', null, null, byEndpoint ? asked.calls.expected / assumed.answersPerSecond : (k * 10) / 100);
    }
  }
  if (decontam !== undefined && rows !== null) result.judge = judgeCost(rows, decontam as DecontamOptions, ingested);
  add('filter', null, null, per(rows, assumed.filterRows));
  const compared = per(rows, assumed.decontamPrompts * workers);
  const reworded =
    decontam === undefined || rows === null
      ? null
      : await rewordedCost(
          { prompts: rows, embedded: prompts ?? 0, tokens: measured?.tokens ?? assumed.tokens, workers },
          decontam as DecontamOptions,
          context,
        );
  if (reworded === null || rate === null) add('decontam', null, null, compared);
  else {
    const gflop = reworded.embedGflop + reworded.searchGflop;
    const seconds = gflop / (rate * assumed.embedShare) + reworded.wordSeconds / workers + (compared ?? 0);
    add('decontam', gflop, reworded.memoryBytes, seconds);
  }
  add('export', null, null, per(keptText, assumed.exportRate * workers));
  return result;
}

function textOf(source: SourceEstimate): number | null {
  return source.textBytes ?? (source.rows === null ? null : source.rows * assumed.rowBytes);
}

/** Of the rows that a limit lets through, each taken to be as long as the others. */
function keptTextOf(source: SourceEstimate): number | null {
  const text = textOf(source);
  if (text === null || source.rows === null || source.rows === 0 || source.limit === null) return text;
  return text * Math.min(1, source.limit / source.rows);
}

/** Its rows, and half of them as the dataset. */
function diskOf(source: SourceEstimate): number | null {
  const text = keptTextOf(source);
  return text === null ? null : Math.round(text * (assumed.rowsShare + assumed.datasetShare / 2));
}

/** The sum, or null where a part is unknown: half a sum is no estimate. */
function total(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce((sum: number | null, each) => (sum === null || each === null ? null : sum + each), 0);
}
