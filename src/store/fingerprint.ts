import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** JSON with sorted keys and no spaces: equal values give equal text. */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`;
}

/** SHA-256 in hex of text (as UTF-8) or bytes. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 in hex of a value's canonical JSON. */
export function fingerprint(value: Json): string {
  return sha256(canonicalJson(value));
}

/** SHA-256 in hex of a file, read by pieces into the same memory, the next one while one is hashed. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  let next: Promise<number> | null = null;
  try {
    const bytes = Math.min(pieceBytes, Math.max(1, (await handle.stat()).size));
    const pieces = [Buffer.allocUnsafe(bytes), Buffer.allocUnsafe(bytes)] as const;
    const read = (into: Buffer) => {
      const reading = handle.read(into, 0, into.length, null).then(({ bytesRead }) => bytesRead);
      // Awaited below, but may be rejected before.
      reading.catch(() => undefined);
      return reading;
    };
    next = read(pieces[0]);
    for (let turn = 0; ; turn ^= 1) {
      const piece = pieces[turn === 0 ? 0 : 1];
      const length = await next;
      if (length === 0) return hash.digest('hex');
      next = read(pieces[turn === 0 ? 1 : 0]);
      hash.update(length === piece.length ? piece : piece.subarray(0, length));
    }
  } finally {
    await next?.catch(() => undefined);
    await handle.close();
  }
}

const pieceBytes = 1 << 20;
