import type { Json } from '../store/fingerprint.js';
import { parquet, type Tables } from '../store/tables.js';
import { changedValues } from './changed-values.js';
import { type AskedRun, askRun, fatesQuery, placeKey, readRows, seededOrder, withTables } from './fates.js';
import type { StageName } from './stage.js';
import { readStageState } from './state.js';

export interface RunDiff {
  /** Options that differ, as `filter.wait_count.at_most 47 → 30`; also seed and compute. */
  config: string[];
  /** Sources, benchmarks, models and ledgers that differ, are new or are gone. */
  inputs: string[];
  /** Tables that do not hold the same rows. */
  tables: string[];
  rows: { a: number; b: number; both: number; onlyA: number; onlyB: number };
  kept: { a: number; b: number; both: number };
  /** Rows by the first reason that they met. */
  reasons: { reason: string; a: number; b: number }[];
  sources: { source: string; rows: { a: number; b: number }; kept: { a: number; b: number } }[];
  /** Distinct prompts that both runs clustered and that carry another label now. */
  labels: { compared: number; changed: number; changes: { from: string; to: string; count: number }[] } | null;
  /** Rows that only B keeps, by what A did with them; rows that only A keeps, by what B does with them. */
  gained: RowChange;
  lost: RowChange;
  /** Rows that neither keeps, for another reason. */
  moved: { count: number; moves: { from: string; to: string; count: number }[] };
}

export interface RowChange {
  count: number;
  /** Reasons, or `absent`: the other run does not have the row. */
  reasons: Record<string, number>;
  examples: { id: string; source: string; reason: string; prompt: string }[];
}

/** What changed from run A to run B. Neither is changed. */
export async function diffRuns(folderA: string, folderB: string, exampleCount = 5): Promise<RunDiff> {
  const a = askRun(folderA);
  const b = askRun(folderB);
  return withTables(async (tables) => {
    await tables.run(`CREATE TEMP TABLE compared AS
      SELECT coalesce(x.id, y.id) AS id, coalesce(x.source, y.source) AS source,
        CASE WHEN x.id IS NULL THEN 'absent' ELSE coalesce(x.reason, 'kept') END AS a,
        CASE WHEN y.id IS NULL THEN 'absent' ELSE coalesce(y.reason, 'kept') END AS b,
        coalesce(x.file, y.file) AS file, coalesce(x.row, y.row) AS row
      FROM (${fatesQuery(a)}) x FULL JOIN (${fatesQuery(b)}) y ON x.id = y.id`);
    const counts = await tables.rows<CountRow>(
      'SELECT source, a, b, count(*) AS count FROM compared GROUP BY ALL ORDER BY ALL',
    );
    const sum = (fits: (row: CountRow) => boolean) => total(counts.filter(fits));
    return {
      config: configChanges(a, b),
      inputs: inputChanges(a, b),
      tables: tableChanges(a, b),
      rows: {
        a: sum((row) => row.a !== 'absent'),
        b: sum((row) => row.b !== 'absent'),
        both: sum((row) => row.a !== 'absent' && row.b !== 'absent'),
        onlyA: sum((row) => row.b === 'absent'),
        onlyB: sum((row) => row.a === 'absent'),
      },
      kept: {
        a: sum((row) => row.a === 'kept'),
        b: sum((row) => row.b === 'kept'),
        both: sum((row) => row.a === 'kept' && row.b === 'kept'),
      },
      reasons: reasonsOf(a, b, counts),
      sources: [...new Set(counts.map((row) => row.source))].map((source) => ({
        source,
        rows: {
          a: sum((row) => row.source === source && row.a !== 'absent'),
          b: sum((row) => row.source === source && row.b !== 'absent'),
        },
        kept: {
          a: sum((row) => row.source === source && row.a === 'kept'),
          b: sum((row) => row.source === source && row.b === 'kept'),
        },
      })),
      labels: await labelChanges(tables, a, b),
      gained: await changeOf(tables, b, a, counts, exampleCount),
      lost: await changeOf(tables, a, b, counts, exampleCount, true),
      moved: movedOf(counts),
    };
  });
}

// ---------------------------------------------------------------------------------------------------------------------

type CountRow = { source: string; a: string; b: string; count: number };

function configChanges(a: AskedRun, b: AskedRun): string[] {
  const shown = ({ pipeline }: AskedRun): Json => {
    const { filter, ...others } = pipeline.stages;
    const { order: _, ...rules } = (filter ?? {}) as { [key: string]: Json };
    const stages = filter === undefined ? others : { ...others, filter: rules };
    return { seed: pipeline.seed, compute: pipeline.compute, ...(stages as { [key: string]: Json }) };
  };
  return changedValues(shown(a), shown(b), '');
}

