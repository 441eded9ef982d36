/**
 * Aligns a short text with the place in a long one that resembles it most: exact stretches are chained in order, and
 * what lies between them is compared symbol by symbol.
 */

export class Aligner {
  private readonly heads = new Int32Array(1 << slotBits).fill(-1);
  private next = new Int32Array(1024);
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
    for (const { at, place, length } of parts.sort((a, b) => b.length - a.length || a.place - b.place))
      for (let index = 0; index < length; index += 1) if (places[at + index] === -1) places[at + index] = place + index;
    return places;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** All stretches of equal symbols of at least a gram, as long as they go. */
  private stretches(field: Uint16Array, text: Uint16Array, textCount: number): Stretch[] {
    const size = field.length >= 200 ? 8 : field.length >= 12 ? 5 : 3;
    if (this.next.length < field.length) this.next = new Int32Array(field.length * 2);
    const used: number[] = [];
    for (let at = field.length - size; at >= 0; at -= 1) {
      const slot = slotOf(field, at, size);
      if (this.heads[slot] === -1) used.push(slot);
      this.next[at] = this.heads[slot] as number;
      this.heads[slot] = at;
    }
    const found: Stretch[] = [];
    // Where on each diagonal the last stretch ended: inside it there is nothing new to find.
    const ends = new Map<number, number>();
    for (let place = 0; place + size <= textCount; place += 1)
      for (let at = this.heads[slotOf(text, place, size)] as number; at !== -1; at = this.next[at] as number) {
        if ((ends.get(place - at) ?? -1) > place) continue;
        let length = 0;
        while (at + length < field.length && place + length < textCount && field[at + length] === text[place + length])
          length += 1;
        if (length < size) continue;
        ends.set(place - at, place + length);
        found.push({ at, place, length });
      }
    for (const slot of used) this.heads[slot] = -1;
    return found.length <= mostStretches
      ? found
      : found.sort((a, b) => b.length - a.length || a.place - b.place).slice(0, mostStretches);
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

/** `field` from `at` equals `text` from `place` for `length` symbols. */
interface Stretch {
  at: number;
  place: number;
  length: number;
}

const slotBits = 14;
const mostStretches = 600;
const mostCells = 120_000;

function slotOf(symbols: Uint16Array, at: number, size: number): number {
  let hash = 0;
  for (let index = at; index < at + size; index += 1)
    hash = Math.imul(hash ^ (symbols[index] as number), 0x01000193) ^ (hash >>> 13);
  return Math.imul(hash, 0x9e3779b1) >>> (32 - slotBits);
}
