import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { ZstdError } from 'fzstd';
import { Problem } from '../../problem.js';

/** A decoder's complaint about its input: the file is cut or broken from here on. */
export class BrokenStream extends Error {}

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2';

/** How much of a file was read, in its own bytes: where it is compressed, offsets in its content do not tell. */
export interface FilePosition {
  bytes: number;
}

const chunkBytes = 1 << 20;

/** The first bytes of a file, decompressed where it is compressed: enough to tell its format. */
export async function readHead(path: string, bytes: number): Promise<{ head: Buffer; compression: Compression }> {
  // A little more than asked for, because what does not compress takes more room compressed.
  const raw = await readRange(path, 0, bytes + 1024);
  const compression = compressionOf(raw);
  if (compression === 'none') return { head: raw.subarray(0, bytes), compression };
  const parts: Buffer[] = [];
  let length = 0;
  try {
    // In one call: to begin a stream and leave it takes longer than to read a small file. A text of three letters to one
    // is there with the first third; what does not compress needs all.
    if (compression === 'gzip')
      for (const end of [Math.ceil(bytes / 3), raw.length]) {
        const head = zlib.gunzipSync(raw.subarray(0, end), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
        if (head.length >= bytes || end >= raw.length) return { head: head.subarray(0, bytes), compression };
      }
  } catch {
    // Broken in its first bytes, which the stream gives up to there.
  }
  try {
    for await (const part of readBytes(path, compression)) {
      parts.push(part);
      length += part.length;
      if (length >= bytes) break;
    }
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    // Cut or broken in its first bytes: what could be read tells the format, and reading it meets the error again.
  }
  return { head: Buffer.concat(parts).subarray(0, bytes), compression };
}

/** Bytes `[start, end)` of a file, fewer where it ends before. */
export async function readRange(path: string, start: number, end: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, end - start));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

/**
 * A file's content as chunks of bytes, decompressed. `start` is for uncompressed files; `position` is kept for compressed
 * ones. A stream that is cut or broken gives its good bytes and then throws a `BrokenStream`.
 */
export async function* readBytes(
  path: string,
  compression: Compression,
  start = 0,
  position: FilePosition = { bytes: 0 },
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    for await (const part of createReadStream(path, { start, highWaterMark: chunkBytes })) yield part as Buffer;
  } else if (compression === 'gzip') {
    yield* throughZlib(path, zlib.createGunzip({ chunkSize: chunkBytes }), position);
  } else if (compression === 'zstd') {
    yield* readZstd(path, position);
  } else {
    yield* readBzip2(path, position);
  }
}

/**
 * The bytes of an uncompressed file from `start` on, in memory that is used again: a block must be used up before the
 * next one is asked for. The next one is read meanwhile. Fresh memory for each costs as much as parsing what is in it.
 */
export async function* readBlocks(path: string, start: number): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  const blocks = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const;
  const read = (into: Buffer, position: number) => {
    const reading = handle.read(into, 0, chunkBytes, position);
    // Awaited below, but may be rejected before.
    reading.catch(() => undefined);
    return reading;
  };
  let next = read(blocks[0], start);
  try {
    for (let turn = 0, position = start; ; turn ^= 1) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      position += bytesRead;
      next = read(blocks[turn === 0 ? 1 : 0], position);
      yield bytesRead === chunkBytes ? buffer : buffer.subarray(0, bytesRead);
    }
  } finally {
    await next.catch(() => undefined);
    await handle.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

class NoProgram extends Error {}

function compressionOf(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4) {
    const magic = head.readUInt32LE(0);
    if (magic === 0xfd2fb528 || (magic & 0xfffffff0) === 0x184d2a50) return 'zstd';
  }
  if (head.length >= 10 && head.subarray(0, 3).toString('latin1') === 'BZh') {
    // A block's own magic (pi), or that of the empty stream: "BZh" alone could begin a text.
    const block = head.subarray(4, 10).toString('hex');
    if (block === '314159265359' || block === '177245385090') return 'bzip2';
  }
  return 'none';
}

