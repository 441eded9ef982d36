import type { StageContext } from '../pipeline/stage.js';
import { Problem } from '../problem.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import type { IngestOptions } from './options.js';
import { keysPath } from './shards.js';
import type { Source } from './sources.js';
import type { TaskFigures } from './task-counts.js';

/** Where a row stands, as one number in the order of the rows: entry, task, part and row, from the highest bits down. */
const placeOf = '((entry::BIGINT << 52) | (task::BIGINT << 32) | (part::BIGINT << 12) | "row"::BIGINT)';

/** Groups are gathered as bits of a HUGEINT. */
const mostGroups = 126;

export interface Shard {
  entry: number;
  task: number;
  part: number;
}

/** `part` of a place: what its lowest bits are taken off from. */
export function shardOf(shard: number): Shard {
  const part = shard % 2 ** 20;
  const above = Math.floor(shard / 2 ** 20);
  return { entry: Math.floor(above / 2 ** 20), task: above % 2 ** 20, part };
}

/**
 * Decides what the tasks could not know. Leaves table `exceptions`: every row that does not stay as its task wrote it, by
 * `place`, with its `new_id` if it gets one, the `reason` why it is left out or null, and whether it `repeats` another.
 * Nearly all rows are told to be none by 64-bit hashes, so that only the others' texts are compared: a window over the
 * keys of all rows costs four times as much.
 */
export async function decide(
  tables: Tables,
  tasks: readonly TaskFigures[],
  sources: readonly Source[],
  options: IngestOptions,
  context: StageContext,
): Promise<void> {
  await createKeys(tables, tasks, sources, context);
  await tables.run(
    'CREATE TABLE narrow AS SELECT place, entry, hash(id) AS id_hash, hash(content_key) AS content_hash FROM keys',
  );
  // The id begins with the source's name, so one id is one source's.
  await tables.run(`CREATE TABLE twins AS
    SELECT place, id, content_key, entry > min(entry) OVER (PARTITION BY id, file, file_row) AS claimed FROM keys
    WHERE hash(id) IN (SELECT id_hash FROM narrow GROUP BY id_hash HAVING count(*) > 1)`);
  // Repeats are told apart by what they say before where they stand, so that another order of files keeps the ids.
  await tables.run(`CREATE TABLE renamed AS
    SELECT place, claimed, CASE WHEN NOT claimed AND number > 1 THEN id || '#' || number END AS new_id
    FROM (SELECT *, row_number() OVER (PARTITION BY id, claimed ORDER BY content_key, place) AS number FROM twins)`);
  await tables.run(`CREATE TABLE beyond AS
    SELECT place FROM (
      SELECT place, "limit", row_number() OVER (PARTITION BY entry ORDER BY sha256(${literal(`${context.seed}:`)} || id), id) AS rank
      FROM (SELECT keys.place, entry, "limit", coalesce(new_id, id) AS id
            FROM keys JOIN entries USING (entry) LEFT JOIN renamed USING (place)
            WHERE "limit" IS NOT NULL AND claimed IS NOT true))
    WHERE rank > "limit"`);
  await tables.run('CREATE TABLE gone AS SELECT place FROM renamed WHERE claimed UNION ALL SELECT place FROM beyond');
  await tables.run(`CREATE TABLE repeating AS
    SELECT place FROM (
      SELECT place, row_number() OVER (PARTITION BY content_key ORDER BY place) AS number FROM keys ANTI JOIN gone USING (place)
      WHERE hash(content_key) IN (
        SELECT content_hash FROM narrow ANTI JOIN gone USING (place) GROUP BY content_hash HAVING count(*) > 1))
    WHERE number > 1`);
  const dropDuplicates = options.duplicates === 'keep-first' ? 'true' : 'false';
  await tables.run(`CREATE TABLE exceptions AS
    SELECT place, new_id, repeats,
      CASE WHEN claimed THEN 'claimed' WHEN beyond THEN 'limit' WHEN repeats AND ${dropDuplicates} THEN 'duplicate' END AS reason
    FROM (
      SELECT place, max(new_id) AS new_id, bool_or(claimed) AS claimed, bool_or(beyond) AS beyond, bool_or(repeats) AS repeats
      FROM (SELECT place, new_id, claimed, false AS beyond, false AS repeats FROM renamed WHERE claimed OR new_id IS NOT NULL
            UNION ALL SELECT place, NULL, false, true, false FROM beyond
            UNION ALL SELECT place, NULL, false, false, true FROM repeating)
      GROUP BY place)
    ORDER BY place`);
  for (const table of ['narrow', 'twins', 'renamed', 'beyond', 'gone', 'repeating'])
    await tables.run(`DROP TABLE ${table}`);
}

/** The rows of one shard as their task wrote them, with what became of each, in their order. */
export async function fatesOf(
  tables: Tables,
  context: StageContext,
  { entry, task, part }: Shard,
): Promise<{ id: string; dropped: boolean }[]> {
  return tables.rows(
    `SELECT coalesce(new_id, id) AS id, reason IS NOT NULL AS dropped
     FROM (SELECT id, "row", ${placeOf} AS place FROM ${parquet([keysPath(context.run, entry, task)])} WHERE part = ${part})
     LEFT JOIN exceptions USING (place) ORDER BY "row"`,
  );
}

// ---------------------------------------------------------------------------------------------------------------------

/** Table `entries` and view `keys`, over what the tasks kept of every row that they wrote. */
async function createKeys(
  tables: Tables,
  tasks: readonly TaskFigures[],
  sources: readonly Source[],
  context: StageContext,
): Promise<void> {
  const groups = [...new Set(sources.map((source) => source.group))];
  if (groups.length > mostGroups) {
    throw new Problem(`the pipeline has ${groups.length} groups, and rows are kept apart by ${mostGroups} at most`, {
      try: 'give entries that are treated alike one group',
    });
  }
  await tables.run('CREATE TABLE entries (entry INTEGER, "limit" BIGINT, "group" VARCHAR, bit HUGEINT)');
  for (const source of sources) {
    await tables.run(
      `INSERT INTO entries VALUES (${source.entry}, ${source.limit ?? 'NULL'}, ${literal(source.group)}, 1::HUGEINT << ${groups.indexOf(source.group)})`,
    );
  }
  const paths = tasks.map((task) => keysPath(context.run, task.entry, task.task));
  const keys =
    paths.length > 0
      ? `SELECT *, ${placeOf} AS place FROM ${parquet(paths)}`
      : `SELECT 0 AS entry, 0::BIGINT AS place, '' AS id, '' AS content_key, '' AS prompt_key, '' AS file, 0::BIGINT AS file_row WHERE false`;
  await tables.run(`CREATE VIEW keys AS ${keys}`);
}
