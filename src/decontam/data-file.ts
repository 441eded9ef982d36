import { Problem } from '../problem.js';
import { exactIntegers, jsonText } from '../store/readers/exact-integers.js';
import { detectFormat } from '../store/readers/format.js';
import { readParquet, readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Reading } from '../store/readers/reading.js';
import type { Tables } from '../store/tables.js';
import { nearestName } from '../text/nearest-name.js';
import { strip } from '../text/spaces.js';
import { fieldAt } from './column-types.js';

/** A file of a user's own and where its texts stand. */
export interface DataFile {
  path: string;
  isParquet: boolean;
  textColumn: string;
  /** Columns that hold a part of the same prompt, and are looked into as well. */
  besideColumns: string[];
  idColumn: string | null;
  /** Columns of reasoning and answers, looked into with `traces`. */
  traceColumns: string[];
}

export interface DataText {
  field: string;
  text: string;
}

export const textColumns = [
  'prompt',
  'question',
  'problem',
  'input',
  'text',
  'messages',
  'instruction',
  'conversations',
  'conversation',
];
/** By the column that was found: Alpaca's `input` is what its `instruction` is about, and mostly empty. */
const companions: Record<string, string> = { input: 'instruction' };
const traceColumns =
  'reasoning answer response trace output solution completion llm_response model_reasoning model_answer Complex_CoT Response'.split(
    ' ',
  );

/** Finds the columns of a file: those asked for, or the first of the usual names. */
export async function openDataFile(
  path: string,
  wanted: { textColumn?: string | undefined; idColumn?: string | undefined },
  tables: Tables,
): Promise<DataFile> {
  const { format } = await detectFormat(path);
  const isParquet = format === 'parquet';
  const columns = isParquet
    ? (await readParquetShape(tables, path)).columns.map((column) => column.name)
    : await columnsOfRows(path, tables);
  const lacking = (what: string, name: string) => {
    const near = nearestName(name, columns);
    return new Problem(`no column "${name}" for the ${what}`, {
      where: path,
      found: columns.join(', '),
      ...(near === null ? {} : { try: `--${what}-column ${near}` }),
    });
  };
  const textColumn = wanted.textColumn ?? textColumns.find((name) => columns.includes(name));
  if (textColumn === undefined)
    throw new Problem('no column with texts', {
      where: path,
      found: columns.join(', '),
      try: `--text-column NAME; without it the first of ${textColumns.join(', ')} is taken`,
    });
  if (!columns.includes(textColumn)) throw lacking('text', textColumn);
  if (wanted.idColumn !== undefined && !columns.includes(wanted.idColumn)) throw lacking('id', wanted.idColumn);
  const idColumn = wanted.idColumn ?? (columns.includes('id') ? 'id' : null);
  const companion = wanted.textColumn === undefined ? companions[textColumn] : undefined;
  return {
    path,
    isParquet,
    textColumn,
    besideColumns: companion !== undefined && columns.includes(companion) ? [companion] : [],
    idColumn,
    traceColumns: traceColumns.filter((name) => columns.includes(name) && name !== textColumn),
  };
}

/** The rows of a file in batches, of a Parquet file only the columns that are looked into. */
export function readData(file: DataFile, tables: Tables, traces: boolean): AsyncGenerator<Reading[]> {
  if (!file.isParquet) return readBatches(file.path, tables, undefined, { parser: exactIntegers });
  const columns = [file.textColumn, ...file.besideColumns, ...(file.idColumn === null ? [] : [file.idColumn])];
  return readParquet(tables, file.path, undefined, [...new Set([...columns, ...(traces ? file.traceColumns : [])])]);
}

/** The texts of a row: what a user said, and with `traces` what was answered. */
export function textsOf(file: DataFile, row: Record<string, unknown>, traces: boolean): DataText[] {
  const value = fieldAt(row, file.textColumn);
  const turns = readTurns(value);
  const said = turns === null ? plainText(value) : joined(turns.filter((turn) => turn.isUser));
  const texts = [{ field: file.textColumn, text: said }];
  const add = (column: string) => texts.push({ field: column, text: plainText(fieldAt(row, column)) });
  file.besideColumns.forEach(add);
  if (traces) {
    if (turns !== null) texts.push({ field: 'answer', text: joined(turns.filter((turn) => !turn.isUser)) });
    file.traceColumns.forEach(add);
  }
  return texts.filter(({ text }, index) => index === 0 || text !== '');
}