/**
 * Windows of up to 2 GiB, as `zstd --long=31` makes them, take that much memory: the one case that takes more than all
 * the rest. Node has a decoder from 22.15 on, the program `zstd` is on most systems, and fzstd reads ordinary windows.
 */
async function* readZstd(path: string, position: FilePosition): AsyncGenerator<Buffer> {
  const newer = zlib as unknown as {
    createZstdDecompress?: (options: { chunkSize: number; params: Record<number, number> }) => Transform;
    constants: { ZSTD_d_windowLogMax?: number };
  };
  if (newer.createZstdDecompress !== undefined && newer.constants.ZSTD_d_windowLogMax !== undefined) {
    const params = { [newer.constants.ZSTD_d_windowLogMax]: 31 };
    yield* throughZlib(path, newer.createZstdDecompress({ chunkSize: chunkBytes, params }), position);
    return;
  }
  try {
    yield* throughProgram(path, 'zstd', ['-dcq', '--long=31'], position);
  } catch (error) {
    if (!(error instanceof NoProgram)) throw error;
    yield* throughScript(path, position);
  }
}

async function* readBzip2(path: string, position: FilePosition): AsyncGenerator<Buffer> {
  try {
    yield* throughProgram(path, 'bzip2', ['-dc'], position);
  } catch (error) {
    if (!(error instanceof NoProgram)) throw error;
    throw new Problem('bzip2 is not installed, and Node has no decoder for .bz2', {
      where: path,
      try: 'install bzip2',
    });
  }
}

async function* throughZlib(path: string, decoder: Transform, position: FilePosition): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: chunkBytes });
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const part of decoder) {
      position.bytes = source.bytesRead;
      yield part as Buffer;
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw /^(Z|ZSTD|ERR)_/.test(code) ? new BrokenStream(message) : error;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

/** The program reads what it is sent, not the file: so it is known how far it is. */
async function* throughProgram(
  path: string,
  name: string,
  args: string[],
  position: FilePosition,
): AsyncGenerator<Buffer> {
  const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (part) => {
    if (complaint.length < 1000) complaint += String(part);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? new NoProgram() : error));
    child.on('close', (code) => resolve(code));
  });
  // Awaited below, but may be rejected before.
  ended.catch(() => undefined);
  const source = createReadStream(path, { highWaterMark: chunkBytes });
  source.on('error', (error) => child.stdout.destroy(error));
  // A program that gives up early stops reading: its own end says why.
  child.stdin.on('error', () => source.destroy());
  source.pipe(child.stdin);
  try {
    for await (const part of child.stdout) {
      position.bytes = source.bytesRead;
      yield part as Buffer;
    }
    const code = await ended;
    if (code !== 0)
      throw new BrokenStream(complaint.trim().replace(standardInput, 'the file') || `${name} ended with ${code}`);
  } finally {
    source.destroy();
    child.kill();
  }
}

/** What zstd and bzip2 call a file that they are sent. */
const standardInput = /\/\*stdin\*\\|\(stdin\)/g;

/** fzstd, in JavaScript: slower, and only for windows that fit a typed array. */
async function* throughScript(path: string, position: FilePosition): AsyncGenerator<Buffer> {
  // Loaded here: hardly a file needs it.
  const { Decompress, ZstdErrorCode } = await import('fzstd');
  const ready: Buffer[] = [];
  const decoder = new Decompress((part) => {
    ready.push(Buffer.from(part));
  });
  const push = (part: Uint8Array, last: boolean) => {
    try {
      decoder.push(part, last);
    } catch (error) {
      if (error instanceof RangeError || (error as Partial<ZstdError>).code === ZstdErrorCode.WindowSizeTooLarge) {
        throw new Problem(`Node ${process.versions.node} cannot read a .zst file with so long a window`, {
          where: path,
          try: 'install the program zstd, or use Node 22.15 or later',
        });
      }
      throw new BrokenStream(error instanceof Error ? error.message : String(error));
    }
  };
  const source = createReadStream(path, { highWaterMark: 1 << 16 });
  for await (const part of source) {
    position.bytes = source.bytesRead;
    push(part as Buffer, false);
    yield* ready.splice(0);
  }
  push(new Uint8Array(0), true);
  yield* ready.splice(0);
}
