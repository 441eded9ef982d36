import { join } from 'node:path';
import { labelOf } from '../../compute/local-model.js';
import { openPool } from '../../compute/pool.js';
import { workerFile } from '../../product.js';
import { VARCHAR } from '../../store/duckdb.js';
import { sha256 } from '../../store/fingerprint.js';
import { parquet, Tables } from '../../store/tables.js';
import { countCodePoints } from '../../text/code-points.js';
import { languageOf } from '../../text/language.js';
import { type Batch, batches } from '../batches.js';
import type { DataFile } from '../data-file.js';
import { type JudgedItems, shareItems } from '../item-memory.js';
import type { Hit } from '../judge.js';
import type { RewordedOptions } from '../options.js';
import type { RewordedCoverage } from './conclude.js';
import type { FindTask, FoundRows } from './find-worker.js';
import { languagesOf, readsLanguage } from './languages.js';
import { bandTable, countBands, limitsOf, nearScore, rewordedName } from './limits.js';
import { embedItems } from './shards.js';
import { candidateColumns } from './table.js';
import type { BenchmarkTails } from './tails.js';

export interface RewordedHits {
  /** The method's hits on a prompt; those in doubt only where nothing else flags it. */
  of(prompt: string): Hit[];
  coverage: RewordedCoverage;
}

/** Rows of candidates that are in memory before they are written. */
const rowsPerPart = 200_000;

/** Looks for rewordings in files of any kind: writes `candidates.parquet` into the output folder and gives the hits. */
export async function findReworded(
  files: readonly DataFile[],
  items: JudgedItems,
  options: RewordedOptions,
  settings: { out: string; temporaryFolder: string; workers: number },
  tables: Tables,
): Promise<RewordedHits> {
  const all = items.loaded.flatMap((each) => each.items);
  await embedItems(all, options, { compute: 'native', workers: settings.workers });
  const pool = openPool<FindTask, FoundRows | BenchmarkTails[]>(
    workerFile('decontam/reworded/find-worker'),
    settings.workers,
  );
  const output = await Tables.open({ temporaryFolder: settings.temporaryFolder });
  try {
    const shared = shareItems(items);
    const own = pool.run([{ items: shared, options, ask: 'tails' }]) as Promise<BenchmarkTails[][]>;
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
    const underWay: { batch: Batch; found: Promise<(FoundRows | BenchmarkTails[])[]> }[] = [];
    const settle = async () => {
      const first = underWay.shift();
      if (first !== undefined) await record(first.batch, ((await first.found)[0] ?? []) as FoundRows);
    };
    const read = { rows: 0, unreadable: {}, files: files.map(() => ({ rows: 0 })) };
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
    const [tails = []] = await own;
    const limits = await limitsOf(output, keyed, tails, count.prompts - count.unread, options);
    await output.run(bandTable(keyed, limits, []));
    const hits = new Map<string, Omit<Hit, 'start' | 'end' | 'count' | 'text'>[]>();
    for await (const rows of output.stream(
      'SELECT DISTINCT prompt_key, benchmark, item, score, band, rank FROM band ORDER BY prompt_key, rank',
    ))
      for (const { prompt_key, benchmark, item, score, band } of rows) {
        const known = hits.get(String(prompt_key)) ?? [];
        known.push({ method: String(band), benchmark: String(benchmark), item: String(item), score: Number(score) });
        hits.set(String(prompt_key), known);
      }
    const near = await output.row<{ prompts: number }>(
      `SELECT count(DISTINCT prompt_key) AS prompts FROM band WHERE abs(score - threshold) <= ${nearScore}`,
    );
    const flagged = [...hits.values()].filter((each) => each.some(({ method }) => method === rewordedName)).length;
    return {
      of: (prompt) =>
        (hits.get(keyOf(prompt)) ?? []).map((hit) => ({
          ...hit,
          start: 0,
          end: countCodePoints(prompt),
          count: 1,
          text: prompt,
        })),
      coverage: {
        model: labelOf(options.model),
        languages: languagesOf(options)?.join(' ') ?? 'all',
        false_alarms: options.false_alarms,
        prompts: count.prompts,
        prompts_not_read: count.unread,
        benchmarks: limits.map((each) => ({
          name: each.tails.benchmark,
          items: each.tails.items,
          threshold: each.threshold,
          doubt: each.doubt,
          moved: each.moved,
        })),
        prompts_hit: flagged,
        prompts_uncertain: hits.size - flagged,
        prompts_near: near.prompts,
        bands: await countBands(output, keyed, limits),
        judged: null,
      },
    };
  } finally {
    await pool.close();
    output.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

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