/** Whether a row has nothing to look into: none of its columns for prompts holds a text. */
export function hasNoPrompt(file: DataFile, texts: readonly DataText[]): boolean {
  return !texts.some(
    ({ field, text }) => (field === file.textColumn || file.besideColumns.includes(field)) && strip(text) !== '',
  );
}

/** What names a row: its own id, where it has one, else its number among the rows of all files. */
export function idOf(file: DataFile, row: Record<string, unknown>, number: number): string {
  const id = file.idColumn === null ? null : fieldAt(row, file.idColumn);
  if (id === null || id === undefined) return String(number);
  return typeof id === 'object' ? jsonText(id) : String(id);
}

/** The fields of a row, or why it is none: what is neither looked into nor kept. */
export function fieldsOf(reading: Reading): { fields: Record<string, unknown> } | { reason: string } {
  if (reading.kind === 'bad') return { reason: reading.reason };
  const { row } = reading;
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return { reason: 'not an object' };
  const reason = flawOf(row, 0);
  return reason === null ? { fields: row as Record<string, unknown> } : { reason };
}

// ---------------------------------------------------------------------------------------------------------------------

async function columnsOfRows(path: string, tables: Tables): Promise<string[]> {
  const columns = new Set<string>();
  let rows = 0;
  for await (const batch of readBatches(path, tables)) {
    for (const reading of batch) {
      if (reading.kind !== 'row' || reading.row === null || typeof reading.row !== 'object') continue;
      for (const name of Object.keys(reading.row)) columns.add(name);
      rows += 1;
    }
    if (rows >= 100) break;
  }
  if (rows === 0) throw new Problem('no row in the file', { where: path });
  return [...columns];
}

/** JSON of more levels is no data, and recursion over it has an end. */
const mostLevels = 500;

/** What a table cannot hold: a lone surrogate would become U+FFFD without a word. */
function flawOf(value: unknown, level: number): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : 'lone surrogate';
  if (value === null || typeof value !== 'object') return null;
  if (level > mostLevels) return 'nested too deep';
  for (const each of Array.isArray(value) ? value : Object.values(value)) {
    const flaw = flawOf(each, level + 1);
    if (flaw !== null) return flaw;
  }
  return Array.isArray(value) || Object.keys(value).every((key) => key.isWellFormed()) ? null : 'lone surrogate';
}

interface Turn {
  isUser: boolean;
  text: string;
}

/** Turns of a conversation in one of the usual shapes, or null for a plain text. */
function readTurns(value: unknown): Turn[] | null {
  const list = typeof value === 'string' ? listIn(value) : isTurn(value) ? [value] : value;
  if (!Array.isArray(list)) return null;
  return list.flatMap((turn: unknown) => {
    if (turn === null || typeof turn !== 'object') return [{ isUser: true, text: plainText(turn) }];
    const fields = turn as Record<string, unknown>;
    const role = String(fields.role ?? fields.from ?? 'user').toLowerCase();
    if (role === 'system' || role === 'developer') return [];
    return [{ isUser: !answering.includes(role), text: plainText(fields.content ?? fields.value ?? turn) }];
  });
}

/** Who does not ask. Another role than these and the system's may be a person's. */
const answering = 'assistant gpt model bot chatbot chatgpt ai function tool ipython observation'.split(' ');

function isTurn(value: unknown): boolean {
  return value !== null && typeof value === 'object' && ('role' in value || 'from' in value);
}

/** Some exports keep the list of turns as JSON text. */
function listIn(text: string): unknown[] | null {
  if (!/^\s*\[\s*\{/.test(text)) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isTurn) ? list : null;
  } catch {
    return null;
  }
}

function joined(turns: readonly Turn[]): string {
  return turns.map((turn) => turn.text).join('\n\n');
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plainText).join('\n');
  if (value !== null && typeof value === 'object') {
    if ('text' in value) return plainText(value.text);
    // A part that is no text, as an image is.
    if ('type' in value && !('content' in value)) return '';
    return Object.entries(value)
      .filter(([name]) => !['role', 'from', 'type'].includes(name))
      .map(([, each]) => plainText(each))
      .filter((each) => each !== '')
      .join('\n');
  }
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}
