import { formatNumber } from '../../text/number.js';
import { html as escapeHtml } from '../inert.js';

/** A piece of a page that is already HTML. Only `html` makes one, so row text cannot become markup by mistake. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = string | number | null | Html | readonly Content[];

/** HTML from a template: whatever is put in is escaped unless it is `Html` itself; arrays are joined, null is nothing. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.reduce((text, part, index) => text + part + render(contents[index] ?? null), ''));
}

/** A figure with its exact value in the markup, so that a test or a script can read it: `12,345`. */
export function figure(name: string, value: number): Html {
  return html`<data value="${value}" data-figure="${name}">${count(value)}</data>`;
}

/** `1 row`, `2 rows`, the number as a figure. */
export function countedFigure(name: string, value: number, noun: string): Html {
  return html`${figure(name, value)} ${noun}${value === 1 ? null : 's'}`;
}

/** A share as a figure: its exact value is that of `percent`, from 0 to 1. */
export function share(name: string, part: number, whole: number): Html {
  const value = whole === 0 ? 0 : part / whole;
  return html`<data value="${value}" data-share="${name}">${percent(part, whole)}</data>`;
}

/** 12345 as `12,345`. */
export const count = formatNumber;

/** `1 row`, `2 rows`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A share as `12.3 %`; `–` of nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const share = (100 * part) / whole;
  return `${share > 0 && share < 0.05 ? '< 0.1' : share > 99.95 && share < 100 ? '> 99.9' : share.toFixed(1)} %`;
}

/** A table that scrolls within itself on a narrow screen. `right` are the columns with numbers. */
export function table(caption: string, heads: Content[], rows: Content[][], right: readonly number[] = []): Html {
  const cell = (index: number) => (right.includes(index) ? new Html(' class="n"') : null);
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head, index) => html`<th scope="col"${cell(index)}>${head}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((each, index) => (index === 0 ? html`<th scope="row">${each}</th>` : html`<td${cell(index)}>${each}</td>`))}</tr>\n`)}</tbody></table></div>`;
}

/** A section with a heading that can be linked to. */
export function section(id: string, title: string, ...body: Content[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${body}</section>\n`;
}

function render(content: Content): string {
  if (content === null) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return escapeHtml(String(content));
}
