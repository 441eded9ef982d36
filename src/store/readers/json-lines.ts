import { BrokenStream, type Compression, readBlocks, readBytes } from './bytes.js';
import { bad, longestRowBytes, parseJson, type Reading, type ReadingAids, type RowParser } from './reading.js';

/** Part of an uncompressed JSONL file: the lines that start in `[start, end)`, the first of which is line `firstLine`. */
export interface LineRange {
  start: number;
  end: number;
  firstLine: number;
}

const newline = 10;

/**
 * Rows of a JSONL file, a chunk's worth at a time. Blank lines are no rows; a last line that does not parse was cut off.
 */
export async function* readJsonLines(
  path: string,
  compression: Compression,
  range: LineRange = { start: 0, end: Number.POSITIVE_INFINITY, firstLine: 0 },
  { parser, position }: ReadingAids = {},
): AsyncGenerator<Reading[]> {
  // One byte early: the newline before `start`, if there is one, ends the line that belongs to the range before.
  const from = range.start === 0 ? 0 : range.start - 1;
  let skipping = range.start !== 0;
  let line = range.firstLine;
  let lineStart = from;
  let chunkStart = from;
  let parts: Buffer[] = [];
  let partBytes = 0;
  try {
    const chunks = compression === 'none' ? readBlocks(path, from) : readBytes(path, compression, 0, position);
    for await (const chunk of chunks) {
      const readings: Reading[] = [];
      parser?.startBatch();
      let place = 0;
      for (;;) {
        const end = chunk.indexOf(newline, place);
        if (end === -1) break;
        if (skipping) skipping = false;
        else {
          const tail = chunk.subarray(place, end);
          const bytes = partBytes === 0 ? tail : Buffer.concat([...parts, tail]);
          const reading = readLine(bytes, partBytes + tail.length, line, lineStart, parser);
          if (reading !== null) readings.push(reading);
          line += 1;
        }
        parts = [];
        partBytes = 0;
        place = end + 1;
        lineStart = chunkStart + place;
        if (lineStart >= range.end) {
          yield readings;
          return;
        }
      }
      const rest = chunk.subarray(place);
      if (!skipping && rest.length > 0) {
        if (partBytes + rest.length <= longestRowBytes) parts.push(Buffer.from(rest));
        else parts = parts.slice(0, 1);
        partBytes += rest.length;
      }
      chunkStart += chunk.length;
      if (readings.length > 0) yield readings;
    }
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    yield [bad('cut off', line, lineStart, partBytes > 0 ? Buffer.concat(parts) : error.message)];
    return;
  }
  if (partBytes === 0 || skipping) return;
  const reading = readLine(Buffer.concat(parts), partBytes, line, lineStart, parser);
  if (reading !== null)
    yield [reading.kind === 'bad' && reading.reason === 'not JSON' ? { ...reading, reason: 'cut off' } : reading];
}

// ---------------------------------------------------------------------------------------------------------------------

function readLine(bytes: Buffer, length: number, line: number, offset: number, parser?: RowParser): Reading | null {
  if (length > longestRowBytes) return bad('too long', line, offset, bytes);
  const content =
    offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  if (isBlank(content)) return null;
  return parseJson(content, line, offset, parser);
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  return true;
}
