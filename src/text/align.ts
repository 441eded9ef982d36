/**
 * Aligns a short text with the place in a long one that resembles it most: exact stretches are chained in order, and
 * what lies between them is compared symbol by symbol.
 */

export class Aligner {
  /** Of the text at hand, by size of gram: what is made for its first field serves the others. */
  private readonly grams = new Map<number, GramPlaces>();
  private costs = new Int32Array(0);

  /** For each symbol of `field` its place in `text`, or -1. */
  align(field: Uint16Array, text: Uint16Array, textCount: number): Int32Array {
    const places = new Int32Array(field.length).fill(-1);
    if (field.length === 0) return places;
    const chain = this.chain(this.stretches(field, text, textCount));
    // Less than a quarter in order: what resembles the rest by chance is not worth finding.
    if (chain.reduce((sum, stretch) => sum + stretch.length, 0) * 4 < field.length) return places;
    for (const { at, place, length } of chain)
      for (let index = 0; index < length; index += 1) places[at + index] = place + index;
    let end: Stretch | null = null;
    for (const stretch of chain) {
      if (end !== null)
        this.fill(field, text, places, end.at + end.length, stretch.at, end.place + end.length, stretch.place, 'both');
      end = stretch;
    }
    const first = chain[0] as Stretch;
    const last = chain[chain.length - 1] as Stretch;
    const before = Math.max(0, first.place - Math.ceil(first.at * 1.2) - 3);
    this.fill(field, text, places, 0, first.at, before, first.place, 'end');
    const at = last.at + last.length;
    const place = last.place + last.length;
    const after = Math.min(textCount, place + Math.ceil((field.length - at) * 1.2) + 3);
    this.fill(field, text, places, at, field.length, place, after, 'start');
    return places;
  }

