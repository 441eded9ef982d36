import { hash } from 'node:crypto';
import type { PlainCell, PlainKind } from './plain-columns.js';
import type { Sum } from './sums.js';
import { identifier } from './tables.js';

/**
 * What a row says, as one text of which the MD5 is taken: its cells in order, each parted from the next by `|` and a text
 * behind its length in bytes, so that none can pass for another. A text of more than 64 bytes is told by its SHA-1, so
 * that nothing copies it. Said twice: as SQL for tables that lie on disk, and for rows that are being written.
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
  const cells = leaves.flatMap(({ path, type }, at) => {
    const name = path.map(identifier).join('.');
    const own = words.test(type)
      ? `coalesce(${name}::VARCHAR, '-')`
      : textSql(type === 'VARCHAR[]' ? listSql(name) : `${name}::VARCHAR`);
    // A struct that is null is another than one whose members are.
    return beginsStruct(leaves, at) ? [`(${identifier(path[0] ?? '')} IS NULL)::VARCHAR`, own] : [own];
  });
  return `concat_ws('|', ${cells.join(', ')})`;
}

/** Adds up rows as they are written. */
export class RowSum {
  private readonly schema: string;
  /** What stands before each cell. */
  private readonly marks: string[];
  private readonly lastCells: PlainCell[];
  private readonly lastTexts: string[];
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
    const { marks, words } = this;
    let text = '';
    for (let at = 0; at < marks.length; at += 1)
      text += (marks[at] as string) + this.cellText(at, cells[at] as PlainCell);
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

  /** Many columns hardly change from row to row. */
  private cellText(at: number, cell: PlainCell): string {
    if (typeof cell === 'object' && cell !== null) return cellText(cell);
    if (cell !== this.lastCells[at]) {
      this.lastCells[at] = cell;
      this.lastTexts[at] = cellText(cell);
    }
    return this.lastTexts[at] as string;
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

function textSql(text: string): string {
  const told = `CASE WHEN strlen(${text}) > ${longestBytes} THEN sha1(${text}) ELSE ${text} END`;
  return `coalesce(strlen(${text})::VARCHAR || '|' || ${told}, '-')`;
}

/** A list of texts as one text. */
function listSql(name: string): string {
  return `array_to_string(list_transform(${name}, lambda each: coalesce(strlen(each)::VARCHAR || ':' || each, '-')), ',')`;
}

function cellText(cell: PlainCell): string {
  if (cell === null) return '-';
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  if (typeof cell === 'string') {
    const bytes = Buffer.byteLength(cell);
    return `${bytes}|${bytes > longestBytes ? hash('sha1', cell) : cell}`;
  }
  if (cell instanceof Uint8Array) {
    return `${cell.length}|${cell.length > longestBytes ? hash('sha1', cell) : Buffer.from(cell).toString()}`;
  }
  return cellText((cell as readonly string[]).map((each) => `${Buffer.byteLength(each)}:${each}`).join(','));
}
