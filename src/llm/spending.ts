import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { durablePoint } from '../store/atomic.js';
import type { Budget, Price } from './options.js';

export interface Spent {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  /** In the currency of `price`; null without one. */
  money: number | null;
}

/** A call that may have been made: what it can cost at most, until it is known what it did cost. */
export interface Reservation {
  id: number;
  input: number;
  output: number;
}

/** Which cap the next call could cross. */
export class BudgetReached extends Error {}

/**
 * What a run folder has spent, kept in a file of its own so that it survives kills: a line before each call with the most
 * that it can cost, a line after it with what it cost. A call whose end was never written counts at its most. So a cap
 * is never crossed, and what is in flight at a kill is the most that can be counted too high.
 */
export class Spending {
  private readonly descriptor: number;
  private readonly budget: Budget;
  private readonly price: Price | undefined;
  private readonly open = new Map<number, Reservation>();
  private waiting: (() => void)[] = [];
  private calls = 0;
  private inputTokens = 0;
  private outputTokens = 0;

  constructor(path: string, budget: Budget, price: Price | undefined) {
    this.budget = budget;
    this.price = price;
    this.load(path);
    mkdirSync(dirname(path), { recursive: true });
    this.descriptor = openSync(path, 'a');
  }

  /** Waits while calls in flight may still turn out cheap enough; throws BudgetReached where they cannot. */
  async reserve(input: number, output: number): Promise<Reservation> {
    for (;;) {
      const cap = this.crossed(input, output);
      if (cap === null) break;
      if (this.open.size === 0) throw new BudgetReached(cap);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    const reservation = { id: this.calls, input, output };
    this.calls += 1;
    this.open.set(reservation.id, reservation);
    this.write([reservation.id, input, output]);
    return reservation;
  }

  /** `used`: what the server says, or null where an error answer cost nothing. Never called: it counts at its most. */
  settle(reservation: Reservation, used: { input: number; output: number } | null): void {
    const { input, output } = used ?? { input: 0, output: 0 };
    this.write([reservation.id, input, output, 1]);
    this.finish(reservation.id, input, output);
  }

  /** A call whose end is unknown (a stall, half an answer): it counts at its most, and is no longer waited for. */
  giveUp(reservation: Reservation): void {
    this.finish(reservation.id, reservation.input, reservation.output);
  }

  get spent(): Spent {
    return {
      calls: this.calls,
      inputTokens: this.inputTokens,
      outputTokens: this.outputTokens,
      money: this.price === undefined ? null : this.moneyOf(this.inputTokens, this.outputTokens),
    };
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private finish(id: number, input: number, output: number): void {
    this.open.delete(id);
    this.inputTokens += input;
    this.outputTokens += output;
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  private crossed(input: number, output: number): string | null {
    let inputs = this.inputTokens + input;
    let outputs = this.outputTokens + output;
    for (const each of this.open.values()) {
      inputs += each.input;
      outputs += each.output;
    }
    const { calls, tokens, money } = this.budget;
    if (calls !== undefined && this.calls + 1 > calls) return `budget.calls: ${calls}`;
    if (tokens !== undefined && inputs + outputs > tokens) return `budget.tokens: ${tokens}`;
    if (money !== undefined && this.moneyOf(inputs, outputs) > money) return `budget.money: ${money}`;
    return null;
  }

  private moneyOf(input: number, output: number): number {
    return (input * (this.price?.input ?? 0) + output * (this.price?.output ?? 0)) / 1e6;
  }

  private write(line: number[]): void {
    durablePoint();
    writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
    durablePoint();
  }

  private load(path: string): void {
    if (!existsSync(path)) return;
    const costs = new Map<number, [number, number]>();
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const numbers = parseLine(line);
      if (numbers === null) continue;
      costs.set(numbers[0], [numbers[1], numbers[2]]);
      this.calls = Math.max(this.calls, numbers[0] + 1);
    }
    for (const [input, output] of costs.values()) {
      this.inputTokens += input;
      this.outputTokens += output;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function parseLine(line: string): [number, number, number] | null {
  try {
    const [id, input, output] = JSON.parse(line) as number[];
    return id === undefined || input === undefined || output === undefined ? null : [id, input, output];
  } catch {
    // The end of the file, or a line that a kill cut off: its call was never sent, or counts at its most.
    return null;
  }
}