  /** `align` in whatever order: only stretches of at least `least` equal symbols, the longest first. */
  alignParts(field: Uint16Array, text: Uint16Array, textCount: number, least: number): Int32Array {
    const places = new Int32Array(field.length).fill(-1);
    const parts = this.stretches(field, text, textCount).filter(({ length }) => length >= least);
    for (const { at, place, length } of parts.sort(byLength))
      for (let index = 0; index < length; index += 1) if (places[at + index] === -1) places[at + index] = place + index;
    return places;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** All stretches of equal symbols of at least a gram, as long as they go, in no order. */
  private stretches(field: Uint16Array, text: Uint16Array, textCount: number): Stretch[] {
    const size = field.length >= 200 ? 8 : field.length >= 12 ? 5 : 3;
    let grams = this.grams.get(size);
    if (grams === undefined) {
      grams = new GramPlaces(size);
      this.grams.set(size, grams);
    }
    grams.read(text, textCount);
    const found: Stretch[] = [];
    // Where on each diagonal the last stretch ended: inside it there is nothing new to find.
    const ends = new Map<number, number>();
    for (let at = 0; at + size <= field.length; at += 1)
      for (let place = grams.first(field, at); place !== -1; place = grams.after(place)) {
        if ((ends.get(place - at) ?? -1) > place) continue;
        let length = 0;
        while (at + length < field.length && place + length < textCount && field[at + length] === text[place + length])
          length += 1;
        if (length < size) continue;
        ends.set(place - at, place + length);
        found.push({ at, place, length });
      }
    return found.length <= mostStretches ? found : found.sort(byLength).slice(0, mostStretches);
  }

  /** The best stretches that follow one another in both texts; each shift between two costs a little. */
  private chain(found: Stretch[]): Stretch[] {
    found.sort((a, b) => a.place - b.place || a.at - b.at);
    const scores: number[] = [];
    const before: number[] = [];
    let best = -1;
    for (let index = 0; index < found.length; index += 1) {
      const { at, place, length } = found[index] as Stretch;
      let score = length;
      let from = -1;
      for (let other = index - 1; other >= 0; other -= 1) {
        const previous = found[other] as Stretch;
        if (previous.at >= at || previous.at + previous.length >= at + length) continue;
        // Overlapping ends are cut: they count once.
        const cut = Math.max(0, previous.at + previous.length - at, previous.place + previous.length - place);
        if (cut >= length) continue;
        const shift = Math.abs(place - at - (previous.place - previous.at));
        const total = (scores[other] as number) + length - cut - (shift === 0 ? 0 : Math.min(12, 1 + shift * 0.1));
        if (total > score) {
          score = total;
          from = other;
        }
      }
      scores.push(score);
      before.push(from);
      if (best === -1 || score > (scores[best] as number)) best = index;
    }
    const chain: Stretch[] = [];
    for (let index = best; index !== -1; index = before[index] as number) chain.unshift(found[index] as Stretch);
    return chain.map((stretch, index) => {
      const previous = chain[index - 1];
      if (previous === undefined) return stretch;
      const cut = Math.max(
        0,
        previous.at + previous.length - stretch.at,
        previous.place + previous.length - stretch.place,
      );
      return { at: stretch.at + cut, place: stretch.place + cut, length: stretch.length - cut };
    });
  }

  /** Compares two short gaps symbol by symbol, with the fewest differences; `held` says which ends must meet. */
  private fill(
    field: Uint16Array,
    text: Uint16Array,
    places: Int32Array,
    from: number,
    to: number,
    start: number,
    end: number,
    held: 'both' | 'start' | 'end',
  ): void {
    const rows = to - from;
    const columns = end - start;
    if (rows <= 0 || columns <= 0) return;
    if (rows * columns > mostCells) return;
    const width = columns + 1;
    if (this.costs.length < (rows + 1) * width) this.costs = new Int32Array((rows + 1) * width * 2);
    const { costs } = this;
    for (let column = 0; column <= columns; column += 1) costs[column] = held === 'end' ? 0 : column;
    for (let row = 1; row <= rows; row += 1) {
      costs[row * width] = row;
      const symbol = field[from + row - 1];
      for (let column = 1; column <= columns; column += 1) {
        const at = row * width + column;
        const same = symbol === text[start + column - 1] ? 0 : 1;
        costs[at] = Math.min(
          (costs[at - width - 1] as number) + same,
          (costs[at - width] as number) + 1,
          (costs[at - 1] as number) + 1,
        );
      }
    }
    let column = columns;
    if (held === 'start')
      for (let other = 0; other <= columns; other += 1)
        if ((costs[rows * width + other] as number) < (costs[rows * width + column] as number)) column = other;
    for (let row = rows; row > 0 && column > 0; ) {
      const at = row * width + column;
      // At equal cost a symbol of its own on either side explains more than one in place of another.
      if (field[from + row - 1] === text[start + column - 1] && costs[at] === costs[at - width - 1]) {
        places[from + row - 1] = start + column - 1;
        row -= 1;
        column -= 1;
      } else if (costs[at] === (costs[at - 1] as number) + 1) column -= 1;
      else if (costs[at] === (costs[at - width] as number) + 1) row -= 1;
      else {
        row -= 1;
        column -= 1;
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** Where the grams of a text stand, by their hash: what is found has to be compared. */
class GramPlaces {
  private readonly size: number;
  private text: Uint16Array | null = null;
  private count = 0;
  private heads = new Int32Array(0);
  private next = new Int32Array(0);
  private shift = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** Does nothing where it was this text that was read last; a text does not change once it was read. */
  read(text: Uint16Array, count: number): void {
    if (this.text === text && this.count === count) return;
    this.text = text;
    this.count = count;
    // Two slots a gram, so that few share one, and no more to clear than the text needs.
    const bits = Math.min(22, Math.max(8, 33 - Math.clz32(count)));
    this.shift = 32 - bits;
    if (this.heads.length < 1 << bits) this.heads = new Int32Array(1 << bits);
    if (this.next.length < count) this.next = new Int32Array(count * 2);
    const { heads, next, size } = this;
    heads.fill(-1, 0, 1 << bits);
    for (let place = count - size; place >= 0; place -= 1) {
      const slot = hashOf(text, place, size) >>> this.shift;
      next[place] = heads[slot] as number;
      heads[slot] = place;
    }
  }

  /** The first place whose gram may be that of these symbols, or -1. */
  first(symbols: Uint16Array, at: number): number {
    return this.heads[hashOf(symbols, at, this.size) >>> this.shift] as number;
  }

  /** The next such place after this one, or -1. */
  after(place: number): number {
    return this.next[place] as number;
  }
}

/** `field` from `at` equals `text` from `place` for `length` symbols. */
interface Stretch {
  at: number;
  place: number;
  length: number;
}

/** The longest first; of as long ones the first in the text, then in the field. */
function byLength(a: Stretch, b: Stretch): number {
  return b.length - a.length || a.place - b.place || a.at - b.at;
}

const mostStretches = 600;
const mostCells = 120_000;

function hashOf(symbols: Uint16Array, at: number, size: number): number {
  let hash = 0;
  for (let index = at; index < at + size; index += 1)
    hash = Math.imul(hash ^ (symbols[index] as number), 0x01000193) ^ (hash >>> 13);
  return Math.imul(hash, 0x9e3779b1);
}
