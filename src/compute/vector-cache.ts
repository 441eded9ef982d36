import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeThenRename } from '../store/atomic.js';
import { sha256 } from '../store/fingerprint.js';
import { cacheFolder } from './cache-folder.js';
import { cpuKind } from './cpu-kind.js';
import { graphVersion } from './graph.js';
import { type Compute, runtimeVersion } from './session.js';
import { type ModelSpec, modelHash } from './weights.js';

const magic = 'CURVEC01';
const headerBytes = 16;
const keyBytes = 16;
const leftoverMilliseconds = 24 * 3600 * 1000;

interface Segment {
  path: string;
  count: number;
  keys: Buffer;
  checksums: Uint32Array;
}

/**
 * Vectors by the hash of their text, shared by all runs of this user: a folder of segments that are written whole, renamed
 * into place and never changed. So processes may share it without locks, a kill leaves nothing torn, and any file may be
 * deleted at any time. A vector whose checksum is wrong counts as absent.
 *
 * A segment: `CURVEC01`, count, dimensions (uint32), the keys of 16 bytes, a CRC-32 per vector, the vectors (float32).
 */
export class VectorCache {
  private readonly folder: string;
  private readonly dimensions: number;
  private readonly segments = new Map<string, Segment | null>();

  /** `folder` must name everything that decides a vector's bits but the text: model, precision, compute, kind of CPU. */
  constructor(folder: string, dimensions: number) {
    this.folder = folder;
    this.dimensions = dimensions;
    mkdirSync(this.temporary, { recursive: true });
    removeLeftovers(this.temporary);
  }

  /** Calls `take` with the place of each key that is there and its vector, which is only valid during the call. */
  find(keys: readonly string[], take: (place: number, vector: Float32Array) => void): void {
    const wanted = new Map<number, number[]>();
    keys.forEach((key, place) => {
      const start = Number.parseInt(key.slice(0, 8), 16);
      wanted.set(start, [...(wanted.get(start) ?? []), place]);
    });
    const found = new Set<number>();
    for (const segment of this.refresh()) {
      const hits = matches(segment, keys, wanted).filter(([place]) => !found.has(place));
      if (hits.length === 0) continue;
      for (const place of this.readVectors(segment, hits, take)) found.add(place);
    }
  }

  /** Adds vectors, one after another in the order of their keys. */
  async add(keys: readonly string[], vectors: Float32Array): Promise<void> {
    if (keys.length === 0) return;
    const header = Buffer.alloc(headerBytes);
    header.write(magic, 'latin1');
    header.writeUInt32LE(keys.length, 8);
    header.writeUInt32LE(this.dimensions, 12);
    const checksums = Buffer.alloc(keys.length * 4);
    for (let place = 0; place < keys.length; place += 1) {
      checksums.writeUInt32LE(crc32(bytesOf(vectors, place, this.dimensions)), place * 4);
    }
    const keyBlock = Buffer.from(keys.join(''), 'hex');
    // Named by its keys, so that two processes that computed the same do not keep it twice.
    const path = join(this.folder, `${sha256(keyBlock).slice(0, 32)}.segment`);
    await writeThenRename(path, this.temporary, async (temporaryPath) => {
      const descriptor = openSync(temporaryPath, 'w');
      try {
        for (const part of [header, keyBlock, checksums, bytesOf(vectors, 0, vectors.length)]) {
          for (let done = 0; done < part.length; ) done += writeSync(descriptor, part, done);
        }
      } finally {
        closeSync(descriptor);
      }
    });
  }

  private get temporary(): string {
    return join(this.folder, 'unfinished');
  }

  /** The segments that are there now, in the order of their names. */
  private refresh(): Segment[] {
    const names = existsSync(this.folder) ? readdirSync(this.folder).filter((name) => name.endsWith('.segment')) : [];
    return names.sort().flatMap((name) => {
      if (!this.segments.has(name)) this.segments.set(name, readSegment(join(this.folder, name), this.dimensions));
      return this.segments.get(name) ?? [];
    });
  }

  /** Returns the places that were read whole. */
  private readVectors(
    segment: Segment,
    hits: readonly [number, number][],
    take: (place: number, vector: Float32Array) => void,
  ): number[] {
    const descriptor = openIfThere(segment.path);
    if (descriptor === null) return [];
    try {
      const vector = new Float32Array(this.dimensions);
      const bytes = bytesOf(vector, 0, this.dimensions);
      const start = headerBytes + segment.count * (keyBytes + 4);
      return hits.flatMap(([place, index]) => {
        const read = readSync(descriptor, bytes, 0, bytes.length, start + index * bytes.length);
        if (read !== bytes.length || crc32(bytes) !== segment.checksums[index]) return [];
        take(place, vector);
        return place;
      });
    } finally {
      closeSync(descriptor);
    }
  }
}

/** The cache of vectors that are equal bit for bit: of one model, graph, precision, runtime and kind of CPU. */
export async function openVectorCache(model: ModelSpec, compute: Compute): Promise<VectorCache> {
  const kind = [
    modelHash(model),
    `graph ${graphVersion}`,
    `tokens ${model.shape.tokens}`,
    'fp32',
    compute,
    await runtimeVersion(compute),
    compute === 'native' ? cpuKind() : '',
  ];
  return new VectorCache(cacheFolder('vectors', sha256(kind.join('\n')).slice(0, 16)), model.dimensions);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Keys and checksums of a segment; null where it is gone or is none. */
function readSegment(path: string, dimensions: number): Segment | null {
  const descriptor = openIfThere(path);
  if (descriptor === null) return null;
  try {
    const header = Buffer.alloc(headerBytes);
    readSync(descriptor, header, 0, headerBytes, 0);
    const count = header.readUInt32LE(8);
    const size = headerBytes + count * (keyBytes + 4 + dimensions * 4);
    if (header.toString('latin1', 0, 8) !== magic || header.readUInt32LE(12) !== dimensions) return null;
    if (statSync(path).size !== size) return null;
    const keys = Buffer.alloc(count * keyBytes);
    readSync(descriptor, keys, 0, keys.length, headerBytes);
    const checksums = new Uint32Array(count);
    readSync(descriptor, checksums, 0, count * 4, headerBytes + keys.length);
    return { path, count, keys, checksums };
  } finally {
    closeSync(descriptor);
  }
}

/** Pairs of a wanted place and its index in the segment. */
function matches(segment: Segment, keys: readonly string[], wanted: Map<number, number[]>): [number, number][] {
  const hits: [number, number][] = [];
  for (let index = 0; index < segment.count; index += 1) {
    const places = wanted.get(segment.keys.readUInt32BE(index * keyBytes));
    if (places === undefined) continue;
    const key = segment.keys.toString('hex', index * keyBytes, (index + 1) * keyBytes);
    for (const place of places) if (keys[place] === key) hits.push([place, index]);
  }
  return hits;
}

/** Another process, or a person, may delete a segment at any time. */
function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What a killed process left, by age, because a living one may be writing there now. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > leftoverMilliseconds) rmSync(path, { force: true });
  }
}

function bytesOf(vectors: Float32Array, index: number, length: number): Buffer {
  return Buffer.from(vectors.buffer, vectors.byteOffset + index * length * 4, length * 4);
}
