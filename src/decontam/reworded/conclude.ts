import { labelOf } from '../../compute/local-model.js';
import type { Took } from '../../llm/asker.js';
import type { StageContext } from '../../pipeline/stage.js';
import type { Json } from '../../store/fingerprint.js';
import { literal, parquet, type Tables } from '../../store/tables.js';
import { countCodePoints } from '../../text/code-points.js';
import { formatNumber } from '../../text/number.js';
import { hitColumns, hitValues } from '../hit-columns.js';
import type { Item, LoadedBenchmark } from '../items.js';
import type { RewordedOptions } from '../options.js';
import type { SelfTestResult } from '../self-test.js';
import { chosenPrompts } from '../texts.js';
import type { Doubt, DoubtCandidate, Pair } from './doubt.js';
import { ruleOnDoubts } from './judge-doubts.js';
import { languagesOf } from './languages.js';
import { bandTable, countBands, limitsOf, nearScore, rewordedName, uncertainName } from './limits.js';
import { plantedResults, plantedWarnings } from './planted.js';
import type { RewordedReport } from './shards.js';

/** What coverage says of the method. */
export interface RewordedCoverage {
  [key: string]: Json;
  model: string;
  /** That it reads, by their codes, or `all`. */
  languages: string;
  false_alarms: number;
  prompts: number;
  /** Prompts in a language that the model does not read: the method did not look into them. */
  prompts_not_read: number;
  benchmarks: { name: string; items: number; threshold: number; doubt: number; moved: number }[];
  /** Prompts with a hit, prompts in doubt, and prompts with a score so near a threshold that another CPU might differ. */
  prompts_hit: number;
  prompts_uncertain: number;
  prompts_near: number;
  /** How many prompts other bands of doubt would hold, each a call where a judge is asked. */
  bands: { doubt: number; prompts: number }[];
  /** Prompts of the band that a judge cleared, or found to be leaks. */
  judged: { same_question: number; same_topic: number } | null;
}

export interface Conclusion {
  coverage: RewordedCoverage;
  selfTest: SelfTestResult[];
  warnings: string[];
  /** What a judge cost. */
  notes: { [name: string]: Json };
}

