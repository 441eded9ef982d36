import type { RunFolder } from '../store/folder.js';
import { formatNumber } from '../text/number.js';
import type { Pipeline } from './config.js';
import type { StageName, StageReport } from './stage.js';
import { readStageState, stageNamesOf } from './state.js';

/** The whole way of the rows: each counts once, kept or under the first reason that it met. */
export interface Account {
  total: number;
  kept: number;
  quarantined: number;
  dropped: Record<string, number>;
  /** Reasons that are methods of decontamination, summed up as `decontam` in the closing sentence. */
  decontam: string[];
}

/** Throws unless `in = kept + dropped + quarantined`: a run that cannot account for a row fails. */
export function checkAccount(stage: StageName, report: StageReport): void {
  const dropped = sum(report.dropped);
  if (report.in === report.kept + dropped + report.quarantined) return;
  throw new Error(
    `${stage} cannot account for its ${report.unit}: ${report.in} in, ${report.kept} kept, ${dropped} dropped, ${report.quarantined} quarantined`,
  );
}

/** Throws unless every row that one stage kept is one that the stages after it judged. */
export function checkConservation(reports: ReadonlyMap<StageName, StageReport>): void {
  const rows = reports.get('ingest')?.kept;
  for (const name of ['filter', 'decontam', 'export'] as const) {
    const report = reports.get(name);
    if (report === undefined || rows === undefined || report.in === rows) continue;
    throw new Error(`${name} judged ${report.in} of the ${rows} rows that ingest kept`);
  }
}

/** The account of the stages that are finished. */
export function accountOf(run: RunFolder, pipeline: Pipeline): Account {
  const reports = reportsOf(run, pipeline);
  const ingest = reports.get('ingest');
  const filter = reports.get('filter')?.dropped ?? {};
  const decontam = reports.get('decontam')?.dropped ?? {};
  const dropped = { ...(ingest?.dropped ?? {}), ...filter, ...decontam };
  const kept = (ingest?.kept ?? 0) - sum(filter) - sum(decontam);
  return {
    total: ingest?.in ?? 0,
    kept,
    quarantined: ingest?.quarantined ?? 0,
    dropped,
    decontam: Object.keys(decontam),
  };
}

/** The reports of the stages that are finished, by name. */
export function reportsOf(run: RunFolder, pipeline: Pipeline): Map<StageName, StageReport> {
  const reports = new Map<StageName, StageReport>();
  for (const name of stageNamesOf(pipeline)) {
    const state = readStageState(run, name);
    if (state !== null) reports.set(name, state.report);
  }
  return reports;
}

/** `kept 5,012 of 9,840 rows · 3,100 domain · 1,420 incomplete · 308 decontam` */
export function closingSentence(account: Account): string {
  const parts = [`kept ${formatNumber(account.kept)} of ${formatNumber(account.total)} rows`];
  if (account.quarantined > 0) parts.push(`${formatNumber(account.quarantined)} quarantined`);
  let contaminated = 0;
  for (const [reason, count] of Object.entries(account.dropped)) {
    if (account.decontam.includes(reason)) contaminated += count;
    else if (count > 0) parts.push(`${formatNumber(count)} ${reason}`);
  }
  if (account.decontam.length > 0) parts.push(`${formatNumber(contaminated)} decontam`);
  return parts.join(' · ');
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
