import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Change, type Counts, type WhatIf, whatIf } from '../pipeline/whatif.js';
import type { Json } from '../store/fingerprint.js';
import { showHistogram } from './histogram.js';
import { counted, number, Output, type OutputOptions, safe, shorten, withCommonOptions } from './output.js';

interface WhatIfOptions extends OutputOptions {
  set: string[];
  rows: number;
}

/** `curate whatif`. */
export function addWhatif(program: Command): void {
  const command = program
    .command('whatif <run>')
    .summary('new counts by reason for other thresholds, without recomputing')
    .description(
      'Judges the rows again, from the values that the filter wrote down, under other options; shows counts by reason and source, the rows that would change, and how the values lie around each threshold. Changes nothing. Without --set: the run as it is.',
    )
    .option(
      '--set <key.path=value>',
      'another value for an option of filter; null takes a rule out; repeatable',
      collect,
      [],
    )
    .option(
      '--rows <n>',
      'how many of the rows that would change to show, of those gained and of those lost',
      whole,
      5,
    );
  withCommonOptions(
    command,
    `curate whatif runs/quickstart --set filter.wait_count.at_most=30
     curate whatif runs/quickstart --set filter.wait_count.percentile=95 --set filter.domain.keep=[Medical]
     curate whatif runs/quickstart --set "filter.where=language = 'en'" --json`,
  ).action(async (folder: string, options: WhatIfOptions) => {
    const output = new Output(options);
    const found = await whatIf(resolve(folder), options.set, options.rows);
    output.result(found as unknown as Json);
    showWhatIf(output, found);
  });
}

function showWhatIf(output: Output, found: WhatIf): void {
  for (const change of found.changes) output.line(output.paint('strong', safe(`filter.${change}`)));
  if (found.changes.length > 0) output.line();
  const reasons = [...new Set([...Object.keys(found.before.dropped), ...Object.keys(found.after.dropped)])];
  output.table(
    ['rows', 'now', 'then', 'change'],
    [
      ['kept', found.before.kept, found.after.kept, signed(found.after.kept - found.before.kept)],
      ...reasons.map((reason) => {
        const [now, then] = [found.before.dropped[reason] ?? 0, found.after.dropped[reason] ?? 0];
        return [reason, now, then, signed(then - now)];
      }),
    ],
  );
  output.line();
  output.table(
    ['source', 'rows', 'kept now', 'kept then', 'change'],
    found.sources.map(({ source, rows, before, after }) => [
      source,
      rows,
      before.kept,
      after.kept,
      signed(after.kept - before.kept),
    ]),
  );
  output.line();
  const touched = (rule: string) =>
    found.changes.length === 0 || found.changes.some((change) => change.startsWith(rule));
  for (const histogram of found.histograms) {
    if (touched(histogram.rule)) showHistogram(output, histogram, found.rows);
  }
  showChange(output, 'rows that only the new options keep', found.gained);
  showChange(output, 'rows that only the options of the run keep', found.lost);
  output.close(closingSentence(found.rows, found.before, found.after, found.gained.count, found.lost.count));
}

function showChange(output: Output, title: string, change: Change): void {
  if (change.count === 0) return;
  const why = Object.entries(change.reasons).map(([reason, count]) => `${number(count)} ${reason}`);
  output.line(safe(`${title}: ${number(change.count)} (${why.join(', ')})`));
  output.table(
    ['id', 'reason', 'prompt'],
    change.examples.map((row) => [row.id, row.reason, shorten(row.prompt, 200)]),
  );
  output.line();
}

function closingSentence(rows: number, before: Counts, after: Counts, gained: number, lost: number): string {
  if (gained + lost === 0 && before.kept === after.kept)
    return `kept ${number(after.kept)} of ${counted(rows, 'row')} · nothing changes`;
  return `would keep ${number(after.kept)} of ${counted(rows, 'row')} instead of ${number(before.kept)} · ${number(gained)} gained · ${number(lost)} lost`;
}

function signed(change: number): string {
  return change === 0 ? '' : `${change > 0 ? '+' : '−'}${number(Math.abs(change))}`;
}

function whole(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('a whole number.');
  return count;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
