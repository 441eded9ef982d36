import { resolve } from 'node:path';
import type { Command } from 'commander';
import { diffRuns, type RowChange, type RunDiff } from '../pipeline/diff.js';
import type { Json } from '../store/fingerprint.js';
import { number, Output, type OutputOptions, safe, shorten, withCommonOptions } from './output.js';

/** `curate diff`. */
export function addDiff(program: Command): void {
  const command = program
    .command('diff <run-a> <run-b>')
    .summary('what changed: config, counts by reason, rows gained and lost, each with its reason')
    .description('Compares two run folders row by row. Exit code 0 whatever differs; changes nothing.');
  withCommonOptions(
    command,
    `curate diff runs/monday runs/tuesday
     curate diff runs/monday runs/tuesday --json`,
  ).action(async (a: string, b: string, options: OutputOptions) => {
    const output = new Output(options);
    const found = await diffRuns(resolve(a), resolve(b));
    output.result(found as unknown as Json);
    showDiff(output, found);
  });
}

function showDiff(output: Output, diff: RunDiff): void {
  showList(output, 'config', diff.config);
  showList(output, 'inputs', diff.inputs);
  showList(output, 'tables that differ', diff.tables);
  output.table(
    ['rows', 'A', 'B', 'change'],
    [
      ['all', diff.rows.a, diff.rows.b, signed(diff.rows.b - diff.rows.a)],
      ['kept', diff.kept.a, diff.kept.b, signed(diff.kept.b - diff.kept.a)],
      ...diff.reasons.map(({ reason, a, b }) => [reason, a, b, signed(b - a)]),
    ],
  );
  output.line();
  const changed = diff.sources.filter(({ rows, kept }) => rows.a !== rows.b || kept.a !== kept.b);
  if (changed.length > 0) {
    output.table(
      ['source', 'rows A', 'rows B', 'kept A', 'kept B', 'change'],
      changed.map(({ source, rows, kept }) => [source, rows.a, rows.b, kept.a, kept.b, signed(kept.b - kept.a)]),
    );
    output.line();
  }
  if (diff.labels !== null && diff.labels.changed > 0) {
    output.line(`labels: ${number(diff.labels.changed)} of ${number(diff.labels.compared)} prompts carry another one`);
    output.table(
      ['from', 'to', 'prompts'],
      diff.labels.changes.slice(0, 10).map(({ from, to, count }) => [from, to, count]),
    );
    output.line();
  }
  showChange(output, 'gained (only B keeps them)', 'in A', diff.gained);
  showChange(output, 'lost (only A keeps them)', 'in B', diff.lost);
  if (diff.moved.count > 0) {
    output.line(`dropped by both for another reason: ${number(diff.moved.count)}`);
    output.table(
      ['in A', 'in B', 'rows'],
      diff.moved.moves.slice(0, 10).map(({ from, to, count }) => [from, to, count]),
    );
    output.line();
  }
  const same = diff.gained.count + diff.lost.count === 0;
  output.close(
    same
      ? `both keep the same ${number(diff.kept.both)} rows · ${number(diff.moved.count)} dropped for another reason`
      : `kept ${number(diff.kept.a)} → ${number(diff.kept.b)} rows · ${number(diff.gained.count)} gained · ${number(diff.lost.count)} lost`,
  );
}

function showList(output: Output, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  output.line(output.paint('strong', title));
  for (const line of lines.slice(0, 20)) output.line(`  ${safe(line)}`);
  if (lines.length > 20) output.line(`  and ${number(lines.length - 20)} more (--json has all)`);
  output.line();
}

function showChange(output: Output, title: string, other: string, change: RowChange): void {
  if (change.count === 0) return;
  const why = Object.entries(change.reasons).map(([reason, count]) => `${number(count)} ${reason}`);
  output.line(safe(`${title}: ${number(change.count)} · ${other}: ${why.join(', ')}`));
  output.table(
    ['id', other, 'prompt'],
    change.examples.map((row) => [row.id, row.reason, shorten(row.prompt, 200)]),
  );
  output.line();
}

function signed(change: number): string {
  return change === 0 ? '' : `${change > 0 ? '+' : '−'}${number(Math.abs(change))}`;
}
