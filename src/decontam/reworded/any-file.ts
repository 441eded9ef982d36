import { join } from 'node:path';
import { labelOf } from '../../compute/local-model.js';
import { openPool } from '../../compute/pool.js';
import type { Took } from '../../llm/asker.js';
import { workerFile } from '../../product.js';
import { VARCHAR } from '../../store/duckdb.js';
import { sha256 } from '../../store/fingerprint.js';
import { parquet, Tables } from '../../store/tables.js';
import { countCodePoints } from '../../text/code-points.js';
import { languageOf } from '../../text/language.js';
import { type Batch, batches } from '../batches.js';
import type { DataFile } from '../data-file.js';
import { type JudgedItems, shareItems } from '../item-memory.js';
import type { Item } from '../items.js';
import type { Hit } from '../judge.js';
import type { RewordedOptions } from '../options.js';
import type { SelfTestResult } from '../self-test.js';
import type { StandAloneSummary } from '../stand-alone.js';
import { type RewordedCoverage, rewordedWarnings } from './conclude.js';
import type { Doubt, DoubtCandidate, Pair, Ruling } from './doubt.js';
import type { FindTask, FoundRows, OwnSigns } from './find-worker.js';
import { ruleWithOwnJudge } from './judge-doubts.js';
import { languagesOf, readsLanguage } from './languages.js';
import { bandTable, countBands, limitsOf, nearScore, rewordedName, uncertainName } from './limits.js';
import { plantedResults, plantedWarnings } from './planted.js';
import { embedItems } from './shards.js';
import { candidateColumns } from './table.js';

export interface RewordedHits {
  /** The method's hits on a prompt; those in doubt only where nothing else flags it. */
  of(prompt: string): Hit[];
  coverage: RewordedCoverage;
  selfTest: SelfTestResult[];
  warnings: string[];
  /** What a judge cost; null where none was asked. */
  judge: StandAloneSummary['judge'];
}

type Found = Omit<Hit, 'start' | 'end' | 'count' | 'text'> & { rank: number };

/** Rows of candidates that are in memory before they are written. */
const rowsPerPart = 200_000;

