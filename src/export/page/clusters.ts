import { parquet } from '../../store/tables.js';
import type { Cluster } from '../figures.js';
import { cut } from '../inert.js';
import { labelerSentence } from '../sentences.js';
import { type PageFacts, readTexts } from './facts.js';
import { count, countedFigure, figure, type Html, html, section, share } from './html.js';
import { below, Plot, picture, type Width } from './plot.js';

/** Cluster sizes, how sure the labels are, and what the clusters look like from inside. Null where nothing was clustered. */
export async function clusterSection(facts: PageFacts): Promise<Html | null> {
  const { clusters } = facts;
  const numbers = facts.figures.clusters;
  if (numbers === null) return null;
  const labelled = clusters.some((each) => each.label !== null);
  const labeler = labelerSentence(facts.context.options);
  return section(
    'clusters',
    'Clusters and their labels',
    html`<p>${figure('clusters', numbers.clusters)} clusters of ${figure('clusters.prompts', numbers.prompts)} distinct prompts,
median size ${figure('clusters.median', numbers.median)}, largest ${figure('clusters.largest', numbers.largest)}.
${labelled ? html`${figure('clusters.kept', numbers.kept)} have a label that is kept. ` : null}${labeler === null ? null : html`Labelled by ${labeler}.`}</p>\n`,
    picture(
      'Histogram of cluster sizes in prompts, by whether their label is kept.',
      'How many clusters have how many prompts.',
      (width) => sizePlot(clusters, width),
    ),
    labelled
      ? picture(
          'Histogram of agreement: the share of votes that the winning label got, by whether it is kept.',
          html`Agreement of the votes behind each label. ${countedFigure('clusters.uncertain', numbers.uncertain, 'cluster')} ${numbers.uncertain === 1 ? 'is' : 'are'} marked uncertain.`,
          (width) => agreementPlot(clusters, width),
        )
      : null,
    labelled
      ? html`<ul class="legend"><li class="kept">label is kept</li><li class="other">label is not kept</li></ul>\n`
      : null,
    await exemplars(facts, clusters),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

function colorOf(cluster: Cluster): string {
  return cluster.label === null || cluster.kept ? 'var(--kept)' : 'var(--other)';
}

/** Counts by bin and colour, so that a picture of 50,000 clusters stays as small as one of 50. */
function stack(clusters: readonly Cluster[], binOf: (cluster: Cluster) => [number, number]) {
  const bins = new Map<string, { from: number; to: number; color: string; clusters: number }>();
  for (const cluster of clusters) {
    const [from, to] = binOf(cluster);
    const color = colorOf(cluster);
    const bin = bins.get(`${from} ${color}`) ?? { from, to, color, clusters: 0 };
    bin.clusters += 1;
    bins.set(`${from} ${color}`, bin);
  }
  return [...bins.values()].sort((a, b) => a.from - b.from || (a.color < b.color ? -1 : 1));
}

const bars = (bins: ReturnType<typeof stack>) =>
  Plot.rectY(bins, {
    x1: 'from',
    x2: 'to',
    y: 'clusters',
    fill: (bin: { color: string }) => bin.color,
    insetLeft: 0.5,
    insetRight: 0.5,
    title: (bin: { clusters: number }) => `${count(bin.clusters)} clusters`,
  });

function sizePlot(clusters: readonly Cluster[], width: Width): object {
  const edges = [...new Set(Array.from({ length: 120 }, (_, index) => Math.ceil(2 ** (index / 3))))];
  const bins = stack(clusters, (cluster) => {
    const place = edges.findIndex((edge) => cluster.size < edge);
    return [edges[place - 1] ?? 1, edges[place] ?? cluster.size + 1];
  });
  const last = Math.max(2, ...bins.map((bin) => bin.to));
  const ticks = width === 'wide' ? [1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 100000] : [1, 10, 100, 1000, 10000];
  return {
    height: 184,
    marginLeft: 48,
    x: {
      type: 'log',
      domain: [1, last],
      label: 'prompts in the cluster',
      ticks: ticks.filter((tick) => tick <= last),
      tickFormat: count,
      ...below,
    },
    y: { label: 'clusters', grid: true, ticks: 4 },
    marks: [bars(bins), Plot.ruleY([0])],
  };
}

function agreementPlot(clusters: readonly Cluster[], width: Width): object {
  const known = clusters.filter((cluster) => cluster.agreement !== null);
  const bins = stack(known, (cluster) => {
    const tenth = Math.min(9, Math.floor((cluster.agreement ?? 0) * 10 + 1e-9));
    return [tenth / 10, (tenth + 1) / 10];
  });
  return {
    height: 184,
    marginLeft: 48,
    x: {
      domain: [0, 1],
      label: 'agreement',
      ticks: width === 'wide' ? 10 : 5,
      tickFormat: (share: number) => `${Math.round(share * 100)} %`,
      ...below,
    },
    y: { label: 'clusters', grid: true, ticks: 4 },
    marks: [bars(bins), Plot.ruleY([0])],
  };
}

/** The largest and the least agreed of both kinds: what speaks for the labels, and what against them. */
function chooseClusters(clusters: readonly Cluster[]): [string, Cluster[]][] {
  const largest = (all: readonly Cluster[]) =>
    [...all].sort((a, b) => b.size - a.size || a.cluster_id - b.cluster_id).slice(0, 3);
  const doubtful = (all: readonly Cluster[]) =>
    all
      .filter((each) => each.agreement !== null && each.agreement < 1)
      .sort((a, b) => (a.agreement ?? 0) - (b.agreement ?? 0) || b.size - a.size || a.cluster_id - b.cluster_id)
      .slice(0, 3);
  const kept = clusters.filter((each) => each.kept);
  const left = clusters.filter((each) => !each.kept);
  return [
    ['Largest that are kept', largest(kept)],
    ['Kept, with the least agreement', doubtful(kept)],
    ['Largest that are not kept', largest(left)],
    ['Not kept, with the least agreement', doubtful(left)],
  ];
}

async function exemplars(facts: PageFacts, clusters: readonly Cluster[]): Promise<Html | null> {
  const { run } = facts.context;
  const files = run.files('clusters', 'exemplars.parquet');
  const prompts = run.files('prompts');
  if (files.length === 0 || prompts.length === 0) return null;
  const chosen = chooseClusters(clusters);
  const ids = [...new Set(chosen.flatMap(([, all]) => all.map((each) => each.cluster_id)))];
  const places = await facts.tables.rows<{ cluster_id: number; file: string; position: number }>(
    `SELECT cluster_id, file, "row" AS position FROM ${parquet(files)} e JOIN ${parquet(prompts)} p USING (prompt_key)
     WHERE rank <= 3 AND cluster_id IN (${ids.join(', ')}) ORDER BY cluster_id, rank`,
  );
  const texts = await readTexts(facts, places);
  const promptsOf = (id: number) =>
    texts.filter((_, index) => places[index]?.cluster_id === id).map((text) => text.prompt);
  return html`<h3>Prompts nearest the centre</h3>\n${chosen.map(([title, all]) =>
    all.length === 0
      ? null
      : html`<h4>${title}</h4>\n<ul class="cards">${all.map(
          (
            cluster,
          ) => html`<li><p class="head"><b>${cluster.label ?? `Cluster ${cluster.cluster_id}`}</b> <span class="meta">cluster ${cluster.cluster_id} · ${countedFigure(`cluster.${cluster.cluster_id}.size`, cluster.size, 'prompt')}${cluster.agreement === null ? null : html` · agreement ${share(`cluster.${cluster.cluster_id}.agreement`, cluster.agreement, 1)}`}${cluster.uncertain ? ' · uncertain' : null}</span></p>
<ol>${promptsOf(cluster.cluster_id).map((prompt) => html`<li dir="auto">${cut(prompt, 160)}</li>`)}</ol></li>`,
        )}</ul>\n`,
  )}`;
}
