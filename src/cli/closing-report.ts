import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Account, reportsOf } from '../pipeline/account.js';
import type { Pipeline } from '../pipeline/config.js';
import type { RunResult } from '../pipeline/run.js';
import type { StageReport } from '../pipeline/stage.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { bar, bytes, counted, duration, number, type Output, percent, safe } from './output.js';

/** What a person reads when a run has ended: stages, the way of the rows, the labeler, contamination, where things lie. */
export function showRun(output: Output, pipeline: Pipeline, result: RunResult, seconds: number): void {
  const run = new RunFolder(result.folder);
  output.line();
  output.line(
    output.paint('strong', `${pipeline.name} · seed ${pipeline.seed} · ${pipeline.compute} · ${duration(seconds)}`),
  );
  output.line();
  output.table(
    ['stage', 'unit', 'in', 'kept', 'dropped', 'quarantined', 'took'],
    result.stages.map(({ stage, state, report, seconds: took }) => [
      stage,
      report?.unit ?? '',
      report?.in ?? null,
      report?.kept ?? null,
      report === null ? null : total(report.dropped),
      report?.quarantined ?? null,
      state === 'fresh' ? 'unchanged' : duration(took),
    ]),
  );
  showAccount(output, result.account);
  showLabeler(output, run, pipeline);
  showLeaks(output, run, pipeline);
  for (const warning of result.warnings) output.line(`${output.paint('warning', 'note')}  ${safe(warning)}`);
  showPlaces(output, run);
  output.line();
}

/** The rows by fate, as bars: kept first, then each reason in the order in which reasons are tried. */
export function showAccount(output: Output, account: Account): void {
  const rows: [string, number, 'good' | 'bad'][] = [
    ['kept', account.kept, 'good'],
    ['quarantined', account.quarantined, 'bad'],
  ];
  for (const [reason, count] of Object.entries(account.dropped)) rows.push([reason, count, 'bad']);
  const shown = rows.filter(([, count], index) => count > 0 || index === 0);
  const nameWidth = Math.max(...shown.map(([name]) => name.length));
  const countWidth = Math.max(...shown.map(([, count]) => number(count).length));
  const columns = Math.min(40, output.width - nameWidth - countWidth - 14);
  output.line();
  output.line(output.paint('faint', `${counted(account.total, 'row')}, each under the first reason that it met`));
  for (const [name, count, tone] of shown) {
    const share = account.total === 0 ? 0 : count / account.total;
    output.line(
      `${name.padEnd(nameWidth)}  ${number(count).padStart(countWidth)}  ${percent(count, account.total).padStart(7)}  ${output.paint(tone, bar(share, columns))}`.trimEnd(),
    );
  }
  output.line();
}

/** Which labeler named the clusters: said wherever labels matter, because a small model is no large one. */
export function showLabeler(output: Output, run: RunFolder, pipeline: Pipeline): void {
  const classify = reportsOf(run, pipeline).get('classify');
  if (classify === undefined) return;
  output.line(`${output.paint('strong', 'labels')}  ${safe(labelerSentence(classify))}`);
}

/** A sentence naming the labeler of a run. */
export function labelerSentence(classify: StageReport): string {
  const { labeler, model } = classify.figures;
  if (labeler === 'embedded') return 'by the embedded labeler, not by an LLM: no endpoint is configured';
  return `by ${String(model ?? 'an unnamed model')} behind an endpoint`;
}

/** What leaks were looked for, and how many items each method cannot see. */
function showLeaks(output: Output, run: RunFolder, pipeline: Pipeline): void {
  const { items, not_checked, unseen } = reportsOf(run, pipeline).get('decontam')?.figures ?? {};
  if (typeof items !== 'number' || unseen === null || typeof unseen !== 'object' || Array.isArray(unseen)) return;
  const missing =
    Array.isArray(not_checked) && not_checked.length > 0 ? ` · not checked: ${not_checked.join(', ')}` : '';
  output.line(
    `${output.paint('strong', 'leaks')}   ${safe(`of ${counted(items, 'item')} looked for${unseenSentence(items, unseen)}${missing}`)}`,
  );
}

/** `unseen` by benchmark, then method. */
function unseenSentence(items: number, unseen: { [benchmark: string]: Json }): string {
  const counts = new Map<string, number>();
  for (const methods of Object.values(unseen))
    for (const [method, count] of Object.entries(methods ?? {}))
      counts.set(method, (counts.get(method) ?? 0) + Number(count));
  const parts = [...counts].map(([method, count]) =>
    count === 0 ? `${method} sees all` : `${method} does not see ${number(count)} (${percent(count, items)})`,
  );
  return parts.length === 0 ? '' : ` · ${parts.join(', ')}`;
}

function showPlaces(output: Output, run: RunFolder): void {
  const dataset = run.table('dataset');
  const shown = (path: string) => safe(relative(process.cwd(), path) || path);
  if (existsSync(dataset)) {
    const files = readdirSync(dataset).filter((file) => file.endsWith('.parquet'));
    const size = files.reduce((sum, file) => sum + statSync(join(dataset, file)).size, 0);
    output.line(
      `${output.paint('strong', 'dataset')} ${shown(dataset)} (${counted(files.length, 'file')}, ${bytes(size)})`,
    );
  }
  if (existsSync(run.table('report.html')))
    output.line(`${output.paint('strong', 'report')}  ${shown(run.table('report.html'))}`);
  output.line(`${output.paint('strong', 'lock')}    ${shown(run.lock)}`);
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
