import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Explanation, explainRow } from '../pipeline/explain.js';
import type { HitExplanation } from '../pipeline/explain-hits.js';
import { type FoundRows, findRows } from '../pipeline/find-rows.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { showText } from './excerpt.js';
import { measuredLine } from './measured.js';
import { counted, number, Output, type OutputOptions, safe, shorten, withCommonOptions } from './output.js';

interface ExplainOptions extends OutputOptions {
  prompt?: string;
  full?: boolean;
}

/** `curate explain`. */
export function addExplain(program: Command): void {
  const command = program
    .command('explain <run> [id]')
    .summary("one row's whole life, and why it is in the set or not")
    .description(
      'Says of one row where it came from, which cluster and label its prompt got, what every rule measured and decided, every benchmark hit with both texts, and which single change would turn its fate.',
    )
    .option('--prompt <text>', 'find the row by its prompt, or by a part of it')
    .option('--full', 'whole texts instead of their first lines');
  withCommonOptions(
    command,
    `curate explain runs/quickstart general-thought-4f1c09ab52de7788
     curate explain runs/quickstart --prompt "crushing chest pain"
     curate explain runs/quickstart general-thought-4f1c09ab52de7788 --json`,
  ).action(async (folder: string, id: string | undefined, options: ExplainOptions) => {
    const output = new Output(options);
    const path = resolve(folder);
    if ((id === undefined) === (options.prompt === undefined)) {
      throw new Problem('explain needs the id of a row, or --prompt with some of its text', {
        try: `curate explain ${folder} --prompt "some words of it"; curate sample ${folder} shows rows with their ids`,
      });
    }
    if (id !== undefined) {
      const found = await explainRow(path, id);
      output.result(found as unknown as Json);
      showExplanation(output, found, folder, options.full === true);
      return;
    }
    const found = await findRows(path, options.prompt ?? '');
    const [only] = found.rows;
    if (found.matching === 1 && only !== undefined) {
      const explained = await explainRow(path, only.id);
      output.result(explained as unknown as Json);
      showExplanation(output, explained, folder, options.full === true);
      return;
    }
    output.result(found as unknown as Json);
    showFound(output, found, folder);
  });
}

function showExplanation(output: Output, row: Explanation, folder: string, full: boolean): void {
  const lines = full ? Number.POSITIVE_INFINITY : 4;
  output.line(
    `${output.paint('strong', safe(row.id))}  ${output.paint(row.kept === true ? 'good' : 'bad', fate(row))}`,
  );
  output.line();
  showText(output, 'origin', originOf(row), 3);
  showText(output, 'about', aboutOf(row), 2);
  showText(output, 'prompt', row.prompt, lines);
  if (row.reasoning !== null) showText(output, 'reasoning', row.reasoning, full ? lines : 2);
  if (row.answer !== null) showText(output, 'answer', row.answer, full ? lines : 2);
  showCluster(output, row, full);
  output.line();
  showJudgements(output, row);
  for (const hit of row.hits) showHit(output, hit, row, lines);
  showFlips(output, row, folder);
  output.close(closingSentence(row));
}

function fate(row: Explanation): string {
  if (row.kept === null) return 'not judged by every stage yet';
  return row.kept ? 'kept' : `dropped: ${row.reason ?? ''}`;
}

function originOf(row: Explanation): string {
  const { file, row: line, revision, sha256 } = row.origin;
  const parts = [row.source, `${file}, row ${number(line)}`];
  if (revision !== null) parts.push(`revision ${revision.slice(0, 12)}`);
  if (sha256 !== null) parts.push(`sha256 ${sha256.slice(0, 12)}`);
  parts.push(`here rows/${row.place.file}, row ${number(row.place.row)}`);
  return parts.join(' · ');
}

