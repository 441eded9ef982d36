import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type DoubtfulCluster, leastCertain } from '../classify/doubtful.js';
import { type LabelSet, readLabelSet } from '../classify/label-set.js';
import { classifyOptions } from '../classify/options.js';
import { type Override, overrideFor, readOverrides, writeOverrides } from '../classify/overrides.js';
import { pipelineOf } from '../pipeline/state.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { Tables } from '../store/tables.js';
import { nearestName } from '../text/nearest-name.js';
import { showText } from './excerpt.js';
import { counted, type Output, safe } from './output.js';

export interface ReviewClustersOptions {
  /** Clusters to show, the least certain first. */
  top: number;
  /** One cluster instead. */
  id?: number;
  /** A verdict without asking: needs `id`. */
  label?: string;
}

/**
 * `curate review RUN clusters`: shows the least certain clusters with exemplars and votes, takes a person's verdict on each
 * and writes it to the pipeline's `classify.overrides` file at once. Answers are read line by line, so they can be piped.
 */
export async function reviewClusters(
  folder: string,
  output: Output,
  options: ReviewClustersOptions,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<void> {
  const run = new RunFolder(resolve(folder));
  const { path, set } = overridesOf(run);
  if (!existsSync(run.file('labels', 'labels.parquet'))) {
    throw new Problem('this run has no labels yet', { where: run.path, try: 'curate run … --to classify' });
  }
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  try {
    const choice = options.id === undefined ? { top: options.top } : { ids: [options.id] };
    const overrides = readOverrides(path, set);
    const clusters = (await leastCertain(run, tables, choice)).filter(
      (cluster) => options.id !== undefined || overrideFor(overrides, keysOf(cluster)) === null,
    );
    const verdicts = await judge(output, clusters, set, options, input, async (cluster, label) => {
      const others = overrides.filter((each) => each !== overrideFor(overrides, keysOf(cluster)));
      overrides.splice(0, overrides.length, ...others, { label, exemplars: keysOf(cluster) });
      await writeOverrides(path, run.temporary, overrides);
    });
    const sentence = `${counted(verdicts.length, 'verdict')} on ${counted(clusters.length, 'cluster')}${verdicts.length === 0 ? '' : ' · curate run takes them over'}`;
    output.result({ overrides: path, clusters: clusters as unknown as Json, verdicts, sentence });
    output.close(sentence);
  } finally {
    tables.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface Verdict {
  [key: string]: Json;
  cluster: number;
  label: string;
}

function overridesOf(run: RunFolder): { path: string; set: LabelSet } {
  const pipeline = pipelineOf(run);
  const classify = pipeline.stages.classify;
  if (classify === undefined) throw new Problem('this run labels no clusters', { where: run.path });
  const options = classifyOptions.parse(classify);
  const set = readLabelSet(options.labels, (path) => resolve(pipeline.folder, path));
  if (options.overrides === undefined) {
    throw new Problem('the pipeline names no file for a person’s verdicts', {
      where: pipeline.file,
      try: 'add overrides: ./overrides.yaml under classify, and curate run once more',
    });
  }
  return { path: resolve(pipeline.folder, options.overrides), set };
}

async function judge(
  output: Output,
  clusters: readonly DoubtfulCluster[],
  set: LabelSet,
  options: ReviewClustersOptions,
  input: NodeJS.ReadableStream,
  write: (cluster: DoubtfulCluster, label: string) => Promise<void>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  if (options.label !== undefined) {
    const [cluster] = clusters;
    if (options.id === undefined || cluster === undefined) {
      throw new Problem('--label needs the cluster that it is for', { try: '--id N --label NAME' });
    }
    const label = labelNamed(options.label, set);
    if (label === null) throw unknownLabel(options.label, set);
    await write(cluster, label);
    return [{ cluster: cluster.cluster, label }];
  }
  // With --json the clusters are the result, and nobody is there to ask.
  if (output.json) return [];
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const answers = lines[Symbol.asyncIterator]();
  try {
    for (const [index, cluster] of clusters.entries()) {
      show(output, cluster, set, `${index + 1} of ${clusters.length}`);
      const label = await answerFor(output, answers, cluster, set);
      if (label === 'quit') break;
      if (label === null) continue;
      await write(cluster, label.name);
      verdicts.push({ cluster: cluster.cluster, label: label.name });
    }
  } finally {
    lines.close();
  }
  return verdicts;
}

/** A label, null to skip the cluster, or 'quit'. Asks again after what it does not understand. */
async function answerFor(
  output: Output,
  answers: AsyncIterator<string>,
  cluster: DoubtfulCluster,
  set: LabelSet,
): Promise<{ name: string } | null | 'quit'> {
  const keep = cluster.label === null ? '' : `Enter: ${safe(cluster.label)} · `;
  for (;;) {
    process.stderr.write(`label or its number · ${keep}s: skip · q: quit > `);
    const next = await answers.next();
    if (next.done === true) return 'quit';
    const text = next.value.trim();
    if (text === 'q') return 'quit';
    if (text === 's') return null;
    if (text === '' && cluster.label !== null) return { name: cluster.label };
    const name = labelNamed(text, set);
    if (name !== null) return { name };
    const near = nearestName(text, names(set));
    output.note(`no label "${text}"${near === null ? '' : `; did you mean ${near}?`}`);
  }
}

function show(output: Output, cluster: DoubtfulCluster, set: LabelSet, place: string): void {
  const low = Math.round(cluster.agreement * 100);
  const high = Math.round(cluster.agreementHigh * 100);
  output.line();
  output.line(
    output.paint('strong', `cluster ${cluster.cluster}`) +
      ` · ${place} · ${counted(cluster.prompts, 'prompt')} · ${safe(cluster.label ?? 'no label')}${cluster.uncertain ? ' (uncertain)' : ''}` +
      ` by ${safe(cluster.decidedBy)} · agreement ${low === high ? low : `${low} to ${high}`} %`,
  );
  for (const { prompt, vote } of cluster.exemplars) {
    showText(output, vote === undefined ? 'not asked' : (vote ?? 'invalid'), prompt, 2, 26);
  }
  output.line();
  output.line(
    output.paint(
      'faint',
      names(set)
        .map((name, index) => `${index + 1} ${safe(name)}`)
        .join(' · '),
    ),
  );
}

function names(set: LabelSet): string[] {
  return set.labels.map(({ name }) => name);
}

function labelNamed(text: string, set: LabelSet): string | null {
  if (/^\d+$/.test(text)) return names(set)[Number(text) - 1] ?? null;
  return names(set).find((name) => name.toLowerCase() === text.toLowerCase()) ?? null;
}

function unknownLabel(text: string, set: LabelSet): Problem {
  const near = nearestName(text, names(set));
  return new Problem(`no label "${text}"`, {
    where: '--label',
    try: near === null ? `one of: ${names(set).join(', ')}` : `did you mean ${near}?`,
  });
}

function keysOf(cluster: DoubtfulCluster): Override['exemplars'] {
  return cluster.exemplars.map(({ key }) => key);
}
