import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { findFiles } from '../ingest/files.js';
import { type Inspection, inspectFile } from '../ingest/inspect.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { Tables } from '../store/tables.js';
import { showText } from './excerpt.js';
import { bytes, counted, number, Output, type OutputOptions, safe, withCommonOptions } from './output.js';

interface InspectOptions extends OutputOptions {
  adapter?: string;
}

/** `curate inspect`. */
export function addInspect(program: Command): void {
  const command = program
    .command('inspect <file...>')
    .summary('which adapter fits a file, its columns, what three rows would become')
    .description('Looks at the first rows of data files: the first thing to type on a new file. Changes nothing.')
    .option('--adapter <name>', 'try this adapter instead of the one that fits best');
  withCommonOptions(
    command,
    `curate inspect mine/part-000.parquet
     curate inspect answers.jsonl.gz --adapter messages
     curate inspect 'mine/*.jsonl' --json`,
  ).action(async (patterns: string[], options: InspectOptions) => {
    const output = new Output(options);
    const files = findFiles(patterns.map((pattern) => resolve(pattern)));
    if (files.length === 0) throw nothingThere(patterns);
    const tables = await Tables.open();
    try {
      const inspections: { file: string; inspection: Inspection }[] = [];
      for (const file of files) {
        const inspection = await inspectFile(file.path, tables, options.adapter ?? null);
        inspections.push({ file: file.name, inspection });
        show(output, file.name, file.path, inspection);
      }
      output.result(inspections.map(({ file, inspection }) => ({ file, ...inspection })) as unknown as Json);
      const fitting = inspections.filter(({ inspection }) => inspection.adapter !== null).length;
      output.close(`${number(fitting)} of ${counted(files.length, 'file')} can be read as rows`);
    } finally {
      tables.close();
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------

function nothingThere(patterns: readonly string[]): Problem {
  const missing = patterns.find((pattern) => !/[*?[{]/.test(pattern) && !existsSync(pattern));
  if (missing !== undefined) return new Problem(`no such file: ${missing}`, { where: resolve(missing) });
  return new Problem('no data file there', {
    where: patterns.join(' '),
    try: 'name a file, a folder or a glob in quotes',
  });
}

function show(output: Output, name: string, path: string, inspection: Inspection): void {
  const { format, compression, rows, sample, adapter } = inspection;
  const packed = compression === 'none' ? '' : `, ${compression}`;
  const size = rows === null ? '' : ` · ${counted(rows, 'row')}`;
  output.line(`${output.paint('strong', safe(name))}  ${format}${packed} · ${bytes(inspection.bytes)}${size}`);
  output.line();
  output.table(
    ['column', 'type'],
    inspection.columns.map((column) => [column.name, column.type]),
  );
  output.line();
  if (adapter === null) {
    output.line(output.paint('bad', 'no adapter fits these columns'));
    for (const near of inspection.near) output.line(`  ${near.adapter} lacks ${near.missing.map(safe).join(', ')}`);
    output.line('  try  adapter: columns with a map, as below');
  } else {
    const others = inspection.fitting.slice(1);
    output.line(
      `adapter  ${output.paint('good', adapter)}${others.length === 0 ? '' : output.paint('faint', `  (also: ${others.join(', ')})`)}`,
    );
    output.line(
      `of the first ${counted(sample.read, 'row')}: ${number(sample.complete)} complete, ${number(sample.kept - sample.complete)} not${sample.withoutTrace > 0 ? ` (${number(sample.withoutTrace)} without a trace)` : ''}`,
    );
    const languages = Object.entries(inspection.languages).sort(([, a], [, b]) => b - a);
    output.line(`languages  ${languages.map(([language, count]) => `${language} ${number(count)}`).join(', ')}`);
  }
  for (const [reason, count] of Object.entries(sample.quarantined)) {
    if (adapter !== null) output.line(output.paint('warning', `quarantined  ${number(count)} ${safe(reason)}`));
  }
  output.line();
  for (const row of inspection.examples) {
    output.line(`${output.paint('strong', safe(row.id))}  ${row.complete ? 'complete' : 'not complete'}`);
    showText(output, 'prompt', String(row.prompt), 3);
    if (row.reasoning !== null) showText(output, 'reasoning', String(row.reasoning), 2);
    if (row.answer !== null) showText(output, 'answer', String(row.answer), 2);
    output.line();
  }
  output.line(output.paint('faint', 'in a pipeline:'));
  output.line('sources:');
  output.line(`  - path: ${safe(JSON.stringify(relative('.', path)))}`);
  output.line(`    adapter: ${adapter ?? 'columns'}`);
  if (adapter === null) output.line('    map: { prompt: …, trace: … }');
  output.line();
}