function aboutOf(row: Explanation): string {
  const parts = [
    row.group === null ? null : `group ${row.group}`,
    row.model === null ? null : `model ${row.model}`,
    row.language === null ? null : `language ${row.language}`,
    row.license === null ? 'no licence stated' : `licence ${row.license}`,
    row.finishReason === null ? null : `finish ${row.finishReason}`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

function showCluster(output: Output, row: Explanation, full: boolean): void {
  const { cluster } = row;
  if (cluster === null) return;
  const parts = [`cluster ${cluster.id}`, cluster.label ?? 'no label'];
  if (cluster.agreement !== null) {
    const high = cluster.agreementHigh ?? cluster.agreement;
    const range = high === cluster.agreement ? high.toFixed(2) : `${cluster.agreement.toFixed(2)}–${high.toFixed(2)}`;
    parts.push(`agreement ${range} of ${counted(cluster.votes ?? 0, 'vote')}`);
  }
  if (cluster.decidedBy !== null) parts.push(`by ${cluster.decidedBy}`);
  if (cluster.uncertain === true) parts.push('uncertain');
  parts.push(`${counted(cluster.prompts, 'prompt')}, this one at distance ${cluster.distance.toFixed(3)}`);
  showText(output, 'cluster', parts.join(' · '), 3);
  const shown = full ? cluster.exemplars : cluster.exemplars.slice(0, 3);
  for (const { rank, prompt, vote } of shown)
    showText(output, `  near ${rank}`, vote === null ? prompt : `[${vote.label ?? 'no valid vote'}] ${prompt}`, 1);
}

function showJudgements(output: Output, row: Explanation): void {
  const rows: (string | null)[][] = row.rules.map((rule) => [
    rule.rule,
    rule.passes ? 'passes' : 'FAILS',
    rule.found,
    rule.required,
  ]);
  for (const { method, passes } of row.methods) {
    const hits = row.hits.filter((hit) => hit.method === method);
    const allowed = hits.filter((hit) => hit.allowed).length;
    const note = allowed === 0 ? '' : `, ${allowed} of them allowed by a person`;
    rows.push([method, passes ? 'passes' : 'FAILS', `${counted(hits.length, 'hit')}${note}`, 'no hit']);
  }
  if (rows.length === 0) return;
  const tones = [...row.rules, ...row.methods].map((each) => each.passes);
  output.table(['rule', 'verdict', 'found', 'passes'], rows);
  if (tones.every((passes) => passes)) output.line(output.paint('good', 'every rule passes'));
  output.line();
}

function showHit(output: Output, hit: HitExplanation, row: Explanation, lines: number): void {
  const common =
    hit.spanCount === null || hit.spanCount <= 1 ? '' : ` · the span stands in ${number(hit.spanCount)} items`;
  const allowed = hit.allowed ? ' · allowed by a person' : '';
  output.line(
    safe(
      `${hit.method} found ${hit.benchmark} item ${hit.item} in the ${hit.field}, score ${number(hit.score)}${common}${allowed}`,
    ),
  );
  if (hit.measured !== null) {
    output.line(safe(measuredLine(hit.measured)));
    showText(output, 'shared', hit.shared.join(' · '), lines);
  }
  const text = { prompt: row.prompt, reasoning: row.reasoning, answer: row.answer }[hit.field] ?? '';
  const characters = [...text];
  const before = characters.slice(Math.max(0, hit.span.start - 40), hit.span.start).join('');
  const after = characters.slice(hit.span.end, hit.span.end + 40).join('');
  // Brackets carry the span where there is no colour.
  const head = hit.span.start > 40 ? '…' : '';
  const tail = hit.span.end + 40 < characters.length ? '…' : '';
  showText(output, 'row', `${head}${before}[[${hit.span.text}]]${after}${tail}`, lines);
  showText(output, 'item', hit.itemText ?? 'its text is not at hand: the benchmark file is gone', lines);
  output.line();
}

function showFlips(output: Output, row: Explanation, folder: string): void {
  const failed =
    row.rules.filter((rule) => !rule.passes).length + row.methods.filter((method) => !method.passes).length;
  if (row.kept === null) return;
  if (row.flips.length === 0) {
    if (failed > 1) output.line(`no single change would keep it: it fails ${failed} rules`);
  } else if (row.kept) {
    const [nearest] = row.flips;
    if (nearest !== undefined) output.line(`the nearest change that would drop it: ${safe(nearest.change)}`);
  } else {
    output.line('each of these alone would keep it:');
    for (const flip of row.flips) output.line(`  ${safe(flip.change)}`);
    const set = row.flips.find((flip) => flip.set !== null)?.set;
    if (set !== undefined && set !== null) {
      output.line(
        output.paint('faint', `  what else that would change: curate whatif ${safe(folder)} --set ${quoted(set)}`),
      );
    }
  }
  output.line();
}

function quoted(set: string): string {
  return /^[\w.=-]+$/.test(set) ? set : `'${safe(set).replaceAll("'", `'\\''`)}'`;
}

function closingSentence(row: Explanation): string {
  const verdicts = [...row.rules, ...row.methods];
  const failed = verdicts.filter((each) => !each.passes).length;
  return `${row.id} is ${fate(row)} · fails ${failed} of ${counted(verdicts.length, 'rule')} · ${counted(row.hits.length, 'hit')}`;
}

function showFound(output: Output, found: FoundRows, folder: string): void {
  const how = found.whole ? 'is' : 'holds';
  if (found.rows.length > 0) {
    output.table(
      ['id', 'fate', 'prompt'],
      found.rows.map((row) => [row.id, row.reason ?? 'kept', shorten(row.prompt, 200)]),
    );
    output.line();
    output.line(output.paint('faint', `one of them: curate explain ${safe(folder)} ${safe(found.rows[0]?.id ?? '')}`));
  }
  const more = found.matching > found.rows.length ? ` · ${number(found.matching - found.rows.length)} not shown` : '';
  output.close(`${counted(found.matching, 'row')} whose prompt ${how} that text${more}`);
}
