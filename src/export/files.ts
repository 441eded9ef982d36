import type { Tables } from '../store/tables.js';

/** Kept rows of one file of `rows/`: bit i of `bits` (base64, lowest bit first) stands for row i. */
export type Part = { file: string; rows: number; bits: string };

/** One file of the dataset: its rows in the order of `rows/`. */
export type DatasetFile = { file: string; rows: number; parts: Part[] };

/**
 * Cuts the kept rows of the table `judged` into files of `rowsPerFile`, in the order of `rows/`. Which rows go where
 * travels with the task as bits, so that a worker joins nothing but the rows it writes. No kept row gives one empty file.
 */
export async function planFiles(tables: Tables, rowsPerFile: number): Promise<DatasetFile[]> {
  const files: DatasetFile[] = [{ file: '', rows: 0, parts: [] }];
  let open: { file: string; positions: number[] } | null = null;
  const current = () => files[files.length - 1] as DatasetFile;
  const closePart = () => {
    if (open !== null)
      current().parts.push({ file: open.file, rows: open.positions.length, bits: pack(open.positions) });
    open = null;
  };
  const kept = 'SELECT file, position FROM judged WHERE reason IS NULL ORDER BY file, position';
  for await (const { rowCount, columns } of tables.streamColumns(kept)) {
    const names = columns.file as string[];
    const positions = columns.position as bigint[];
    for (let index = 0; index < rowCount; index += 1) {
      if (current().rows === rowsPerFile) {
        closePart();
        files.push({ file: '', rows: 0, parts: [] });
      }
      const file = names[index] as string;
      if (open === null || open.file !== file) {
        closePart();
        open = { file, positions: [] };
      }
      open.positions.push(Number(positions[index]));
      current().rows += 1;
    }
  }
  closePart();
  const count = String(files.length).padStart(5, '0');
  return files.map((file, index) => ({ ...file, file: `train-${String(index).padStart(5, '0')}-of-${count}.parquet` }));
}

/** The row numbers that a part's bits stand for, ascending. */
export function positionsOf(part: Part): number[] {
  const bytes = Buffer.from(part.bits, 'base64');
  const positions: number[] = [];
  bytes.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit += 1) if ((byte >> bit) & 1) positions.push(index * 8 + bit);
  });
  return positions;
}

// ---------------------------------------------------------------------------------------------------------------------

function pack(positions: number[]): string {
  const bytes = new Uint8Array(Math.floor((positions[positions.length - 1] ?? -1) / 8) + 1);
  for (const position of positions) {
    const index = position >> 3;
    bytes[index] = (bytes[index] ?? 0) | (1 << (position & 7));
  }
  return Buffer.from(bytes).toString('base64');
}
