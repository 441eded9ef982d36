import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Problem } from '../../problem.js';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2';

const chunkBytes = 1 << 20;

/** The first bytes of a file, decompressed where it is compressed: enough to tell its format. */
export async function readHead(path: string, bytes: number): Promise<{ head: Buffer; compression: Compression }> {
  const raw = await readRange(path, 0, bytes);
  const compression = compressionOf(raw);
  if (compression === 'none') return { head: raw, compression };
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of readBytes(path, compression)) {
      parts.push(part);
      length += part.length;
      if (length >= bytes) break;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
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
 * A file's content as chunks of bytes, decompressed. `start` is for uncompressed files. A stream that is cut or broken
 * gives its good bytes and then throws.
 */
export async function* readBytes(path: string, compression: Compression, start = 0): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    for await (const part of createReadStream(path, { start, highWaterMark: chunkBytes })) yield part as Buffer;
  } else if (compression === 'gzip') {
    yield* throughZlib(path, zlib.createGunzip({ chunkSize: chunkBytes }));
  } else if (compression === 'zstd') {
    yield* readZstd(path);
  } else {
    yield* throughProgram(path, 'bzip2', ['-dc'], 'bzip2 is not installed, and Node has no decoder for .bz2');
  }
}

// ---------------------------------------------------------------------------------------------------------------------

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

/** Windows of up to 2 GiB, as `zstd --long=31` makes them: the one case that takes more memory than the rest together. */
async function* readZstd(path: string): AsyncGenerator<Buffer> {
  const newer = zlib as unknown as {
    createZstdDecompress?: (options: { chunkSize: number; params: Record<number, number> }) => Transform;
    constants: { ZSTD_d_windowLogMax?: number };
  };
  if (newer.createZstdDecompress !== undefined && newer.constants.ZSTD_d_windowLogMax !== undefined) {
    const params = { [newer.constants.ZSTD_d_windowLogMax]: 31 };
    yield* throughZlib(path, newer.createZstdDecompress({ chunkSize: chunkBytes, params }));
    return;
  }
  yield* throughProgram(
    path,
    'zstd',
    ['-dcq', '--long=31'],
    `Node ${process.versions.node} cannot read .zst, and the program zstd is not installed`,
  );
}

async function* throughZlib(path: string, decoder: Transform): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: chunkBytes });
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const part of decoder) yield part as Buffer;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

async function* throughProgram(path: string, name: string, args: string[], missing: string): AsyncGenerator<Buffer> {
  const child: ChildProcess = spawn(name, [...args, '--', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr?.on('data', (part) => {
    if (complaint.length < 1000) complaint += String(part);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code));
  });
  ended.catch(() => undefined);
  try {
    if (child.stdout !== null) for await (const part of child.stdout) yield part as Buffer;
    const code = await ended.catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      const advice =
        name === 'zstd' ? 'install zstd (a package of every system), or use Node 22.15 or later' : `install ${name}`;
      throw new Problem(missing, { where: path, try: advice });
    });
    if (code !== 0) throw new Error(complaint.trim().replace(path, '') || `${name} ended with ${code}`);
  } finally {
    child.kill();
  }
}
