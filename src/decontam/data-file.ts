import { Problem } from '../problem.js';
import { detectFormat } from '../store/readers/format.js';
import { readParquet, readParquetShape } from '../store/readers/parquet-rows.js';
import { readBatches } from '../store/readers/read-rows.js';
import type { Reading } from '../store/readers/reading.js';
import type { Tables } from '../store/tables.js';
import { nearestName } from '../text/nearest-name.js';

/** A file of a user's own and where its texts stand. */
export interface DataFile {
  path: string;
  isParquet: boolean;
  textColumn: string;
  idColumn: string | null;
  /** Columns of reasoning and answers, looked into with `traces`. */
  traceColumns: string[];
}

export interface DataText {
  field: string;
  text: string;
}

const textColumns = ['prompt', 'question', 'problem', 'input', 'text', 'messages'];
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
  const traces = traceColumns.filter((name) => columns.includes(name) && name !== textColumn);
  return { path, isParquet, textColumn, idColumn, traceColumns: traces };
}

/** The rows of a file in batches, of a Parquet file only the columns that are looked into. */
export function readData(file: DataFile, tables: Tables, traces: boolean): AsyncGenerator<Reading[]> {
  if (!file.isParquet) return readBatches(file.path, tables);
  const columns = [file.textColumn, ...(file.idColumn === null ? [] : [file.idColumn])];
  return readParquet(tables, file.path, undefined, [...new Set([...columns, ...(traces ? file.traceColumns : [])])]);
}

/** The texts of a row: what a user said, and with `traces` what was answered. */
export function textsOf(file: DataFile, row: Record<string, unknown>, traces: boolean): DataText[] {
  const value = row[file.textColumn];
  const turns = readTurns(value);
  const said = turns === null ? plainText(value) : joined(turns.filter((turn) => turn.isUser));
  const texts = [{ field: file.textColumn, text: said }];
  if (traces) {
    if (turns !== null) texts.push({ field: 'answer', text: joined(turns.filter((turn) => !turn.isUser)) });
    for (const column of file.traceColumns) texts.push({ field: column, text: plainText(row[column]) });
  }
  return texts.filter(({ text }, index) => index === 0 || text !== '');
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

interface Turn {
  isUser: boolean;
  text: string;
}

/** Turns of a conversation in one of the usual shapes, or null for a plain text. */
function readTurns(value: unknown): Turn[] | null {
  if (!Array.isArray(value)) return null;
  return value.flatMap((turn: unknown) => {
    if (turn === null || typeof turn !== 'object') return [{ isUser: true, text: plainText(turn) }];
    const fields = turn as Record<string, unknown>;
    const role = String(fields.role ?? fields.from ?? 'user');
    if (role === 'system') return [];
    return [{ isUser: /^(user|human)$/i.test(role), text: plainText(fields.content ?? fields.value) }];
  });
}

function joined(turns: readonly Turn[]): string {
  return turns.map((turn) => turn.text).join('\n\n');
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plainText).join('\n');
  if (value !== null && typeof value === 'object' && 'text' in value) return plainText(value.text);
  return typeof value === 'number' ? String(value) : '';
}
