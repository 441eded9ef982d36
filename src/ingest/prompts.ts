import { literal, type Tables } from '../store/tables.js';
import type { TaskFigures } from './task-counts.js';

/** Rows looked at in one pass, so that a pass takes the same memory however many there are. */
const passRows = 2 << 20;

/**
 * `prompts/`: each distinct prompt where it first stands among the rows that are left, in that order. Needs the tables and
 * views that `decide` leaves. Passes over parts of the prompts, then over parts of the rows: grouping, joining or sorting
 * all of them at once takes memory that grows with their number, and not all of it goes to disk when it runs short.
 */
export async function writePrompts(tables: Tables, path: string, tasks: readonly TaskFigures[]): Promise<void> {
  await tables.run('CREATE TABLE lost AS SELECT place FROM exceptions WHERE reason IS NOT NULL');
  await tables.run('CREATE TABLE firsts (prompt UUID, place BIGINT, bits HUGEINT)');
  const rows = tasks.reduce((sum, task) => sum + task.read, 0);
  const passes = Math.max(1, Math.ceil(rows / passRows));
  for (let pass = 0; pass < passes; pass += 1) {
    await tables.run(`INSERT INTO firsts
      SELECT prompt_key::UUID AS prompt, min(place), bit_or(bit)
      FROM keys JOIN entries USING (entry) ANTI JOIN lost USING (place)
      WHERE hash(prompt_key) % ${passes} = ${pass} GROUP BY prompt`);
  }
  await tables.run('CREATE TABLE ordered (prompt UUID, place BIGINT, bits HUGEINT, nth BIGINT)');
  for (const range of placeRanges(tasks)) await addInOrder(tables, range);
  await tables.run('DROP TABLE firsts');
  // Rows leave a table as they came into it, and with one thread in the same pieces on every machine.
  const { threads } = await tables.row<{ threads: number }>("SELECT current_setting('threads')::INTEGER AS threads");
  await tables.run('SET threads = 1');
  await tables.copy(
    `SELECT replace(prompt::VARCHAR, '-', '') AS prompt_key,
      printf('%03d-%05d-%03d.parquet', place >> 52, (place >> 32) & 1048575, (place >> 12) & 1048575) AS file,
      (place & 4095) - nth AS row, ${await groupsOf(tables)} AS groups
     FROM ordered`,
    path,
  );
  await tables.run(`SET threads = ${threads}`);
  for (const table of ['ordered', 'lost']) await tables.run(`DROP TABLE ${table}`);
}

// ---------------------------------------------------------------------------------------------------------------------

interface PlaceRange {
  from: bigint;
  to: bigint;
}

/** Prompts of a range in the order of their places; `nth`: how many rows of the same shard before it are gone. */
async function addInOrder(tables: Tables, { from, to }: PlaceRange): Promise<void> {
  const within = `place >= ${from} AND place < ${to}`;
  await tables.run(`INSERT INTO ordered
    SELECT prompt, firsts.place, bits, coalesce(gone.nth, 0)
    FROM (SELECT *, place >> 12 AS shard FROM firsts WHERE ${within}) AS firsts
    ASOF LEFT JOIN (
      SELECT place, place >> 12 AS shard, row_number() OVER (PARTITION BY place >> 12 ORDER BY place) AS nth
      FROM lost WHERE ${within}) AS gone
    ON firsts.shard = gone.shard AND firsts.place >= gone.place
    ORDER BY firsts.place`);
}

/** Ranges of places in order, each of whole tasks and of a pass's rows at least. */
function placeRanges(tasks: readonly TaskFigures[]): PlaceRange[] {
  const ranges: PlaceRange[] = [];
  let from = 0n;
  let rows = 0;
  for (const { entry, task, read } of tasks) {
    rows += read;
    if (rows < passRows) continue;
    const to = placeOfTask(entry, task + 1);
    ranges.push({ from, to });
    from = to;
    rows = 0;
  }
  return [...ranges, { from, to: 2n ** 63n - 1n }];
}

/** As `decide` counts places. */
function placeOfTask(entry: number, task: number): bigint {
  return (BigInt(entry) << 52n) | (BigInt(task) << 32n);
}

/** The names of the groups whose bits are set, as an expression. */
async function groupsOf(tables: Tables): Promise<string> {
  const found = await tables.rows<{ bits: string; groups: string[] }>(
    `SELECT bits::VARCHAR AS bits,
       (SELECT list("group" ORDER BY "group") FROM (SELECT DISTINCT "group", bit FROM entries) WHERE bit & bits <> 0) AS groups
     FROM (SELECT DISTINCT bits FROM ordered) ORDER BY bits`,
  );
  const cases = found.map(({ bits, groups }) => `WHEN ${bits} THEN [${groups.map(literal).join(', ')}]`);
  return cases.length === 0 ? '[]::VARCHAR[]' : `CASE bits ${cases.join(' ')} END`;
}
