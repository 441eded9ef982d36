import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageReport } from '../../src/pipeline/stage.js';
import { fullRun } from './full-run.js';
import { removeRuns, type SmallRun } from './small-run.js';

let small: SmallRun;
let report: StageReport;
let page = '';

beforeAll(async () => {
  small = await fullRun();
  report = await small.export();
  page = readFileSync(small.run.table('report.html'), 'utf8');
});

/** The page's figures by name, as a script would read them. */
function figures(): Map<string, number> {
  const found = [...page.matchAll(/<data value="([^"]*)" data-figure="([^"]*)">([^<]*)</g)];
  return new Map(found.map(([, value, name]) => [name ?? '', Number(value)]));
}

afterAll(removeRuns);

describe('the report page', () => {
  it('says the same numbers as the stage’s account', () => {
    const found = figures();
    expect(found.get('kept')).toBe(report.kept);
    expect(found.get('dropped')).toBe(report.in - report.kept);
    for (const [reason, rows] of Object.entries(report.dropped)) expect(found.get(`left.${reason}`), reason).toBe(rows);
    expect(report.in).toBe(report.kept + Object.values(report.dropped).reduce((sum, rows) => sum + rows, 0));
  });

  it('counts kept rows by source as the dataset has them', async () => {
    const found = figures();
    for (const { source, rows } of await small.dataset('source, count(*) AS rows', 'source')) {
      if (String(source).startsWith('source-')) expect(found.get(`kept.source.${source}`)).toBe(rows);
    }
  });

  it('writes a number as it stands in its markup', () => {
    const texts = [...page.matchAll(/<data value="([^"]*)" data-figure="[^"]*">([^<]*)</g)];
    expect(texts.length).toBeGreaterThan(40);
    for (const [, value, text] of texts) expect(Number(text?.replaceAll(',', ''))).toBe(Number(value));
  });

  it('names every benchmark that was not checked where it cannot be missed', () => {
    expect(page.slice(0, page.indexOf('<nav')).includes('lancet')).toBe(true);
    expect(page.replace(/<[^>]*>/g, '').includes('2 of 3 benchmarks checked')).toBe(true);
  });

  it('draws the limit that the run’s percentile came to', () => {
    expect(page.includes('at most 47')).toBe(true);
  });

  it('forbids scripts and loads nothing', () => {
    expect(page).toMatch(/default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; base-uri 'none'; form-action 'none'/);
    expect(page.match(/<script|<link|<img|<iframe|style="|url\(|@import/g)).toBeNull();
  });

  it('stays small with rows of megabytes', () => {
    expect(page.length).toBeLessThan(400_000);
    expect(Math.max(...page.split(/<[^>]*>/).map((text) => text.length))).toBeLessThan(8000);
  });

  it('is the same bytes when export finishes again', async () => {
    rmSync(small.run.table('report.html'));
    await small.export();
    expect(readFileSync(small.run.table('report.html'), 'utf8')).toBe(page);
  });
});
