import type { Measure as Column, Figures } from '../figures.js';
import { stageFacts } from '../run-facts.js';
import { thresholdOf } from '../sentences.js';
import type { PageFacts } from './facts.js';
import { count, figure, type Html, html, section } from './html.js';
import { below, Plot, picture, type Width } from './plot.js';

/** Histograms of the counted columns, the limits drawn in. */
export async function histogramSection(facts: PageFacts): Promise<Html> {
  const charts = [];
  for (const measure of measures) charts.push(await histogram(facts, measure));
  return section(
    'lengths',
    'How long, and how hesitant',
    html`<p>Every row that could be read, not only those kept. The axis is logarithmic; the line is the limit in force.</p>`,
    html`<ul class="legend"><li class="kept">kept</li><li class="gone">fails this limit</li><li class="other">left for another reason</li></ul>\n`,
    charts,
  );
}

// ---------------------------------------------------------------------------------------------------------------------

interface Measure {
  column: Column;
  rule: string;
  title: string;
  unit: string;
  /** How the limit reads: `more than 3 words`. */
  limit(value: number): { text: string; at: number };
}

const measures: Measure[] = [
  {
    column: 'question_words',
    rule: 'prompt_words',
    title: 'Words of the prompt',
    unit: 'words',
    limit: (value) => ({ text: `more than ${count(value)}`, at: value + 1 }),
  },
  {
    column: 'trace_words',
    rule: 'trace_words',
    title: 'Words of the trace',
    unit: 'words',
    limit: (value) => ({ text: `fewer than ${count(value)}`, at: value }),
  },
  {
    column: 'wait_count',
    rule: 'wait_count',
    title: '“Wait” in the trace',
    unit: 'times',
    limit: (value) => ({ text: `at most ${count(value)}`, at: value + 1 }),
  },
];

type Bin = { from: number; to: number; rows: number; fate: 'kept' | 'gone' | 'other' };

async function histogram(facts: PageFacts, measure: Measure): Promise<Html> {
  const judge = facts.judges.find((each) => each.stage === 'filter' && each.rule === measure.rule);
  const fails = judge === undefined ? 'false' : `"${judge.column}" IS FALSE`;
  const counts = await facts.tables.rows<{ value: number; fate: Bin['fate']; rows: number }>(
    `SELECT ${measure.column} AS value, CASE WHEN reason IS NULL THEN 'kept' WHEN ${fails} THEN 'gone' ELSE 'other' END AS fate,
      count(*) AS rows FROM judged GROUP BY ALL`,
  );
  const bins = binsOf(counts);
  const threshold = thresholdOf(facts.context.options, stageFacts(facts.context.run, 'filter'), measure.rule);
  const limit = judge === undefined || threshold === null ? null : measure.limit(threshold);
  const kept = facts.figures.measures[measure.column];
  const said =
    kept === null
      ? 'no row was kept'
      : `kept rows: median ${count(kept.median)}, 95 % at most ${count(kept.most95)}, longest ${count(kept.longest)}`;
  return html`<h3>${measure.title}</h3>\n${picture(
    `Histogram of ${measure.title.toLowerCase()}; ${said}${limit === null ? '' : `; limit: ${limit.text}`}.`,
    html`${saidWithFigures(measure.column, kept)}${limit === null ? '; no limit was set' : null}`,
    (width) => histogramPlot(bins, measure, limit, width),
  )}`;
}

function saidWithFigures(column: Column, kept: Figures['measures'][Column]): Html {
  if (kept === null) return html`no row was kept`;
  const { median, most95, longest } = kept;
  return html`kept rows: median ${figure(`${column}.median`, median)}, 95 % at most ${figure(`${column}.most95`, most95)}, longest ${figure(`${column}.longest`, longest)}`;
}

/** Bins of a quarter of a power of two, on value + 1, so that 0 has its place on a logarithmic axis. */
function binsOf(counts: { value: number; fate: Bin['fate']; rows: number }[]): Bin[] {
  const bins = new Map<string, Bin>();
  for (const { value, fate, rows } of counts) {
    const place = edges.findIndex((edge) => value + 1 < edge) - 1;
    const key = `${place} ${fate}`;
    const bin = bins.get(key) ?? { from: edges[place] ?? 1, to: edges[place + 1] ?? 1, rows: 0, fate };
    bin.rows += rows;
    bins.set(key, bin);
  }
  const order = { kept: 0, gone: 1, other: 2 };
  return [...bins.values()].sort((a, b) => a.from - b.from || order[a.fate] - order[b.fate]);
}

const edges = [...new Set(Array.from({ length: 160 }, (_, index) => Math.ceil(2 ** (index / 4))))];

function histogramPlot(
  bins: Bin[],
  measure: Measure,
  limit: { text: string; at: number } | null,
  width: Width,
): object {
  const colors = { kept: 'var(--kept)', gone: 'var(--gone)', other: 'var(--other)' };
  const last = Math.max(2, limit === null ? 2 : (limit.at + 1) * 1.3, ...bins.map((bin) => bin.to));
  const mark = limit === null ? [] : [limit];
  const toRight = limit !== null && Math.log(limit.at + 1) > 0.6 * Math.log(last);
  return {
    height: 204,
    marginLeft: 48,
    marginRight: 16,
    x: {
      type: 'log',
      domain: [1, last],
      label: measure.unit,
      ticks: ticks(last, width),
      tickFormat: (value: number) => count(value - 1),
      ...below,
    },
    y: { label: 'rows', grid: true, ticks: 4, tickFormat: '~s' },
    marks: [
      Plot.rectY(bins, {
        x1: 'from',
        x2: 'to',
        y: 'rows',
        fill: (bin: Bin) => colors[bin.fate],
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (bin: Bin) =>
          `${bin.to - bin.from === 1 ? count(bin.from - 1) : `${count(bin.from - 1)}–${count(bin.to - 2)}`} ${measure.unit}: ${count(bin.rows)} rows`,
      }),
      Plot.ruleY([0]),
      Plot.ruleX(mark, { x: (each: { at: number }) => each.at + 1, stroke: 'var(--ink)', strokeWidth: 1.5 }),
      Plot.text(mark, {
        x: (each: { at: number }) => each.at + 1,
        frameAnchor: 'top',
        dy: -14,
        dx: toRight ? -4 : 4,
        textAnchor: toRight ? 'end' : 'start',
        text: 'text',
        fontWeight: 600,
      }),
    ],
  };
}

function ticks(last: number, width: Width): number[] {
  const all =
    width === 'wide'
      ? [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 1000000]
      : [0, 3, 10, 100, 1000, 10000, 100000];
  return all.map((value) => value + 1).filter((value) => value <= last);
}
