import { type Asker, askerSettings, type NamedModel, withAsker } from '../../llm/asker.js';
import type { CallingOptions } from '../../llm/options.js';
import { BudgetReached } from '../../llm/spending.js';
import type { StageContext } from '../../pipeline/stage.js';
import { Problem } from '../../problem.js';
import type { Doubt, DoubtCandidate, Pair, RuleOnDoubts, Ruling } from './doubt.js';
import type { JudgeOption } from './judge-options.js';
import { type Comparison, isSame, judgeQuestion, keyOfComparison, questionsPerCall } from './judge-question.js';

/** Prompts whose questions are in memory at a time. */
const promptsAtOnce = 4_096;

/** Who judges, how they are called, and where answers are kept. */
export interface JudgeSettings {
  named: NamedModel;
  calling: CallingOptions;
  /** A ledger that several runs share; null: the run's own, which `classify` writes to as well. */
  votes: string | null;
}

/** Who rules on the band of doubt; null: nobody, and the band is reported as it is. */
export function ruleOnDoubts(options: { judge: JudgeOption }, context: StageContext): RuleOnDoubts | null {
  const settings = judgeSettings(options, context);
  if (settings === null) return null;
  return (doubts) => {
    const { named, calling, votes } = settings;
    const files = {
      // One ledger and one account for all that a run folder asks of models.
      ledger: votes === null ? context.run.state('classify', 'votes.jsonl') : context.resolve(votes),
      spent: context.run.state('classify', 'spent.jsonl'),
    };
    return withAsker(askerSettings(named, calling, files, context), judgeQuestion, async (asker) => ({
      ruling: await judgeDoubts(doubts, asker, context),
      took: asker.took(),
    }));
  };
}

/** The same without a run folder, for a judge that has a server of its own. Answers are kept in the files named. */
export function ruleWithOwnJudge(
  judge: Exclude<JudgeOption, boolean>,
  files: { ledger: string; spent: string },
  effects: Pick<StageContext, 'expand' | 'signal' | 'progress'>,
): RuleOnDoubts {
  const { endpoint, key, model, votes, ...calling } = judge;
  const settings = askerSettings(
    { option: '--judge', endpoint, key, model },
    calling,
    { ...files, ledger: votes ?? files.ledger },
    effects,
  );
  return (doubts) =>
    withAsker(settings, judgeQuestion, async (asker) => ({
      ruling: await judgeDoubts(doubts, asker, effects),
      took: asker.took(),
    }));
}

/** Throws a Problem where a judge is wanted and there is no model to ask. */
export function checkJudge(options: { judge: JudgeOption }, context: StageContext): void {
  judgeSettings(options, context);
}

/**
 * The candidates of a prompt are judged several in one call, the likeliest first; once one is found to be the same question
 * no more is asked about the prompt. What a judge could not say (an invalid answer) is no ruling.
 */
export async function judgeDoubts(
  doubts: AsyncIterable<Doubt>,
  asker: Asker<Comparison>,
  context: Pick<StageContext, 'progress'>,
): Promise<Ruling> {
  const ruling: Ruling = { same: [], open: [], cleared: 0 };
  let judged = 0;
  for await (const batch of batches(doubts, promptsAtOnce)) {
    let open = batch.map(({ promptKey, prompt, candidates }) => ({ promptKey, prompt, left: candidates }));
    while (open.length > 0) {
      const asked = open.map((each) => ({ each, ...nextOf(each.prompt, each.left) }));
      await ask(asker, asked, (done) => context.progress({ done: judged + done, total: null, unit: 'doubts' }));
      judged += asked.length;
      open = asked.flatMap(({ each, key, candidates }) => {
        const label = asker.known(key) ?? null;
        const pair = ({ benchmark, itemId }: DoubtCandidate): Pair => ({
          promptKey: each.promptKey,
          benchmark,
          itemId,
        });
        candidates.forEach((candidate, place) => {
          if (label === null) ruling.open.push(pair(candidate));
          else if (isSame(label, place)) ruling.same.push(pair(candidate));
          else ruling.cleared += 1;
        });
        const left = each.left.slice(candidates.length);
        if (label === null || label === 'none') return left.length === 0 ? [] : [{ ...each, left }];
        ruling.open.push(...left.map(pair));
        return [];
      });
    }
  }
  return ruling;
}

// ---------------------------------------------------------------------------------------------------------------------

/** The judge of `reworded.judge`: one of its own, or with `true` the model that `classify` asks. */
function judgeSettings({ judge }: { judge: JudgeOption }, context: StageContext): JudgeSettings | null {
  if (judge === false) return null;
  if (judge !== true) {
    const { endpoint, key, model, votes = null, ...calling } = judge;
    return { named: { option: 'decontam.reworded.judge.endpoint', endpoint, key, model }, calling, votes };
  }
  const classify = classifyOf(context);
  if (classify === null) {
    throw new Problem('reworded: judge has no model to ask', {
      where: 'decontam.reworded.judge: true',
      found: 'no classify: {labeler: llm, endpoint: …, model: …} in the pipeline',
      try: 'judge: {endpoint: ${CURATE_LLM_URL}, model: …}, or judge: false: the band of doubt is then reported as uncertain',
    });
  }
  const { endpoint, key, model, votes = null, ...calling } = classify;
  return { named: { option: 'classify.endpoint', endpoint, key, model }, calling, votes };
}

type ClassifyPart = CallingOptions & { endpoint: string; key?: string; model: string; votes?: string };

/** What `classify` says of its endpoint: parsed there, so that the defaults are in it. */
function classifyOf(context: StageContext): ClassifyPart | null {
  const options = context.options.classify as Partial<ClassifyPart> | undefined;
  return options?.endpoint === undefined || options.model === undefined ? null : (options as ClassifyPart);
}

async function ask(
  asker: Asker<Comparison>,
  asked: readonly { key: string; comparison: Comparison }[],
  heard: (done: number) => void,
): Promise<void> {
  const unknown = new Map<string, Comparison>();
  for (const { key, comparison } of asked) if (asker.known(key) === undefined) unknown.set(key, comparison);
  if (unknown.size === 0) return;
  async function* subjects() {
    for (const [key, subject] of unknown) yield { key, subject };
  }
  try {
    await asker.ask(subjects(), heard);
  } catch (error) {
    if (!(error instanceof BudgetReached)) throw error;
    const left = asked.filter(({ key }) => asker.known(key) === undefined).length;
    const { calls, inputTokens, outputTokens, money } = asker.took().spent;
    const paid = money === null ? '' : `, ${money.toFixed(4)} in money`;
    throw new Problem('the budget for judging reworded questions is used up', {
      where: error.message,
      found: `${calls} calls, ${inputTokens + outputTokens} tokens${paid}; at least ${left} more calls are needed`,
      try: 'a higher budget: every answer is kept, and the same command goes on from there',
    });
  }
}

function nextOf(
  prompt: string,
  left: readonly DoubtCandidate[],
): { key: string; comparison: Comparison; candidates: readonly DoubtCandidate[] } {
  const candidates = left.slice(0, questionsPerCall);
  const comparison = { prompt, questions: candidates.map(({ text }) => text) };
  return { key: keyOfComparison(comparison), comparison, candidates };
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
