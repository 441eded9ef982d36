import { quarantinedRows } from '../account.js';
import type { Figures } from '../figures.js';
import { stageFacts } from '../run-facts.js';
import { reasonSentence } from '../sentences.js';
import type { PageFacts } from './facts.js';
import { count, countedFigure, figure, type Html, html, section, share, table } from './html.js';
import { below, Plot, picture, type Width } from './plot.js';

/** From sources to dataset: how many rows are left after each reason, and which source they came from. */
export async function funnelSection(facts: PageFacts): Promise<Html> {
  const { figures } = facts;
  const sources = figures.sources.map((each) => each.name);
  const reasons = figures.reasons.filter((each) => each.rows > 0);
  const steps = stepsOf(figures, sources);
  const quarantined = quarantinedRows(figures);
  const filter = stageFacts(facts.context.run, 'filter');
  return section(
    'funnel',
    'From sources to dataset',
    picture(
      `Rows left after each step, from ${count(figures.rows)} read to ${count(figures.kept)} kept; the table below has the numbers.`,
      html`Each bar shows the rows still in after a step, coloured by source; the outlined end is what left there. A row leaves once, at the first rule that it fails.`,
      (width) => funnelPlot(steps, sources, width),
    ),
    legend(sources),
    table(
      'Rows by reason',
      ['reason', 'left here', 'failed', 'failed only this'],
      figures.reasons.map((each) => [
        html`<b>${each.reason}</b><small>${reasonSentence(each.reason, each.stage, facts.context.options, filter)}</small>`,
        figure(`left.${each.reason}`, each.rows),
        figure(`failed.${each.reason}`, each.failed),
        figure(`failed-only.${each.reason}`, each.failedOnly),
      ]),
      [1, 2, 3],
    ),
    html`<p>${countedFigure('funnel.quarantined', quarantined, 'row')} could not be read and ${quarantined === 1 ? 'is' : 'are'} in <a href="#quarantine">quarantine</a>; they are not among the ${figure('funnel.rows', figures.rows)} above.</p>`,
    table(
      'Rows by source',
      ['source', 'rows', 'kept', 'share', ...reasons.map((each) => each.reason)],
      figures.sources.map((source) => [
        source.name,
        figure(`rows.source.${source.name}`, source.rows),
        figure(`kept.source.${source.name}`, source.kept),
        share(`share.source.${source.name}`, source.kept, source.rows),
        ...reasons.map((each) =>
          figure(`left.${each.reason}.${source.name}`, rowsOf(figures.left, source.name, each.reason, each.stage)),
        ),
      ]),
      Array.from({ length: reasons.length + 3 }, (_, index) => index + 1),
    ),
  );
}

/** Sources beyond these share a colour. */
export const sourceColors = 7;

// ---------------------------------------------------------------------------------------------------------------------

interface Step {
  label: string;
  /** Rows still in after this step, by source in order, and those that left in it. */
  left: number[];
  gone: number;
  note: string;
}

function rowsOf(left: Figures['left'], source: string, reason: string, stage: string): number {
  return left.find((each) => each.source === source && each.reason === reason && each.stage === stage)?.rows ?? 0;
}

function stepsOf(figures: Figures, sources: string[]): Step[] {
  let left = figures.sources.map((each) => each.rows);
  const steps: Step[] = [{ label: 'rows read', left, gone: 0, note: count(figures.rows) }];
  for (const each of figures.reasons) {
    left = left.map((rows, index) => rows - rowsOf(figures.left, sources[index] ?? '', each.reason, each.stage));
    steps.push({ label: each.reason, left, gone: each.rows, note: each.rows === 0 ? '0' : `−${count(each.rows)}` });
  }
  steps.push({ label: 'kept', left, gone: 0, note: count(figures.kept) });
  return steps;
}

function funnelPlot(steps: Step[], sources: string[], width: Width): object {
  const bars = steps.flatMap((step, row) => {
    let from = 0;
    return step.left.map((rows, index) => {
      const bar = { row, from, to: from + rows, color: colorOf(index), title: `${sources[index]}: ${count(rows)}` };
      from += rows;
      return bar;
    });
  });
  const gone = steps.map((step, row) => {
    const from = step.left.reduce((sum, each) => sum + each, 0);
    return { row, from, to: from + step.gone, note: step.note };
  });
  return {
    height: steps.length * 30 + 44,
    marginLeft: width === 'wide' ? 118 : 96,
    marginRight: width === 'wide' ? 64 : 56,
    marginTop: 4,
    x: { label: 'rows', grid: true, ticks: width === 'wide' ? 6 : 3, tickFormat: '~s', ...below },
    y: {
      label: null,
      domain: steps.map((_, row) => row),
      tickFormat: (row: number) => steps[row]?.label ?? '',
      tickSize: 0,
    },
    marks: [
      Plot.barX(bars, { x1: 'from', x2: 'to', y: 'row', fill: 'color', title: 'title', insetTop: 2, insetBottom: 2 }),
      Plot.barX(gone, {
        x1: 'from',
        x2: 'to',
        y: 'row',
        fill: 'var(--gone)',
        fillOpacity: 0.2,
        stroke: 'var(--gone)',
        insetTop: 2,
        insetBottom: 2,
      }),
      Plot.text(gone, { x: 'to', y: 'row', text: 'note', textAnchor: 'start', dx: 6, fontVariant: 'tabular-nums' }),
    ],
  };
}

function colorOf(index: number): string {
  return `var(--source-${Math.min(index, sourceColors - 1)})`;
}

function legend(sources: string[]): Html {
  const named = sources.length <= sourceColors ? sources : [...sources.slice(0, sourceColors - 1), 'other sources'];
  return html`<ul class="legend">${named.map((name, index) => html`<li class="source-${Math.min(index, sourceColors - 1)}">${name}</li>`)}<li class="gone outlined">left here</li></ul>\n`;
}
