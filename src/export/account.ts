import type { RunFolder } from '../store/folder.js';
import { identifier, literal, parquet, type Tables } from '../store/tables.js';
import type { Judge } from './judged.js';

export interface ReasonCount {
  /** The YAML key or the method. */
  rule: string;
  reason: string;
  stage: Judge['stage'];
  /** Rows that left under this reason: each row counts once, under the first that it failed. */
  rows: number;
  /** Rows that fail this rule, whatever else they fail, and those that fail nothing else. */
  failed: number;
  failedOnly: number;
}

export interface Share {
  name: string;
  rows: number;
  kept: number;
}

/** Where every row went. Everything that card, page and report count comes from here. */
export interface Account {
  rows: number;
  kept: number;
  reasons: ReasonCount[];
  quarantined: { source: string; reason: string; rows: number }[];
  sources: Share[];
  groups: Share[];
  languages: Share[];
  licenses: Share[];
  models: Share[];
  domains: Share[];
}

const firstReasons = ['domain', 'incomplete', 'prompt_words', 'trace_words', 'wait_count'];

/** Reads the account off the table `judged`. */
export async function takeAccount(tables: Tables, run: RunFolder, judges: Judge[]): Promise<Account> {
  const total = await tables.row<{ rows: number; kept: number }>(
    'SELECT count(*) AS rows, count(*) FILTER (reason IS NULL) AS kept FROM judged',
  );
  return {
    ...total,
    reasons: await countReasons(tables, judges),
    quarantined: await countQuarantined(tables, run),
    sources: await countBy(tables, 'source'),
    groups: await countBy(tables, '"group"'),
    languages: await countBy(tables, 'language'),
    licenses: await countBy(tables, 'license'),
    models: await countBy(tables, 'model'),
    domains: await countBy(tables, 'domain'),
  };
}

export function droppedRows(account: Account): number {
  return account.rows - account.kept;
}

export function quarantinedRows(account: Account): number {
  return account.quarantined.reduce((sum, each) => sum + each.rows, 0);
}

// ---------------------------------------------------------------------------------------------------------------------

async function countReasons(tables: Tables, judges: Judge[]): Promise<ReasonCount[]> {
  const first = await tables.rows<{ reason: string; stage: string; rows: number }>(
    'SELECT reason, stage, count(*) AS rows FROM judged WHERE reason IS NOT NULL GROUP BY ALL',
  );
  const counts: ReasonCount[] = [];
  for (const judge of judges) {
    const column = identifier(judge.column);
    const { failed, failedOnly } = await tables.row<{ failed: number; failedOnly: number }>(
      `SELECT count(*) FILTER (${column} IS FALSE) AS failed,
        count(*) FILTER (${column} IS FALSE AND failures = 1) AS "failedOnly" FROM judged`,
    );
    const rows = first.find((each) => each.reason === judge.reason && each.stage === judge.stage)?.rows;
    counts.push({ rule: judge.rule, reason: judge.reason, stage: judge.stage, rows: rows ?? 0, failed, failedOnly });
  }
  const place = (each: ReasonCount) => {
    const known = firstReasons.indexOf(each.reason);
    return each.stage === 'decontam' ? 1000 : known === -1 ? 100 : known;
  };
  const sorted = counts.map((each, index) => ({ each, index }));
  sorted.sort((a, b) => place(a.each) - place(b.each) || a.index - b.index);
  return sorted.map(({ each }) => each);
}

async function countQuarantined(tables: Tables, run: RunFolder) {
  const files = run.files('quarantine');
  if (files.length === 0) return [];
  return tables.rows<{ source: string; reason: string; rows: number }>(
    `SELECT coalesce(source, '') AS source, coalesce(reason, '') AS reason, count(*) AS rows FROM ${parquet(files)}
     GROUP BY ALL ORDER BY rows DESC, source, reason`,
  );
}

async function countBy(tables: Tables, column: string): Promise<Share[]> {
  return tables.rows<Share & Record<string, string | number>>(
    `SELECT coalesce(${column}, ${literal('')}) AS name, count(*) AS rows, count(*) FILTER (reason IS NULL) AS kept
     FROM judged GROUP BY ALL ORDER BY kept DESC, rows DESC, name`,
  );
}
