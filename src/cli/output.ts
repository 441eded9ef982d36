import { stripVTControlCharacters, styleText } from 'node:util';
import type { Command } from 'commander';
import type { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { formatNumber } from '../text/number.js';

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
  /** commander's `--no-color`: false turns colour off. */
  color?: boolean;
}

/** What a colour means: it never carries anything that the words do not say. */
export type Tone = 'good' | 'bad' | 'warning' | 'strong' | 'faint' | 'plain';

const styles = {
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  strong: 'bold',
  faint: 'dim',
} as const;

/**
 * Where a command speaks. stdout carries the result alone: text, or with `--json` one JSON document. Everything else
 * (progress, warnings) goes to stderr. Numbers, units and colours are made here only.
 */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Columns to fit tables into. */
  readonly width: number;
  private readonly colors: boolean;

  constructor(options: OutputOptions) {
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    const { NO_COLOR: noColor, TERM: terminal, FORCE_COLOR: force } = process.env;
    const wanted = options.color !== false && !noColor && terminal !== 'dumb';
    this.colors = wanted && !this.json && (process.stdout.isTTY === true || (force ?? '0') !== '0');
    const columns = process.stdout.columns ?? Number(process.env.COLUMNS ?? 80);
    this.width = Math.max(40, Number.isFinite(columns) && columns > 0 ? columns : 80);
  }

  /** Text in a tone. The text must be safe for a terminal: `safe()` for anything that comes from data. */
  paint(tone: Tone, text: string): string {
    if (!this.colors || tone === 'plain') return text;
    return styleText(styles[tone], text, { validateStream: false });
  }

  /** A line of the result; nothing with `--json`. */
  line(text = ''): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** Rows under headings, columns aligned, cut to the width. Cells are made safe here; numbers align right. */
  table(
    headings: readonly string[],
    rows: readonly (readonly (string | number | null)[])[],
    tones: readonly Tone[] = [],
  ): void {
    if (this.json) return;
    const text = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? number(cell) : safe(cell ?? ''))));
    const widths = headings.map((heading, index) =>
      Math.max(width(heading), ...text.map((row) => width(row[index] ?? ''))),
    );
    const spare = this.width - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
    const last = widths.length - 1;
    widths[last] = Math.max(Math.min(widths[last] ?? 0, spare), Math.min(12, widths[last] ?? 0));
    const right = headings.map(
      (_, index) => rows.length > 0 && rows.every((row) => typeof row[index] === 'number' || row[index] === null),
    );
    const format = (cells: readonly string[], tone: (index: number) => Tone) =>
      cells
        .map((cell, index) => {
          const cut = index === last ? shorten(cell, widths[index] ?? 0) : cell;
          const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cut)));
          const padded = right[index] ? padding + cut : index === last ? cut : cut + padding;
          return this.paint(tone(index), padded);
        })
        .join('  ')
        .trimEnd();
    this.line(format(headings, () => 'faint'));
    for (const row of text) this.line(format(row, (index) => tones[index] ?? 'plain'));
  }

  /** The machine-readable result: printed with `--json` only, once per command. */
  result(value: Json): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** The countable sentence that ends every command: on stdout, or on stderr where stdout carries JSON. */
  close(sentence: string): void {
    if (this.json) process.stderr.write(`${safe(sentence)}\n`);
    else process.stdout.write(`${this.paint('strong', safe(sentence))}\n`);
  }

  /** A warning on stderr, never on stdout. */
  warn(sentence: string): void {
    process.stderr.write(`${this.paint('warning', 'warning:')} ${safe(sentence)}\n`);
  }

  /** A line about what is going on, on stderr; nothing with `--quiet`. */
  note(sentence: string): void {
    if (!this.quiet) process.stderr.write(`${this.paint('faint', safe(sentence))}\n`);
  }
}

/** The options that every command has, and examples below its help. */
export function withCommonOptions(command: Command, examples: string): Command {
  return command
    .option('--json', 'machine-readable result on stdout')
    .option('--quiet', 'no progress')
    .option('--no-color', 'no colours (also NO_COLOR=1)')
    .addHelpText(
      'after',
      `\nExamples:\n${examples
        .trim()
        .split('\n')
        .map((line) => `  ${line.trim()}`)
        .join('\n')}`,
    );
}

/** A Problem as lines for stderr: what, then where / found / try or an item a line. */
export function describeProblem(problem: Problem): string {
  const { where, found, items, gate } = problem.parts;
  const lines = [`${gate === true ? 'failed' : 'error'}: ${safe(problem.message)}`];
  if (where !== undefined) lines.push(`  where  ${safe(where)}`);
  if (found !== undefined) lines.push(`  found  ${safe(found)}`);
  for (const item of items ?? []) lines.push(`  ${safe(item)}`);
  if (problem.parts.try !== undefined) lines.push(`  try    ${safe(problem.parts.try)}`);
  return lines.join('\n');
}

/**
 * Text that cannot move a cursor, hide or reorder anything: control characters, escapes, line breaks, invisible and
 * bidirectional marks become `\u{…}` or a visible sign.
 */
export function safe(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(/\r?\n/g, ' ⏎ ')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** The text cut to that many columns, with `…` where something is missing. */
export function shorten(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let used = 0;
  let kept = '';
  for (const character of text) {
    const next = characterWidth(character);
    if (used + next > columns - 1) break;
    used += next;
    kept += character;
  }
  return `${kept}…`;
}

/** Columns that a text takes in a terminal: East Asian wide characters and emoji take two. */
export function width(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) columns += characterWidth(character);
  return columns;
}

/** 12345 as `12,345`; fractions keep up to three digits. */
export const number = formatNumber;

/** `1 row`, `2 rows`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${number(count)} ${count === 1 ? singular : plural}`;
}

/** Bytes in the unit that keeps it short: `83.4 MB` (10^6). */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A share as `12.3 %`; `–` of nothing. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** A bar of `columns` characters for a share between 0 and 1, in eighths of a character. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * columns * 8);
  const partial = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  return '█'.repeat(Math.floor(eighths / 8)) + partial;
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (/\p{Mn}|\p{Me}/u.test(character)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}
