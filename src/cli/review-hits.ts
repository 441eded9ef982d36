import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { allowedText, readAllowed } from '../decontam/allow.js';
import { decontamOptions } from '../decontam/options.js';
import { hitsToReview, type ReviewedHit } from '../decontam/review.js';
import { pipelineOf } from '../pipeline/state.js';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import type { Json } from '../store/fingerprint.js';
import { RunFolder } from '../store/folder.js';
import { Tables } from '../store/tables.js';
import { sliceCodePoints } from '../text/code-points.js';
import { fold, foldedWords } from '../text/fold.js';
import { measuredLine } from './measured.js';
import { counted, number, type Output, safe, type Tone } from './output.js';

export interface ReviewHitsOptions {
  /** Hits to show, those most likely to be none first. */
  top: number;
  benchmark?: string;
  method?: string;
}

/**
 * `curate review RUN hits`: shows hits with both texts, the words that they share marked, and writes those that a person
 * judges to be none to the pipeline's `decontam.allow` file at once. Answers are read line by line, so they can be piped.
 */
export async function reviewHits(
  folder: string,
  output: Output,
  options: ReviewHitsOptions,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<void> {
  const run = new RunFolder(resolve(folder));
  const { path, decontam, base } = allowFileOf(run);
  if (!existsSync(run.table('coverage.json')))
    throw new Problem('this run has no hits yet', { where: run.path, try: 'curate run … --to decontam' });
  const tables = await Tables.open({ temporaryFolder: run.temporary });
  try {
    const allowed = existsSync(path) ? readAllowed(path) : [];
    const hits = await hitsToReview(run, tables, decontam, (each) => resolve(base, each), allowed, options);
    const before = allowed.length;
    await judge(output, hits, input, async (hit) => {
      const { promptKey, benchmark, items, method } = hit;
      allowed.push(...items.map((item) => ({ prompt_key: promptKey, benchmark, item, method })));
      // The temporary folder lies beside the target: a rename must not cross file systems.
      await writeFileAtomic(path, dirname(path), allowedText(allowed));
    });
    const count = allowed.length - before;
    const sentence = `${counted(count, 'hit')} allowed of ${number(hits.length)} shown${count === 0 ? '' : ' · curate run takes them over'}`;
    output.result({ allow: path, hits: hits as unknown as Json, allowed: allowed as unknown as Json, sentence });
    output.close(sentence);
  } finally {
    tables.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function allowFileOf(run: RunFolder): {
  path: string;
  base: string;
  decontam: ReturnType<typeof decontamOptions.parse>;
} {
  const pipeline = pipelineOf(run);
  if (pipeline.stages.decontam === undefined) throw new Problem('this run was not decontaminated', { where: run.path });
  const decontam = decontamOptions.parse(pipeline.stages.decontam);
  if (decontam.allow === undefined)
    throw new Problem('the pipeline names no file for a person’s verdicts on hits', {
      where: pipeline.file,
      try: 'add allow: ./allow.yaml under decontam, and curate run once more',
    });
  return { path: resolve(pipeline.folder, decontam.allow), base: pipeline.folder, decontam };
}

async function judge(
  output: Output,
  hits: readonly ReviewedHit[],
  input: NodeJS.ReadableStream,
  allow: (hit: ReviewedHit) => Promise<void>,
): Promise<void> {
  // With --json the hits are the result, and nobody is there to ask.
  if (output.json) return;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const answers = lines[Symbol.asyncIterator]();
  try {
    for (const [index, hit] of hits.entries()) {
      show(output, hit, `${index + 1} of ${hits.length}`);
      const answer = await answerFor(output, answers);
      if (answer === 'q') break;
      if (answer === 'n') await allow(hit);
    }
  } finally {
    lines.close();
  }
}

async function answerFor(output: Output, answers: AsyncIterator<string>): Promise<string> {
  for (;;) {
    output.note('l a leak · n none: keep the row · s skip · q quit');
    const { value, done } = await answers.next();
    if (done === true) return 'q';
    const answer = value.trim().toLowerCase();
    if (['l', 'n', 's', 'q'].includes(answer)) return answer;
    output.note(`no answer "${answer}"`);
  }
}

function show(output: Output, hit: ReviewedHit, place: string): void {
  const spread = hit.count === 1 ? 'this item alone' : `${number(hit.count)} items`;
  output.line();
  output.line(
    output.paint('strong', safe(`${place} · ${hit.benchmark} ${hit.item} · ${hit.method} ${hit.score.toFixed(1)}`)) +
      output.paint('faint', `  the span speaks for ${spread}`),
  );
  const before = sliceCodePoints(hit.prompt, Math.max(0, hit.start - around), hit.start);
  const span = sliceCodePoints(hit.prompt, hit.start, Math.min(hit.end, hit.start + longest));
  const after = sliceCodePoints(hit.prompt, hit.end, hit.end + around);
  // Other words share mostly small ones: what speaks for a rewording are the rare ones and the numbers.
  const rare = hit.measured === null ? null : new Set(foldedWords(fold(hit.shared.join(' '))));
  const inItem = rare ?? new Set(foldedWords(fold(hit.question)));
  const inSpan = rare ?? new Set(foldedWords(fold(span)));
  if (hit.measured !== null) output.line(output.paint('faint', safe(measuredLine(hit.measured))));
  output.line(
    `${output.paint('faint', hit.field.padEnd(10))}${output.paint('faint', safe(before))}${marked(output, span, inItem, 'bad')}${output.paint('faint', safe(after))}`,
  );
  output.line(
    `${output.paint('faint', 'item'.padEnd(10))}${marked(output, hit.question.slice(0, longest), inSpan, 'bad')}`,
  );
  for (const option of hit.options) output.line(`${''.padEnd(10)}${output.paint('faint', `· ${safe(option)}`)}`);
}

/** The text with the words that the other one has in a tone. */
function marked(output: Output, text: string, others: ReadonlySet<string>, tone: Tone): string {
  return text
    .split(/(\s+)/)
    .map((part) => {
      const words = foldedWords(fold(part));
      const isShared = words.length > 0 && words.every((word) => others.has(word));
      return output.paint(isShared ? tone : 'plain', safe(part.replace(/\s+/g, ' ')));
    })
    .join('');
}

/** Code points shown before and after a span, and of a span or item at most. */
const around = 120;
const longest = 1_200;
