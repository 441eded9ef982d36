import type { Progress, StageName } from '../pipeline/stage.js';
import { bytes, duration, number, type Output, percent, shorten } from './output.js';

/** On a terminal a line is drawn anew this often; elsewhere a plain line is printed this often. */
const liveMilliseconds = 200;
const plainMilliseconds = 10_000;

/** The one live line of a running stage: how far, how fast, how much memory, how long still. Only on stderr. */
export class ProgressLine {
  private readonly output: Output;
  private readonly live: boolean;
  private stage: StageName | null = null;
  private begin = 0;
  private first: number | null = null;
  private shown = 0;
  private peak = 0;

  constructor(output: Output) {
    this.output = output;
    this.live = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  }

  update(stage: StageName, progress: Progress): void {
    if (this.output.quiet) return;
    const now = performance.now();
    if (stage !== this.stage) this.start(stage, now);
    this.first ??= progress.done;
    this.peak = Math.max(this.peak, process.memoryUsage.rss());
    if (now - this.shown < (this.live ? liveMilliseconds : plainMilliseconds)) return;
    this.shown = now;
    const text = this.describe(stage, progress, (now - this.begin) / 1000);
    if (this.live) process.stderr.write(`\r\x1b[2K${shorten(text, (process.stderr.columns ?? 80) - 1)}`);
    else process.stderr.write(`${text}\n`);
  }

  /** Takes the live line away, so that other lines can be printed. */
  clear(): void {
    if (this.live && this.stage !== null && !this.output.quiet) process.stderr.write('\r\x1b[2K');
    this.stage = null;
  }

  private start(stage: StageName, now: number): void {
    this.stage = stage;
    this.begin = now;
    this.first = null;
    this.shown = this.live ? 0 : now;
  }

  private describe(stage: StageName, { done, total, unit }: Progress, seconds: number): string {
    const rate = seconds > 0 ? (done - (this.first ?? 0)) / seconds : 0;
    const inBytes = unit === 'bytes';
    const show = (value: number) =>
      inBytes ? bytes(value) : number(value < 10 ? Number(value.toFixed(1)) : Math.round(value));
    const parts = [`${total === null ? show(done) : `${show(done)} of ${show(total)}`}${inBytes ? '' : ` ${unit}`}`];
    if (total !== null && total > 0) parts.push(percent(done, total));
    if (rate > 0) parts.push(`${show(rate)}/s`);
    parts.push(bytes(this.peak));
    if (total !== null && rate > 0 && done < total) parts.push(`${duration((total - done) / rate)} left`);
    return `${stage.padEnd(9)} ${parts.join(' · ')}`;
  }
}
