import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { embeddingFlop } from '../../compute/graph.js';
import { openModel } from '../../compute/local-model.js';
import { miniLm } from '../../compute/weights.js';
import type { StageContext } from '../../pipeline/stage.js';
import type { RunFolder } from '../../store/folder.js';
import { findBenchmarks } from '../benchmarks.js';
import { loadBenchmarks } from '../items.js';
import { type DecontamOptions, rewordedOptions } from '../options.js';
import { isReworded } from '../presets.js';
import { doubtShare, doubtShares } from './doubt.js';
import { embeddedTexts } from './finder.js';
import { judgeQuestion } from './judge-question.js';

export interface JudgeCost {
  /** Calls with the band as the pipeline has it, and at most: an answer that says nothing is asked for once more. */
  calls: { expected: number; most: number };
  /** What other bands would cost, and whether that was counted in a run folder or is an estimate. */
  bands: { doubt: number; calls: number }[];
  counted: boolean;
  /** Of the expected calls. */
  tokens: { input: number; output: number };
}

/** As measured (docs/decontam.md): tokens of a prompt and of a question, questions in a call. */
const promptTokens = 150;
const questionTokens = 230;
const questionsInCall = 1.3;
const bytesPerToken = 4.2;

/** Of the method itself, without a judge. */
export interface RewordedCost {
  /** Of embedding prompts that `embed` does not, and the items; and of the products of all prompts with all items. */
  embedGflop: number;
  searchGflop: number;
  /** Of one core beyond the products: words, features, reading vectors. */
  wordSeconds: number;
  memoryBytes: number;
}

/** What is left of the measured time of a prompt (docs/decontam.md) without the product. */
const wordSecondsPerPrompt = 0.0004;
/** Of a thread, assumed: session and tokenizer, an item's words, and its vectors twice, in the product and to read. */
const sessionBytes = 420e6;
const itemBytes = 6_000;

/**
 * What finding candidates takes. `embedded`: prompts whose vectors `embed` makes; `tokens`: of a prompt on average. Null
 * where the method is not asked for, or a benchmark is not there.
 */
export async function rewordedCost(
  size: { prompts: number; embedded: number; tokens: number; workers: number },
  options: DecontamOptions,
  context: Pick<StageContext, 'resolve' | 'openTables'>,
): Promise<RewordedCost | null> {
  if (!isReworded(options)) return null;
  const { model } = rewordedOptions(options, context.resolve);
  const { shape, dimensions } = await openModel(model);
  const tables = await context.openTables();
  try {
    const loaded = await loadBenchmarks(findBenchmarks(options.benchmarks, context.resolve), tables);
    const items = loaded.flatMap((each) => each.items);
    const texts = items.flatMap(embeddedTexts);
    const itemGflop =
      texts.reduce(
        (sum, text) => sum + embeddingFlop(Math.min(shape.tokens, text.length / charactersPerToken + 2), shape),
        0,
      ) / 1e9;
    // Vectors of another model than that of `embed` are none of its.
    const left = model === miniLm.name ? Math.max(0, size.prompts - size.embedded) : size.prompts;
    const vectorBytes = 2 * texts.length * dimensions * 4;
    return {
      embedGflop: itemGflop + (left * embeddingFlop(size.tokens, shape)) / 1e9,
      searchGflop: (size.prompts * texts.length * dimensions * 2) / 1e9,
      wordSeconds: size.prompts * wordSecondsPerPrompt,
      memoryBytes: 150e6 + size.workers * (sessionBytes + vectorBytes + items.length * itemBytes),
    };
  } finally {
    tables.close();
  }
}

const charactersPerToken = 4.4;

const counted = z.object({
  reworded: z.object({ bands: z.array(z.object({ doubt: z.number(), prompts: z.number() })) }),
});

/** What a judge of the band of doubt would take; null where none is asked. `run`: where candidates may be counted already. */
export function judgeCost(prompts: number, options: DecontamOptions, run: RunFolder | null): JudgeCost | null {
  if (!isReworded(options)) return null;
  const reworded = rewordedOptions(options);
  if (reworded.judge === false) return null;
  const share = doubtShare(reworded);
  const known = run === null ? null : bandsOf(run);
  const shares = [...new Set([...doubtShares, share])].sort((a, b) => a - b);
  // Shares are per benchmark, and a prompt that is near to two of them is one call.
  const bands =
    known ??
    shares.map((doubt) => ({
      doubt,
      calls: Math.round(prompts * (1 - (1 - doubt) ** options.benchmarks.length)),
    }));
  const expected = bands.find(({ doubt }) => doubt === share)?.calls ?? prompts;
  const fixed = judgeQuestion
    .messages({ prompt: '', questions: [] })
    .reduce((sum, { content }) => sum + content.length, 0);
  const input = expected * (fixed / bytesPerToken + promptTokens + questionsInCall * questionTokens);
  return {
    calls: { expected, most: expected * 2 },
    bands,
    counted: known !== null,
    tokens: { input: Math.round(input), output: expected * 10 },
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function bandsOf(run: RunFolder): JudgeCost['bands'] | null {
  const file = run.table('coverage.json');
  if (!existsSync(file)) return null;
  const parsed = counted.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success ? parsed.data.reworded.bands.map(({ doubt, prompts }) => ({ doubt, calls: prompts })) : null;
}
