/** A small seeded generator (xorshift32 after mixing the seed): the same draws everywhere. */
export class Random {
  private state: number;

  constructor(seed: number, stream = 0) {
    let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35);
    mixed ^= mixed >>> 15;
    this.state = mixed === 0 ? 1 : mixed;
    for (let warm = 0; warm < 8; warm += 1) this.bits();
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor((this.bits() / 0x1_0000_0000) * end);
  }

  chance(probability: number): boolean {
    return this.bits() / 0x1_0000_0000 < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let index = shuffled.length - 1; index > 0; index -= 1) {
      const other = this.below(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other] as T, shuffled[index] as T];
    }
    return shuffled;
  }

  private bits(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }
}
