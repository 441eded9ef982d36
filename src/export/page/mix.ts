import type { Share } from '../account.js';
import type { PageFacts } from './facts.js';
import { count, figure, type Html, html, section, share, table } from './html.js';
import { below, Plot, picture, type Width } from './plot.js';

/** What the kept rows are made of: domain, language, licence, model, group. */
export async function mixSection(facts: PageFacts): Promise<Html> {
  const { figures } = facts;
  const parts: [string, string, Share[]][] = [
    ['domain', 'Domain', figures.domains],
    ['language', 'Language', figures.languages],
    ['license', 'Licence', figures.licenses],
    ['model', 'Model that wrote the trace', figures.models],
    ['group', 'Group', figures.groups],
  ];
  const charts = parts
    .slice(0, 2)
    .filter(([, , shares]) => shares.some((each) => each.name !== '') && shares.length > 1);
  return section(
    'mix',
    'What it is made of',
    charts.map(([key, title, shares]) => mixPicture(key, title, shares)),
    charts.length > 0 ? html`<ul class="legend"><li class="kept">kept</li><li class="other">left</li></ul>\n` : null,
    html`<div class="columns">${parts.map(([key, title, shares]) => mixTable(key, title, shares, figures.kept))}</div>\n`,
  );
}

// ---------------------------------------------------------------------------------------------------------------------

const most = 12;

function mixPicture(key: string, title: string, shares: Share[]): Html {
  const shown = shorten([...shares].sort((a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1)));
  return picture(
    `${title} of all rows and of the kept rows; the tables below have the numbers.`,
    key === 'domain'
      ? 'Domain: the label of the cluster that a row’s prompt lies in; rows of groups that were not clustered have none.'
      : `${title} of all rows that could be read.`,
    (width) => mixPlot(key, shown, width),
  );
}

function mixPlot(key: string, shares: Share[], width: Width): object {
  const bars = shares.flatMap((share, row) => [
    { row, from: 0, to: share.kept, color: 'var(--kept)', title: `${share.name}: ${count(share.kept)} kept` },
    {
      row,
      from: share.kept,
      to: share.rows,
      color: 'var(--other)',
      title: `${share.name}: ${count(share.rows - share.kept)} left`,
    },
  ]);
  const name = (text: string) => (text === '' ? nothing(key) : text.length > 20 ? `${text.slice(0, 19)}…` : text);
  return {
    height: shares.length * 24 + 46,
    marginLeft: width === 'wide' ? 150 : 124,
    marginRight: 16,
    marginTop: 4,
    x: { label: 'rows', grid: true, ticks: width === 'wide' ? 6 : 3, tickFormat: '~s', ...below },
    y: {
      label: null,
      domain: shares.map((_, row) => row),
      tickFormat: (row: number) => name(shares[row]?.name ?? ''),
      tickSize: 0,
    },
    marks: [
      Plot.barX(bars, { x1: 'from', x2: 'to', y: 'row', fill: 'color', title: 'title', insetTop: 2, insetBottom: 2 }),
    ],
  };
}

function mixTable(key: string, title: string, shares: Share[], kept: number): Html | null {
  const shown = shorten(shares.filter((share) => share.kept > 0));
  if (shown.length === 0) return null;
  return table(
    title,
    [title.toLowerCase(), 'kept', 'share'],
    shown.map((each) => [
      each.name === '' ? nothing(key) : each.name,
      figure(`kept.${key}.${each.name}`, each.kept),
      share(`share.${key}.${each.name}`, each.kept, kept),
    ]),
    [1, 2],
  );
}

/** What no value means: a row of a group that was not clustered has no domain. */
function nothing(key: string): string {
  return key === 'domain' ? 'not clustered' : 'not stated';
}

function shorten(shares: Share[]): Share[] {
  if (shares.length <= most) return shares;
  const rest = shares.slice(most - 1);
  const sum = (field: 'rows' | 'kept') => rest.reduce((total, each) => total + each[field], 0);
  return [...shares.slice(0, most - 1), { name: `${rest.length} others`, rows: sum('rows'), kept: sum('kept') }];
}
