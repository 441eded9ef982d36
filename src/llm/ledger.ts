import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { durablePoint } from '../store/atomic.js';

/** One line of the ledger: an answer that was paid for, under everything that decided it. */
export interface LedgerEntry {
  /** Model, as the pipeline names it. */
  model: string;
  /** Fingerprint of the question: template, label set, limit. */
  question: string;
  /** `prompt_key`: the hash of the prompt's text. */
  prompt: string;
  /** null: asked twice and no label named, or refused by the server. */
  label: string | null;
  /** What came instead of a label. */
  invalid?: string;
  tokens?: [input: number, output: number];
}

/** Votes written but not yet on the disk are at most this many, and at most this old. */
const groupVotes = 256;
const groupMilliseconds = 2_000;

/**
 * The append-only file of votes. Each line is one write(2) before the vote counts, so that a killed process loses nothing
 * that it counted; fsync follows in groups, so that a power cut loses at most the last 256 votes or two seconds of them.
 * Several runs may append to one file at a time: lines are whole as the file is opened for appending.
 */
export class Ledger {
  /** Lines of the file that are no entries, as a kill in the middle of a write leaves one. */
  readonly tornLines: number;
  private readonly descriptor: number;
  private readonly labels: Map<string, string | null>;
  private readonly model: string;
  private readonly question: string;
  private unsynced = 0;
  private timer: NodeJS.Timeout | null = null;

  private constructor(descriptor: number, found: Found, model: string, question: string) {
    this.descriptor = descriptor;
    this.labels = found.labels;
    this.tornLines = found.tornLines;
    this.model = model;
    this.question = question;
  }

  /** Opens (or makes) a ledger for the votes of one model on one question. A torn last line is ended, and so left behind. */
  static async open(path: string, model: string, question: string): Promise<Ledger> {
    mkdirSync(dirname(path), { recursive: true });
    const found = await readEntries(path, model, question);
    const descriptor = openSync(path, 'a+');
    const { size } = fstatSync(descriptor);
    if (size > 0) {
      const last = Buffer.alloc(1);
      readSync(descriptor, last, 0, 1, size - 1);
      if (last[0] !== 0x0a) writeSync(descriptor, '\n');
    }
    return new Ledger(descriptor, found, model, question);
  }

  /** The vote on a prompt; null where it was invalid, undefined where it was never asked for. */
  get(prompt: string): string | null | undefined {
    return this.labels.get(prompt);
  }

  get size(): number {
    return this.labels.size;
  }

  /** Writes a vote down, and only then lets it count. */
  add(prompt: string, vote: Pick<LedgerEntry, 'label' | 'invalid' | 'tokens'>): void {
    const entry: LedgerEntry = { model: this.model, question: this.question, prompt, ...vote };
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    durablePoint();
    if (writeSync(this.descriptor, line) !== line.length) throw new Error('the disk took a part of a vote');
    durablePoint();
    this.labels.set(prompt, vote.label);
    this.unsynced += 1;
    if (this.unsynced >= groupVotes) this.sync();
    else this.timer ??= setTimeout(() => this.sync(), groupMilliseconds);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    fsyncSync(this.descriptor);
    closeSync(this.descriptor);
  }

  private sync(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.unsynced = 0;
    // Asked for and not waited for; what fails here fails again, and is heard, when the ledger is closed.
    fsync(this.descriptor, () => {});
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface Found {
  labels: Map<string, string | null>;
  tornLines: number;
}

async function readEntries(path: string, model: string, question: string): Promise<Found> {
  const found: Found = { labels: new Map(), tornLines: 0 };
  if (!existsSync(path)) return found;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === '') continue;
    const entry = parseEntry(line);
    if (entry === null) found.tornLines += 1;
    else if (entry.model === model && entry.question === question) found.labels.set(entry.prompt, entry.label);
  }
  return found;
}

function parseEntry(line: string): LedgerEntry | null {
  try {
    const entry = JSON.parse(line) as Partial<LedgerEntry> | null;
    if (typeof entry?.prompt !== 'string' || typeof entry.model !== 'string') return null;
    if (typeof entry.question !== 'string' || (entry.label !== null && typeof entry.label !== 'string')) return null;
    return entry as LedgerEntry;
  } catch {
    // A line that a kill cut off: the vote in it never counted.
    return null;
  }
}
