import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullRun } from '../export/full-run.js';
import { removeRuns } from '../export/small-run.js';
import { openBrowser } from './chromium.js';

let browser: Browser;
let url = '';

beforeAll(async () => {
  const small = await fullRun();
  await small.export();
  url = pathToFileURL(small.run.table('report.html')).href;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  removeRuns();
});

/** Opens the page and hands over what the browser said and asked for meanwhile. */
async function look(options: { width: number; colorScheme?: 'light' | 'dark' }) {
  const heard: string[] = [];
  const page = await browser.newPage({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
  });
  page.on('console', (message) => heard.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url) heard.push(`request: ${request.url()}`);
  });
  page.on('dialog', (dialog) => heard.push(`dialog: ${dialog.message()}`));
  await page.goto(url);
  return { page, heard };
}

const openAll = (page: Page) =>
  page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');

describe('the report page in a browser', () => {
  it.each([360, 768, 1440])(
    'says nothing on the console, asks for nothing and does not overflow at %i px',
    async (width) => {
      const { page, heard } = await look({ width });
      await openAll(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const wider = await page.evaluate(`[...document.querySelectorAll('body *')]
      .filter((each) => each.closest('.scroll, nav ul, svg') === null && each.getBoundingClientRect().right > innerWidth + 1)
      .map((each) => each.outerHTML.slice(0, 80))`);
      expect(wider).toEqual([]);
      expect(heard).toEqual([]);
      await page.close();
    },
  );

  it('keeps hostile text inert', async () => {
    const { page, heard } = await look({ width: 1440 });
    await openAll(page);
    const tags = 'script, img, iframe, object, embed, link, form, textarea, main style';
    expect(await page.evaluate(`document.body.querySelectorAll('${tags}').length`)).toBe(0);
    expect(await page.evaluate('globalThis.stolen')).toBeUndefined();
    expect(await page.evaluate('getComputedStyle(document.body).display')).toBe('block');
    expect(await page.evaluate('document.querySelectorAll("style, script").length')).toBe(1);
    expect(
      await page.evaluate(
        `[...document.links].map((link) => link.getAttribute('href')).filter((href) => !href.startsWith('#'))`,
      ),
    ).toEqual([]);
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('*')].flatMap((each) => [...each.attributes]).filter((each) => each.name.startsWith('on')).length`,
      ),
    ).toBe(0);
    expect(
      await page.evaluate(
        String.raw`/[\u202a-\u202e\u2066-\u2069\u200b\u0000-\u0008\u000e-\u001f]/.test(document.documentElement.textContent)`,
      ),
    ).toBe(false);
    expect(heard).toEqual([]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has no serious finding of axe in %s', async (colorScheme) => {
    const { page } = await look({ width: 1440, colorScheme });
    await openAll(page);
    // The page's own policy forbids script, as it should; the checker comes in from outside it.
    const axe = createRequire(import.meta.url)('axe-core') as { source: string };
    await page.evaluate(axe.source);
    const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = found.violations.filter((each) => each.impact === 'serious' || each.impact === 'critical');
    expect(serious.map((each) => `${each.id}: ${each.nodes[0]?.html}`)).toEqual([]);
    await page.close();
  });

  it('gives the keyboard every control, in order', async () => {
    const { page } = await look({ width: 1440 });
    const wanted = (await page.evaluate(
      `[...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter((each) => each.checkVisibility()).length`,
    )) as number;
    const reached = new Set<string>();
    for (let step = 0; step < wanted; step += 1) {
      await page.keyboard.press('Tab');
      reached.add(
        (await page.evaluate(
          `(() => { const at = document.activeElement; return at.tagName + ' ' + [...document.querySelectorAll('*')].indexOf(at); })()`,
        )) as string,
      );
    }
    expect(reached.size).toBe(wanted);
    expect([...reached].some((each) => each.startsWith('BODY'))).toBe(false);
    await page.close();
  });

  it('opens a row with the keyboard', async () => {
    const { page } = await look({ width: 1440 });
    const summary = page.locator('#samples details:not([open]) summary').first();
    await summary.focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.parentElement.open')).toBe(true);
    await page.close();
  });
});
