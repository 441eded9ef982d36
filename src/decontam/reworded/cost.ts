import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { RunFolder } from '../../store/folder.js';
import { type DecontamOptions, rewordedOptions } from '../options.js';
import { isReworded } from '../presets.js';
import { doubtShare, doubtShares } from './doubt.js';
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

// -- private

function bandsOf(run: RunFolder): JudgeCost['bands'] | null {
  const file = run.table('coverage.json');
  if (!existsSync(file)) return null;
  const parsed = counted.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success ? parsed.data.reworded.bands.map(({ doubt, prompts }) => ({ doubt, calls: prompts })) : null;
}