function inputChanges(a: AskedRun, b: AskedRun): string[] {
  const inputs = (asked: AskedRun) => {
    const found: { [name: string]: Json } = {};
    for (const name of Object.keys(asked.pipeline.stages) as StageName[]) {
      for (const input of readStageState(asked.run, name)?.inputs ?? []) {
        const revision = input.revision === undefined ? '' : `revision ${input.revision.slice(0, 12)} `;
        found[`${input.kind} ${input.name}`] = `${revision}sha256 ${input.sha256.slice(0, 12)}`;
      }
    }
    return found;
  };
  return changedValues(inputs(a), inputs(b), '');
}

function tableChanges(a: AskedRun, b: AskedRun): string[] {
  const tables = (asked: AskedRun) => {
    const names = Object.keys(asked.pipeline.stages) as StageName[];
    return Object.assign({}, ...names.map((name) => readStageState(asked.run, name)?.tables ?? {})) as {
      [table: string]: string;
    };
  };
  const [before, after] = [tables(a), tables(b)];
  return Object.keys({ ...before, ...after }).filter((table) => before[table] !== after[table]);
}

/** In the order in which reasons are tried, as the runs' own reports have it. */
function reasonsOf(a: AskedRun, b: AskedRun, counts: readonly CountRow[]): RunDiff['reasons'] {
  const known = [a, b].flatMap((asked) =>
    (['filter', 'decontam'] as const).flatMap((stage) =>
      Object.keys(readStageState(asked.run, stage)?.report.dropped ?? {}),
    ),
  );
  const found = counts.flatMap((row) => [row.a, row.b]).filter((reason) => reason !== 'kept' && reason !== 'absent');
  return [...new Set([...known, ...found])].map((reason) => ({
    reason,
    a: total(counts.filter((row) => row.a === reason)),
    b: total(counts.filter((row) => row.b === reason)),
  }));
}

async function labelChanges(tables: Tables, a: AskedRun, b: AskedRun): Promise<RunDiff['labels']> {
  if (!a.has('classify') || !b.has('classify')) return null;
  const labelled = ({ run }: AskedRun) =>
    `(SELECT prompt_key, label FROM ${parquet(run.files('clusters', 'assignments.parquet'))}
      JOIN ${parquet(run.files('labels', 'labels.parquet'))} USING (cluster_id))`;
  const pairs = await tables.rows<{ from: string; to: string; count: number }>(
    `SELECT x.label AS "from", y.label AS "to", count(*) AS count FROM ${labelled(a)} x JOIN ${labelled(b)} y USING (prompt_key)
     GROUP BY ALL ORDER BY count DESC, "from", "to"`,
  );
  const changes = pairs.filter((pair) => pair.from !== pair.to);
  return { compared: total(pairs), changed: total(changes), changes };
}

/** Rows that `keeping` keeps and `other` does not. */
async function changeOf(
  tables: Tables,
  keeping: AskedRun,
  other: AskedRun,
  counts: readonly CountRow[],
  exampleCount: number,
  keptByA = false,
): Promise<RowChange> {
  const [kept, fate] = keptByA ? (['a', 'b'] as const) : (['b', 'a'] as const);
  const reasons: Record<string, number> = {};
  for (const row of counts) {
    if (row[kept] === 'kept' && row[fate] !== 'kept') reasons[row[fate]] = (reasons[row[fate]] ?? 0) + row.count;
  }
  const chosen = await tables.rows<{ id: string; source: string; file: string; row: number; reason: string }>(
    `SELECT id, source, file, row, ${fate} AS reason FROM compared WHERE ${kept} = 'kept' AND ${fate} <> 'kept'
     ORDER BY ${seededOrder(keeping.pipeline.seed)} LIMIT ${exampleCount}`,
  );
  // The place is A's where A has the row, so that is where its text is read.
  const inA = (row: { reason: string }) => keptByA || row.reason !== 'absent';
  const [first, second] = keptByA ? [keeping, keeping] : [other, keeping];
  const texts = new Map([
    ...(await readRows<{ prompt: string }>(tables, first.run, chosen.filter(inA), ['prompt'])),
    ...(await readRows<{ prompt: string }>(
      tables,
      second.run,
      chosen.filter((row) => !inA(row)),
      ['prompt'],
    )),
  ]);
  return {
    count: Object.values(reasons).reduce((sum, each) => sum + each, 0),
    reasons,
    examples: chosen.map(({ id, source, reason, ...place }) => ({
      id,
      source,
      reason,
      prompt: texts.get(placeKey(place))?.prompt ?? '',
    })),
  };
}

function movedOf(counts: readonly CountRow[]): RunDiff['moved'] {
  const found = new Map<string, { from: string; to: string; count: number }>();
  for (const { a, b, count } of counts) {
    if (a === b || a === 'kept' || b === 'kept' || a === 'absent' || b === 'absent') continue;
    const move = found.get(`${a} ${b}`) ?? { from: a, to: b, count: 0 };
    move.count += count;
    found.set(`${a} ${b}`, move);
  }
  const moves = [...found.values()].sort((x, y) => y.count - x.count || (x.from + x.to < y.from + y.to ? -1 : 1));
  return { count: total(moves), moves };
}

function total(rows: readonly { count: number }[]): number {
  return rows.reduce((sum, row) => sum + row.count, 0);
}
