import { literal, parquet, type Tables } from '../../store/tables.js';
import type { RewordedOptions } from '../options.js';
import { doubtFrom, type RunTails, tailLength, tailThreshold, thresholdFor } from './calibrate.js';
import type { RewordedCoverage } from './conclude.js';
import { doubtShare, doubtShares } from './doubt.js';
import { nats, scoreAt } from './score.js';
import type { BenchmarkTails } from './tails.js';

/** The method's name in hits, and that of what lies in the band of doubt: no rule, so it drops nothing. */
export const rewordedName = 'reworded';
export const uncertainName = 'uncertain';

/** Scores that another kind of CPU may put on the other side of a threshold lie this near to it, in percent. */
export const nearScore = 0.01;

/** What a run's prompts are held against, per benchmark. Scores in percent. */
export interface Limit {
  benchmark: string;
  items: number;
  threshold: number;
  doubt: number;
  /** How far the run's own prompts moved the threshold, in nats. */
  moved: number;
  /** Where other bands of doubt would begin, by the share of prompts that are no leak and may lie in them. */
  bands: { share: number; from: number }[];
}

/** The thresholds of each benchmark for the candidates in a file, which are those of so many prompts. */
export async function limitsOf(
  tables: Tables,
  path: string,
  tails: readonly BenchmarkTails[],
  prompts: number,
  options: RewordedOptions,
): Promise<Limit[]> {
  const rate = options.false_alarms;
  const share = doubtShare(options);
  const shares = [...new Set([...doubtShares, share])].sort((a, b) => a - b);
  const limits: Limit[] = [];
  for (const { benchmark, items, firsts, seconds } of tails) {
    const own = { first: tailThreshold(firsts, items, rate), second: tailThreshold(seconds, items, rate) };
    const run = await runTails(tables, path, benchmark, prompts, rate);
    const threshold = await thresholdFor(own, run, rate);
    const begins = new Map<number, number>();
    for (const each of shares) begins.set(each, await doubtFrom(each, threshold, firsts, items, run));
    const from = (of: number) => scoreAt(begins.get(of) ?? threshold);
    limits.push({
      benchmark,
      items,
      threshold: scoreAt(threshold),
      doubt: from(share),
      moved: Number((threshold - own.first).toPrecision(4)),
      bands: shares.map((each) => ({ share: each, from: from(each) })),
    });
  }
  return limits;
}

/**
 * A table `band`: the candidates at or above a threshold, in their order. In doubt is a prompt that nothing flags: neither
 * another method nor this one.
 */
export function bandTable(path: string, limits: readonly Limit[], hits: readonly string[]): string {
  const values = limits
    .map(({ benchmark, threshold, doubt }) => `(${literal(benchmark)}, ${threshold}::DOUBLE, ${doubt}::DOUBLE)`)
    .join(', ');
  // Hits in a prompt, of any other method.
  const known =
    hits.length === 0
      ? `SELECT NULL::VARCHAR AS prompt_key WHERE false`
      : `SELECT prompt_key FROM ${parquet(hits)} WHERE id IS NULL`;
  return `CREATE TEMP TABLE near AS
    WITH limits(name, threshold, doubt) AS (VALUES ${values})
    SELECT c.file_row_number AS place, c.prompt_key, c.benchmark, c.item, c.rank, c.score, l.threshold,
        CASE WHEN c.score >= l.threshold THEN ${literal(rewordedName)} ELSE ${literal(uncertainName)} END AS band
      FROM ${parquet([path], 'file_row_number=true')} c JOIN limits l ON l.name = c.benchmark WHERE c.score >= l.doubt;
    CREATE TEMP TABLE flagged AS
      SELECT DISTINCT prompt_key FROM near WHERE band = ${literal(rewordedName)} UNION ${known};
    CREATE TEMP TABLE band AS
      SELECT * FROM near WHERE band = ${literal(rewordedName)} OR prompt_key NOT IN (SELECT prompt_key FROM flagged)
      ORDER BY place`;
}

/** How many prompts each band would hold: those in which something reaches it and nothing is flagged. */
export async function countBands(
  tables: Tables,
  path: string,
  limits: readonly Limit[],
): Promise<RewordedCoverage['bands']> {
  const values = limits.flatMap(({ benchmark, bands }) =>
    bands.map(({ share, from }) => `(${literal(benchmark)}, ${share}::DOUBLE, ${from}::DOUBLE)`),
  );
  const rows = await tables.rows<{ doubt: number; prompts: number }>(
    `WITH bands(name, share, begin) AS (VALUES ${values.join(', ')}),
     first AS (SELECT min(b.share) AS share FROM ${parquet([path])} c JOIN bands b ON b.name = c.benchmark AND c.score >= b.begin
       WHERE c.prompt_key NOT IN (SELECT prompt_key FROM flagged) GROUP BY c.prompt_key)
     SELECT share AS doubt, (SELECT count(*) FROM first f WHERE f.share <= s.share) AS prompts
     FROM (SELECT DISTINCT share FROM bands) s ORDER BY 1`,
  );
  return rows.map(({ doubt, prompts }) => ({ doubt, prompts: Number(prompts) }));
}

// ---------------------------------------------------------------------------------------------------------------------

async function runTails(
  tables: Tables,
  path: string,
  benchmark: string,
  prompts: number,
  rate: number,
): Promise<RunTails> {
  const best = (where: string) =>
    `SELECT max(score) AS score FROM ${parquet([path])} WHERE benchmark = ${literal(benchmark)} ${where} GROUP BY prompt_key`;
  const seconds = await tables.rows<{ score: number }>(
    `${best('AND beside')} ORDER BY 1 DESC LIMIT ${tailLength(prompts, rate)}`,
  );
  await tables.run(`CREATE OR REPLACE TEMP TABLE firsts AS SELECT score FROM (${best('')}) ORDER BY score DESC`);
  const { found } = await tables.row<{ found: number }>('SELECT count(*) AS found FROM firsts');
  return {
    prompts,
    seconds: seconds.map((each) => nats(each.score)),
    firsts: {
      count: Number(found),
      at: async (place) => {
        const [row] = await tables.rows<{ score: number }>(`SELECT score FROM firsts WHERE rowid = ${place}`);
        return row === undefined ? Number.NEGATIVE_INFINITY : nats(row.score);
      },
      reaching: async (score) => {
        const { count } = await tables.row<{ count: number }>(
          `SELECT count(*) AS count FROM firsts WHERE score >= ${scoreAt(score)}::DOUBLE`,
        );
        return Number(count);
      },
    },
  };
}
