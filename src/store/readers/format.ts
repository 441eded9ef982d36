import { Problem } from '../../problem.js';
import { type Compression, readHead } from './bytes.js';

export type Format = 'parquet' | 'jsonl' | 'json' | 'csv' | 'tsv';

export interface FileFormat {
  format: Format;
  compression: Compression;
}

const headBytes = 64 << 10;

/** What a file is, by its content; its name decides only where the content could be several things. */
export async function detectFormat(path: string): Promise<FileFormat> {
  const { head, compression } = await readHead(path, headBytes);
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') {
    if (compression === 'none') return { format: 'parquet', compression };
    throw new Problem('a Parquet file lies inside a compressed file', { where: path, try: 'decompress it first' });
  }
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new Problem('the file is UTF-16, and rows are read as UTF-8', {
      where: path,
      try: 'iconv -f UTF-16 -t UTF-8 FILE > NEW',
    });
  }
  return { format: textFormat(head, bareName(path)), compression };
}

// ---------------------------------------------------------------------------------------------------------------------

function bareName(path: string): string {
  return path.toLowerCase().replace(/\.(gz|zst|zstd|bz2)$/, '');
}

function textFormat(head: Buffer, name: string): Format {
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  const whole = head.length < headBytes;
  const lines = text.split('\n');
  if (!whole) lines.pop();
  const filled = lines.map((line) => line.trim()).filter((line) => line !== '');
  const first = filled[0] ?? text.trimStart().slice(0, 100);
  const namedLines = /\.(jsonl|ndjson|jsonlines)$/.test(name);
  const objects = filled.filter((line) => line.startsWith('{') && parses(line)).length;
  if (objects * 2 >= filled.length && objects > 0) return 'jsonl';
  // Lines that are arrays each, as opposed to one array of rows.
  if (first.startsWith('[')) return parses(first) && filled[1]?.startsWith('[') === true ? 'jsonl' : 'json';
  if (first.startsWith('{')) {
    if (filled.length === 0) return 'jsonl';
    // A first line that is no object: broken JSONL, or one object over several lines.
    return namedLines || (filled[1] ?? '').startsWith('{') ? 'jsonl' : 'json';
  }
  if (/\.(tsv|tab)$/.test(name)) return 'tsv';
  if (/\.csv$/.test(name)) return first.includes('\t') && !first.includes(',') ? 'tsv' : 'csv';
  if (namedLines) return 'jsonl';
  if (/\.json$/.test(name)) return 'json';
  if (first.includes('\t')) return 'tsv';
  if (first.includes(',')) return 'csv';
  return 'jsonl';
}

function parses(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
