import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { visible } from '../inert.js';
import { type Content, Html, html } from './html.js';

/** Widths at which every picture is drawn: one for a page, one for a phone, so that its text is never scaled down. */
const widths = { wide: 900, narrow: 330 } as const;

export type Width = keyof typeof widths;
type PlotOptions = Parameters<typeof Plot.plot>[0] & object;

/**
 * A picture with its caption: `draw` gives Plot's options for a width. `alternative` says in words what it shows. Colours
 * are custom properties of the page, so that one drawing serves light and dark.
 */
export function picture(alternative: string, caption: Content, draw: (width: Width) => PlotOptions): Html {
  const drawings = (Object.keys(widths) as Width[]).map(
    (width) => html`<div class="${width}">${render(draw(width), width, alternative)}</div>`,
  );
  return html`<figure>${drawings}<figcaption>${caption}</figcaption></figure>\n`;
}

/** An axis label under the ticks, not beside the last of them. */
export const below = { labelAnchor: 'center', labelArrow: 'none', labelOffset: 34 } as const;

export { Plot };

function render(options: PlotOptions, width: Width, alternative: string): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawing = Plot.plot({
    width: widths[width],
    marginTop: 24,
    marginBottom: 40,
    ...options,
    document: document as never,
  }) as unknown as SvgElement;
  // Plot's own style sheet would need a second permission in the page's policy; the page's style says the same.
  for (const style of drawing.querySelectorAll('style')) style.remove();
  // Names of groups are no use within one picture, and forbidden there.
  for (const group of drawing.querySelectorAll('g')) group.removeAttribute('aria-label');
  drawing.setAttribute('class', 'plot');
  drawing.setAttribute('role', 'img');
  drawing.setAttribute('aria-label', alternative);
  return new Html(visible(drawing.outerHTML).replace(/(\d\.\d{3})\d+/g, '$1'));
}

interface SvgElement {
  outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ remove(): void; removeAttribute(name: string): void }>;
  setAttribute(name: string, value: string): void;
}
