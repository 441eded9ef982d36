import { literal, parquet, type Tables } from '../../store/tables.js';
import type { RewordedOptions } from '../options.js';
import { tailLength, thresholdFor } from './calibrate.js';
import type { RewordedCoverage } from './conclude.js';
import { doubtShare } from './doubt.js';
import { nats, scoreAt } from './score.js';
import type { BenchmarkTails } from './tails.js';

/** The method's name in hits, and that of what lies in the band of doubt: no rule, so it drops nothing. */
export const rewordedName = 'reworded';
export const uncertainName = 'uncertain';

/** Scores that another kind of CPU may put on the other side of a threshold lie this near to it, in percent. */
export const nearScore = 0.01;

export interface Limit {
  tails: BenchmarkTails;
  /** As scores. */
  threshold: number;
  doubt: number;
  /** How far the run's own prompts moved the threshold, in nats. */
  moved: number;
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
  const limits: Limit[] = [];
  for (const own of tails) {
    const seconds = await tables.rows<{ score: number }>(
      `SELECT max(score) AS score FROM ${parquet([path])}
       WHERE beside AND benchmark = ${literal(own.benchmark)} GROUP BY prompt_key
       ORDER BY 1 DESC LIMIT ${tailLength(prompts, rate)}`,
    );
    const threshold = thresholdFor(
      own,
      seconds.map((each) => nats(each.score)),
      prompts,
      rate,
    );
    limits.push({
      tails: own,
      threshold: scoreAt(threshold),
      doubt: scoreAt(Math.min(threshold, own.bands.find((band) => band.share === share)?.from ?? threshold)),
      moved: Number((threshold - own.first).toPrecision(4)),
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
    .map(({ tails, threshold, doubt }) => `(${literal(tails.benchmark)}, ${threshold}::DOUBLE, ${doubt}::DOUBLE)`)
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
  const values = limits.flatMap(({ tails, threshold }) =>
    tails.bands.map(
      ({ share, from }) =>
        `(${literal(tails.benchmark)}, ${share}::DOUBLE, ${Math.min(threshold, scoreAt(from))}::DOUBLE)`,
    ),
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