/** Merges the shards, sets the thresholds, and writes the hits of the method and of its band of doubt. */
export async function concludeReworded(
  reports: readonly RewordedReport[],
  loaded: readonly LoadedBenchmark[],
  options: RewordedOptions,
  context: StageContext,
): Promise<Conclusion> {
  const { run } = context;
  const rule = ruleOnDoubts(options, context);
  const files = run.files('candidates');
  const tails = reports.flatMap((report) => report.tails ?? []);
  const prompts = sum(reports, 'prompts');
  const unread = sum(reports, 'unread');
  // One thread: a scan in the order of the files, which is that of the prompts.
  const tables = await context.openTables();
  const texts = await context.openTables();
  const output = await context.openTables();
  try {
    await tables.copy(`SELECT * FROM ${parquet(files)}`, run.table('candidates.parquet'));
    const limits = await limitsOf(tables, run.table('candidates.parquet'), tails, prompts - unread, options);
    await tables.run(bandTable(run.table('candidates.parquet'), limits, run.files('hits')));
    await texts.run(bandTable(run.table('candidates.parquet'), limits, run.files('hits')));
    const items = new Map<string, { place: number; item: Item }>();
    for (const item of loaded.flatMap((each) => each.items))
      items.set(keyOf(item.benchmark, item.item), { place: items.size, item });
    const judged = rule === null ? null : await rule(doubts(tables, texts, context, items));
    const same = new Set(judged?.ruling.same.map(pairKey));
    const open = judged === null ? null : new Set(judged.ruling.open.map(pairKey));
    const writer = await output.writer(hitColumns);
    const counts = { hit: new Set<string>(), uncertain: new Set<string>() };
    for await (const { promptKey, prompt, candidates } of banded(tables, texts, context, 'true'))
      for (const each of candidates) {
        const pair = pairKey({ promptKey, benchmark: each.benchmark, itemId: each.item });
        const method = each.band === rewordedName || same.has(pair) ? rewordedName : uncertainName;
        const cleared = open !== null && !open.has(pair);
        if (method === uncertainName && cleared) continue;
        (method === rewordedName ? counts.hit : counts.uncertain).add(promptKey);
        const hit = { ...each, method, start: 0, end: countCodePoints(prompt), count: 1, text: prompt };
        await writer.append({ prompt_key: promptKey, field: 'prompt', ...hitValues(hit), id: null });
      }
    await writer.writeTo(run.file('hits', 'reworded.parquet'));
    for (const key of counts.hit) counts.uncertain.delete(key);
    const near = await tables.row<{ prompts: number }>(
      `SELECT count(DISTINCT prompt_key) AS prompts FROM band WHERE abs(score - threshold) <= ${nearScore}`,
    );
    const coverage: RewordedCoverage = {
      model: labelOf(options.model),
      languages: languagesOf(options)?.join(' ') ?? 'all',
      false_alarms: options.false_alarms,
      prompts,
      prompts_not_read: unread,
      benchmarks: limits.map(({ benchmark, items: count, threshold, doubt, moved }) => ({
        name: benchmark,
        items: count,
        threshold,
        doubt,
        moved,
      })),
      prompts_hit: counts.hit.size,
      prompts_uncertain: counts.uncertain.size,
      prompts_near: near.prompts,
      bands: await countBands(tables, run.table('candidates.parquet'), limits),
      judged: judged === null ? null : { same_question: judged.ruling.same.length, same_topic: judged.ruling.cleared },
    };
    const selfTest = plantedResults(
      reports.flatMap((report) => report.planted ?? []),
      limits,
    );
    const warnings = [...rewordedWarnings(coverage), ...plantedWarnings(selfTest)];
    return { coverage, selfTest, warnings, notes: notesOf(judged?.took) };
  } finally {
    output.close();
    texts.close();
    tables.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface Banded {
  promptKey: string;
  prompt: string;
  candidates: { benchmark: string; item: string; rank: number; score: number; band: string }[];
}

/** The prompts of the band that a condition chooses, with their candidates, in the order of the prompts table. */
async function* banded(tables: Tables, texts: Tables, context: StageContext, where: string): AsyncGenerator<Banded> {
  const rows = rowsOf(tables, where);
  let next = await rows.next();
  for await (const batch of chosenPrompts(texts, context.run, `SELECT prompt_key FROM band WHERE ${where}`))
    for (const { promptKey, text } of batch) {
      const candidates: Banded['candidates'] = [];
      while (next.done !== true && next.value.promptKey === promptKey) {
        candidates.push(next.value.candidate);
        next = await rows.next();
      }
      candidates.sort((a, b) => b.score - a.score || a.rank - b.rank);
      yield { promptKey, prompt: text, candidates };
    }
}

async function* rowsOf(
  tables: Tables,
  where: string,
): AsyncGenerator<{ promptKey: string; candidate: Banded['candidates'][number] }> {
  const select = `SELECT prompt_key, benchmark, item, rank, score, band FROM band WHERE ${where} ORDER BY place`;
  for await (const rows of tables.stream(select))
    for (const row of rows)
      yield {
        promptKey: String(row.prompt_key),
        candidate: {
          benchmark: String(row.benchmark),
          item: String(row.item),
          rank: Number(row.rank),
          score: Number(row.score),
          band: String(row.band),
        },
      };
}

async function* doubts(
  tables: Tables,
  texts: Tables,
  context: StageContext,
  items: ReadonlyMap<string, { place: number; item: Item }>,
): AsyncGenerator<Doubt> {
  for await (const { promptKey, prompt, candidates } of banded(
    tables,
    texts,
    context,
    `band = ${literal(uncertainName)}`,
  ))
    yield {
      promptKey,
      prompt,
      candidates: candidates.flatMap(({ benchmark, item, score, rank }): DoubtCandidate[] => {
        const known = items.get(keyOf(benchmark, item));
        if (known === undefined) return [];
        const text = [known.item.question, ...known.item.options].join('\n');
        return [{ item: known.place, benchmark, itemId: item, text, score, rank }];
      }),
    };
}

function notesOf(took: Took | undefined): { [name: string]: Json } {
  if (took === undefined) return {};
  const { calls, inputTokens, outputTokens, money } = took.spent;
  // Of the run folder as a whole: what classify asked counts too.
  return { judge: { calls, input_tokens: inputTokens, output_tokens: outputTokens, money, retries: took.retries } };
}

/** The sentences that a person must see. */
export function rewordedWarnings(coverage: RewordedCoverage): string[] {
  const warnings: string[] = [];
  if (coverage.prompts_not_read > 0)
    warnings.push(
      `reworded: ${formatNumber(coverage.prompts_not_read)} of ${formatNumber(coverage.prompts)} prompts are in a language that ${coverage.model} does not read and were not checked by it`,
    );
  if (coverage.prompts_uncertain > 0)
    warnings.push(
      `reworded: ${formatNumber(coverage.prompts_uncertain)} prompts lie in the band of doubt and are kept; curate review RUN hits shows them`,
    );
  return warnings;
}

function sum(reports: readonly RewordedReport[], figure: 'prompts' | 'unread'): number {
  return reports.reduce((total, report) => total + Number(report[figure] ?? 0), 0);
}

function keyOf(benchmark: string, item: string): string {
  return JSON.stringify([benchmark, item]);
}

function pairKey({ promptKey, benchmark, itemId }: Pair): string {
  return JSON.stringify([promptKey, benchmark, itemId]);
}
