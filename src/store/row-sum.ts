import { hash } from 'node:crypto';
import { GrowingBytes } from './growing-bytes.js';
import type { PlainCell, PlainKind } from './plain-columns.js';
import type { Sum } from './sums.js';
import { identifier } from './tables.js';

/**
 * What a row says, as one text of which the MD5 is taken: its cells in order, each parted from the next by `|` and a text
 * behind its length in bytes, so that none can pass for another. Texts of more than 64 bytes stand at the end instead, one
 * behind another, as their SHA-1: it takes half the time of MD5. Said twice: as SQL for tables that lie on disk, and for
 * rows that are being written.
 */
const longestBytes = 64;

/** A column that is no struct. `path`: names from the outside in. */
export interface Leaf {
  path: readonly string[];
  /** In DuckDB's words. */
  type: string;
}

/** `id VARCHAR, origin.row BIGINT …`: tables of equal schema are added up together. */
export function schemaOf(leaves: readonly Leaf[]): string {
  return leaves.map(({ path, type }) => `${path.join('.')} ${type}`).join(', ');
}

/** The text of a row as an SQL expression. */
export function rowTextSql(leaves: readonly Leaf[]): string {
  const texts: string[] = [];
  const cells = leaves.flatMap(({ path, type }, at) => {
    const name = path.map(identifier).join('.');
    const text = type === 'VARCHAR[]' ? listSql(name) : `${name}::VARCHAR`;
    if (!words.test(type)) texts.push(text);
    const own = words.test(type)
      ? `coalesce(${text}, '-')`
      : `coalesce(strlen(${text})::VARCHAR || '|' || CASE WHEN ${isLong(text)} THEN '' ELSE ${text} END, '-')`;
    // A struct that is null is another than one whose members are.
    return beginsStruct(leaves, at) ? [`(${identifier(path[0] ?? '')} IS NULL)::VARCHAR`, own] : [own];
  });
  if (texts.length === 0) return `concat_ws('|', ${cells.join(', ')}, '')`;
  const long = `concat(${texts.map((text) => `CASE WHEN ${isLong(text)} THEN ${text} END`).join(', ')})`;
  return `concat_ws('|', ${cells.join(', ')}, CASE WHEN ${long} = '' THEN '' ELSE sha1(${long}) END)`;
}

/** Adds up rows as they are written. */
export class RowSum {
  private readonly schema: string;
  /** What stands before each cell. */
  private readonly marks: string[];
  private readonly lastCells: PlainCell[];
  private readonly lastTexts: string[];
  private readonly lastIsLong: boolean[] = [];
  /** The long texts of a row. */
  private readonly long = new GrowingBytes();
  private rows = 0;
  /** Sums of the four 32-bit words of the MD5s: exact below 2^21 rows, which no file has. */
  private readonly words = [0, 0, 0, 0];

  constructor(columns: readonly (readonly [path: readonly string[], kind: PlainKind])[]) {
    const leaves = columns.map(([path, kind]) => ({ path, type: types[kind] }));
    this.schema = schemaOf(leaves);
    this.marks = leaves.map((_, at) => (at === 0 ? '' : '|') + (beginsStruct(leaves, at) ? 'false|' : ''));
    this.lastCells = leaves.map(() => null);
    this.lastTexts = leaves.map(() => '-');
  }

  add(cells: readonly PlainCell[]): void {
    const { marks, words, long } = this;
    let text = '';
    for (let at = 0; at < marks.length; at += 1) text += (marks[at] as string) + this.told(at, cells[at] as PlainCell);
    text += long.length === 0 ? '|' : `|${hash('sha1', long.bytes.subarray(0, long.length))}`;
    long.clear();
    // One character a byte.
    const md5 = hash('md5', text, 'binary');
    for (let word = 0; word < 4; word += 1) {
      const at = 4 * word;
      const high = (md5.charCodeAt(at + 3) << 8) | md5.charCodeAt(at + 2);
      words[word] = (words[word] as number) + high * 65_536 + ((md5.charCodeAt(at + 1) << 8) | md5.charCodeAt(at));
    }
    this.rows += 1;
  }

  /** The sum of what was added since the last time. */
  take(): Sum {
    const { schema, rows, words } = this;
    const [first, second, third, fourth] = words.map(BigInt) as [bigint, bigint, bigint, bigint];
    this.rows = 0;
    words.fill(0);
    return { schema, rows, lower: String(first + (second << 32n)), upper: String(third + (fourth << 32n)) };
  }

  /** A cell as the row's text has it; a long one is put by. */
  private told(at: number, cell: PlainCell): string {
    if (cell instanceof Uint8Array) {
      if (cell.length <= longestBytes) return `${cell.length}|${Buffer.from(cell).toString()}`;
      this.long.add(cell);
      return `${cell.length}|`;
    }
    if (typeof cell === 'object' && cell !== null) return this.toldText(listText(cell));
    // Many columns hardly change from row to row.
    if (cell !== this.lastCells[at] || this.lastIsLong[at] === true) {
      const before = this.long.length;
      this.lastTexts[at] = typeof cell === 'string' ? this.toldText(cell) : cell === null ? '-' : String(cell);
      this.lastCells[at] = cell;
      this.lastIsLong[at] = this.long.length > before;
    }
    return this.lastTexts[at] as string;
  }

  private toldText(text: string): string {
    const bytes = Buffer.byteLength(text);
    if (bytes <= longestBytes) return `${bytes}|${text}`;
    this.long.addText(text);
    return `${bytes}|`;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const types: Record<PlainKind, string> = {
  text: 'VARCHAR',
  texts: 'VARCHAR[]',
  int32: 'INTEGER',
  int64: 'BIGINT',
  flag: 'BOOLEAN',
};

/** Types of which every value is a word without the mark that parts cells, so that a cell needs no length before it. */
const words = /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE)$/;

function beginsStruct(leaves: readonly Leaf[], at: number): boolean {
  const { path } = leaves[at] as Leaf;
  return path.length > 1 && leaves[at - 1]?.path[0] !== path[0];
}

function isLong(text: string): string {
  return `strlen(${text}) > ${longestBytes}`;
}

/** A list of texts as one text. */
function listSql(name: string): string {
  return `array_to_string(list_transform(${name}, lambda each: coalesce(strlen(each)::VARCHAR || ':' || each, '-')), ',')`;
}

function listText(list: readonly string[]): string {
  return list.map((each) => `${Buffer.byteLength(each)}:${each}`).join(',');
}
