import { Problem } from '../problem.js';
import { VectorFile } from '../store/vectors.js';

/** Vectors by number, wherever they lie. */
export interface Points {
  count: number;
  dimensions: number;
  /** Vectors `start` to `end` into `into`. */
  read(start: number, end: number, into: Float32Array): void;
}

/** Points of several vector files, numbered through in the order of the files; nothing is kept in memory. */
export class FilePoints implements Points {
  readonly count: number;
  readonly dimensions: number;
  private readonly files: { file: VectorFile; start: number }[] = [];

  constructor(paths: readonly string[]) {
    let start = 0;
    for (const path of paths) {
      const file = new VectorFile(path);
      this.files.push({ file, start });
      start += file.rowCount;
    }
    this.count = start;
    this.dimensions = this.files[0]?.file.dimensions ?? 0;
  }

  read(start: number, end: number, into: Float32Array): void {
    for (let index = this.fileOf(start); index < this.files.length; index += 1) {
      const { file, start: first } = this.files[index] as { file: VectorFile; start: number };
      if (first >= end) return;
      const from = Math.max(start, first);
      const to = Math.min(end, first + file.rowCount);
      const target = into.subarray((from - start) * this.dimensions, (to - start) * this.dimensions);
      if (to > from) file.read(from - first, to - first, target);
    }
  }

  /** Keys of all points, `keyBytes` Latin-1 bytes each, one after another. */
  keys(keyBytes: number): Buffer {
    const keys = Buffer.alloc(this.count * keyBytes);
    let point = 0;
    for (const { file } of this.files) {
      for (const batch of file.keys()) {
        for (const key of batch) {
          if (key.length !== keyBytes) throw new Error(`${file.path} has a key of ${key.length} characters`);
          keys.write(key, point * keyBytes, 'latin1');
          point += 1;
        }
      }
    }
    return keys;
  }

  /** `vectors/00003.arrow, row 17`: for a message about one point. */
  describe(point: number): string {
    const { file, start } = this.files[this.fileOf(point)] as { file: VectorFile; start: number };
    return `${file.path}, row ${point - start}`;
  }

  close(): void {
    for (const { file } of this.files) file.close();
  }

  private fileOf(point: number): number {
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.files[middle]?.start ?? 0) <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Points in memory. */
export class MemoryPoints implements Points {
  readonly count: number;
  readonly dimensions: number;
  private readonly vectors: Float32Array;

  constructor(vectors: Float32Array, dimensions: number) {
    this.vectors = vectors;
    this.dimensions = dimensions;
    this.count = vectors.length / dimensions;
  }

  read(start: number, end: number, into: Float32Array): void {
    into.set(this.vectors.subarray(start * this.dimensions, end * this.dimensions));
  }
}

/** Points by their numbers, which need not be sorted; neighbours are read together. */
export function gather(points: Points, numbers: Int32Array, into: Float32Array): void {
  const { dimensions } = points;
  for (let place = 0; place < numbers.length; ) {
    const first = numbers[place] as number;
    let end = place + 1;
    while (end < numbers.length && numbers[end] === first + (end - place)) end += 1;
    points.read(first, first + (end - place), into.subarray(place * dimensions, end * dimensions));
    place = end;
  }
}

/** The Problem of a vector that holds what is no number. */
export function notANumber(where: string): Problem {
  return new Problem('a vector holds a value that is not a number', {
    where,
    try: 'curate run … --force embed makes the vectors anew',
  });
}