/** Looks for rewordings in files of any kind: writes `candidates.parquet` into the output folder and gives the hits. */
export async function findReworded(
  files: readonly DataFile[],
  items: JudgedItems,
  options: RewordedOptions,
  settings: { out: string; temporaryFolder: string; workers: number; seed: number; perKind: number },
  tables: Tables,
): Promise<RewordedHits> {
  const all = items.loaded.flatMap((each) => each.items);
  await embedItems(all, options, { compute: 'native', workers: settings.workers });
  const pool = openPool<FindTask, FoundRows | OwnSigns>(workerFile('decontam/reworded/find-worker'), settings.workers);
  const output = await Tables.open({ temporaryFolder: settings.temporaryFolder });
  try {
    const shared = shareItems(items);
    const { seed, perKind } = settings;
    const own = pool.run([{ items: shared, options, ask: 'own', seed, perKind }]) as Promise<OwnSigns[]>;
    const writer = await output.writer({ prompt_key: VARCHAR, id: VARCHAR, ...candidateColumns });
    const parts: string[] = [];
    const flush = async () => {
      parts.push(join(settings.temporaryFolder, `candidates-${String(parts.length).padStart(5, '0')}.parquet`));
      await writer.writeTo(parts.at(-1) as string);
    };
    const count = { prompts: 0, unread: 0 };
    const record = async (batch: Batch, found: FoundRows) => {
      for (const [place, rows] of found.entries())
        for (const row of rows)
          await writer.append({
            prompt_key: keyOf(batch.texts[place] as string),
            id: batch.places[place]?.id ?? '',
            ...row,
          });
      if (writer.rowCount > rowsPerPart) await flush();
    };
    const underWay: { batch: Batch; found: Promise<(FoundRows | OwnSigns)[]> }[] = [];
    const settle = async () => {
      const first = underWay.shift();
      if (first !== undefined) await record(first.batch, ((await first.found)[0] ?? []) as FoundRows);
    };
    const read = { rows: 0, unreadable: {}, without_text: 0, files: files.map(() => ({ rows: 0 })) };
    for await (const batch of batches(files, { traces: false }, tables, read)) {
      const kept = readable(batch, options);
      count.prompts += batch.texts.length;
      count.unread += batch.texts.length - kept.texts.length;
      underWay.push({ batch: kept, found: pool.run([{ items: shared, options, ask: 'texts', texts: kept.texts }]) });
      if (underWay.length > settings.workers * 2) await settle();
    }
    while (underWay.length > 0) await settle();
    await flush();
    const keyed = join(settings.temporaryFolder, 'candidates.parquet');
    await output.copy(`SELECT * FROM ${parquet(parts)}`, keyed);
    await output.copy(
      `SELECT * EXCLUDE (prompt_key) FROM ${parquet([keyed])}`,
      join(settings.out, 'candidates.parquet'),
    );
    const [{ tails, planted } = { tails: [], planted: [] }] = await own;
    const limits = await limitsOf(output, keyed, tails, count.prompts - count.unread, options);
    await output.run(bandTable(keyed, limits, []));
    const hits = new Map<string, Found[]>();
    for await (const rows of output.stream(
      'SELECT DISTINCT prompt_key, benchmark, item, score, band, rank FROM band ORDER BY prompt_key, rank',
    ))
      for (const { prompt_key, benchmark, item, score, band, rank } of rows) {
        const known = hits.get(String(prompt_key)) ?? [];
        known.push({
          method: String(band),
          benchmark: String(benchmark),
          item: String(item),
          score: Number(score),
          rank: Number(rank),
        });
        hits.set(String(prompt_key), known);
      }
    const judged =
      typeof options.judge === 'boolean'
        ? null
        : await ruleWithOwnJudge(
            options.judge,
            { ledger: join(settings.out, 'votes.jsonl'), spent: join(settings.out, 'spent.jsonl') },
            { expand: (text) => text, progress: () => {}, signal: new AbortController().signal },
          )(doubts(files, hits, all, tables));
    if (judged !== null) applyRuling(hits, judged.ruling);
    const near = await output.row<{ prompts: number }>(
      `SELECT count(DISTINCT prompt_key) AS prompts FROM band WHERE abs(score - threshold) <= ${nearScore}`,
    );
    const flagged = [...hits.values()].filter((each) => each.some(({ method }) => method === rewordedName)).length;
    const coverage: RewordedCoverage = {
      model: labelOf(options.model),
      languages: languagesOf(options)?.join(' ') ?? 'all',
      false_alarms: options.false_alarms,
      prompts: count.prompts,
      prompts_not_read: count.unread,
      benchmarks: limits.map(({ benchmark, items: counted, threshold, doubt, moved }) => ({
        name: benchmark,
        items: counted,
        threshold,
        doubt,
        moved,
      })),
      prompts_hit: flagged,
      prompts_uncertain: hits.size - flagged,
      prompts_near: near.prompts,
      bands: await countBands(output, keyed, limits),
      judged: judged === null ? null : { same_question: judged.ruling.same.length, same_topic: judged.ruling.cleared },
    };
    const selfTest = plantedResults(planted, limits);
    return {
      of: (prompt) =>
        (hits.get(keyOf(prompt)) ?? []).map(({ rank: _, ...hit }) => ({
          ...hit,
          start: 0,
          end: countCodePoints(prompt),
          count: 1,
          text: prompt,
        })),
      coverage,
      selfTest,
      warnings: [...rewordedWarnings(coverage), ...plantedWarnings(selfTest)],
      judge: judged === null ? null : spentOf(judged.took),
    };
  } finally {
    await pool.close();
    output.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function spentOf({ spent }: Took): StandAloneSummary['judge'] {
  const { calls, inputTokens, outputTokens, money } = spent;
  return { calls, input_tokens: inputTokens, output_tokens: outputTokens, money };
}

/** The prompts in doubt in the order of the data, each once, the likeliest candidate first. */
async function* doubts(
  files: readonly DataFile[],
  hits: ReadonlyMap<string, readonly Found[]>,
  items: readonly Item[],
  tables: Tables,
): AsyncGenerator<Doubt> {
  const places = new Map(items.map((item, place) => [JSON.stringify([item.benchmark, item.item]), place]));
  const seen = new Set<string>();
  const read = { rows: 0, unreadable: {}, without_text: 0, files: files.map(() => ({ rows: 0 })) };
  for await (const batch of batches(files, { traces: false }, tables, read))
    for (const prompt of batch.texts) {
      const promptKey = keyOf(prompt);
      const found = (hits.get(promptKey) ?? []).filter(({ method }) => method === uncertainName);
      if (found.length === 0 || seen.has(promptKey)) continue;
      seen.add(promptKey);
      const candidates = found.flatMap(({ benchmark, item: itemId, score, rank }): DoubtCandidate[] => {
        const item = places.get(JSON.stringify([benchmark, itemId])) ?? -1;
        const known = items[item];
        if (known === undefined) return [];
        return [{ item, benchmark, itemId, text: [known.question, ...known.options].join('\n'), score, rank }];
      });
      yield { promptKey, prompt, candidates: candidates.sort((a, b) => b.score - a.score || a.rank - b.rank) };
    }
}

/** What is the same question becomes a hit, what nobody could say stays in doubt, the rest goes. */
function applyRuling(hits: Map<string, Found[]>, { same, open }: Ruling): void {
  const keyOfPair = ({ promptKey, benchmark, itemId }: Pair) => JSON.stringify([promptKey, benchmark, itemId]);
  const [isSame, isOpen] = [new Set(same.map(keyOfPair)), new Set(open.map(keyOfPair))];
  for (const [promptKey, found] of hits) {
    const kept = found.flatMap((hit): Found[] => {
      if (hit.method !== uncertainName) return [hit];
      const pair = keyOfPair({ promptKey, benchmark: hit.benchmark, itemId: hit.item });
      if (isSame.has(pair)) return [{ ...hit, method: rewordedName }];
      return isOpen.has(pair) ? [hit] : [];
    });
    if (kept.length === 0) hits.delete(promptKey);
    else hits.set(promptKey, kept);
  }
}

/** The texts of a batch that the model reads. */
function readable(batch: Batch, options: RewordedOptions): Batch {
  const kept = batch.texts.map((text) => readsLanguage(options, languageOf(text)));
  return {
    file: batch.file,
    texts: batch.texts.filter((_, place) => kept[place]),
    places: batch.places.filter((_, place) => kept[place]),
  };
}

function keyOf(text: string): string {
  return sha256(text).slice(0, 32);
}
