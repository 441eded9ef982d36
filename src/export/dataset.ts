import { durablePoint, writeThenRename } from '../store/atomic.js';
import { BIGINT, INTEGER, VARCHAR } from '../store/duckdb.js';
import type { RunFolder } from '../store/folder.js';
import { literal, parquet, type Tables } from '../store/tables.js';
import { type DatasetFile, positionsOf } from './files.js';
import { createClusters, embedded } from './judged.js';
import type { Shape } from './shape.js';

/**
 * A turn is there when its text is. `<think>` and `</think>` stand around the reasoning, the answer follows; a row that
 * only has one of them (possible where no filter asks for both) gets no invented other half.
 */
const assistant = `CASE WHEN reasoning IS NULL THEN answer
  ELSE '<think>' || chr(10) || reasoning || chr(10) || '</think>' || coalesce(chr(10) || chr(10) || answer, '') END`;
const messages = `list_filter([
  {'role': 'system', 'content': system}, {'role': 'user', 'content': prompt}, {'role': 'assistant', 'content': ${assistant}}
], lambda turn: turn.content IS NOT NULL)`;

/** A row group ends here at the latest, so that long rows do not pile up in memory. Fixed: it decides the bytes. */
const rowGroup = `ROW_GROUP_SIZE 10240, ROW_GROUP_SIZE_BYTES '32MB'`;

/**
 * Row groups by bytes exist only without `preserve_insertion_order`. One thread that scans files in the order of their
 * list keeps the order all the same, as long as no operator holds small chunks back to join them with later ones. A hash
 * join would not do: within a chunk it puts rows whose keys collide last. So what is known of a row is looked up in lists,
 * by its place.
 */
const inOrder = [
  'SET preserve_insertion_order=false',
  'SET enable_caching_operators=false',
  // The cache of file contents would only compete for memory.
  'SET enable_external_file_cache=false',
];

/** Writes one file of the dataset and reads its ids back: the kept rows, all of them, in order. */
export async function writeDatasetFile(
  tables: Tables,
  run: RunFolder,
  file: DatasetFile,
  shape: Shape,
  compression: string,
): Promise<void> {
  await setLists(tables, run, file, shape);
  for (const setting of inOrder) await tables.run(setting);
  const rows = file.parts.length === 0 ? noRows : parquet(file.parts.map((part) => run.file('rows', part.file)));
  const rank = `getvariable('ranks')[getvariable('starts')[(file_index + 1)::BIGINT] + file_row_number + 1]`;
  const select = `SELECT id, source, "group", ${messages} AS messages, prompt AS question, reasoning, answer,
      reference_answer, model, language, getvariable('domains')[rank] AS domain,
      getvariable('clusters')[rank] AS cluster_id, ${shape.questionWords} AS question_words,
      ${shape.traceWords} AS trace_words, ${shape.waitCount} AS wait_count, origin, license
    FROM (SELECT *, ${rank} AS rank FROM ${rows}) WHERE rank > 0`;
  await writeThenRename(run.file('dataset', file.file), run.temporary, async (path) => {
    await tables.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION ${compression}, ${rowGroup})`);
    const written = await tables.rows<{ id: string }>(
      `SELECT id FROM ${parquet([path], 'file_row_number=true')} ORDER BY file_row_number`,
    );
    const kept = await tables.rows<{ id: string }>('SELECT id FROM places WHERE rank > 0 ORDER BY rank');
    if (written.length !== file.rows || written.some((row, index) => row.id !== kept[index]?.id)) {
      throw new Error(`${file.file} does not hold its ${file.rows} kept rows in order: it has ${written.length}`);
    }
  });
}

/** Removes files of an earlier, larger or smaller, dataset. */
export async function removeOthers(run: RunFolder, files: string[], remove: (path: string) => Promise<void>) {
  for (const path of run.files('dataset')) {
    if (files.includes(run.relative(path))) continue;
    durablePoint();
    await remove(path);
    durablePoint();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** What an empty dataset is made from: the columns of `rows/` that export reads, with their types. */
const noRows = `(SELECT 0 AS file_index, 0 AS file_row_number, NULL::VARCHAR AS id, NULL::VARCHAR AS source, NULL::VARCHAR AS "group", NULL::VARCHAR AS system,
  NULL::VARCHAR AS prompt, NULL::VARCHAR AS reasoning, NULL::VARCHAR AS answer, NULL::VARCHAR AS reference_answer,
  NULL::VARCHAR AS model, NULL::VARCHAR AS language, NULL::INTEGER AS prompt_words,
  NULL::INTEGER AS prompt_words_segmented, NULL::INTEGER AS reasoning_words, NULL::INTEGER AS answer_words,
  NULL::INTEGER AS reasoning_words_segmented, NULL::INTEGER AS answer_words_segmented, NULL::INTEGER AS reasoning_waits,
  NULL::INTEGER AS answer_waits, NULL::STRUCT(file VARCHAR, "row" BIGINT) AS origin, NULL::VARCHAR AS license WHERE false)`;

/**
 * The table `places` (every row of the file's parts) and, as variables of the connection: `ranks`, the number from 1 of
 * each row in the file, 0 where it is not kept; `starts`, where each part begins in it; and by rank `clusters` and `domains`.
 */
async function setLists(tables: Tables, run: RunFolder, file: DatasetFile, shape: Shape): Promise<void> {
  const writer = await tables.writer({ file: VARCHAR, position: BIGINT, rank: INTEGER });
  let rank = 0;
  for (const part of file.parts) {
    for (const position of positionsOf(part)) {
      rank += 1;
      await writer.append({ file: part.file, position: BigInt(position), rank });
    }
  }
  writer.flush();
  const paths = file.parts.map((part) => run.file('rows', part.file));
  const narrow =
    paths.length === 0
      ? `SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS key, NULL::VARCHAR AS file, NULL::BIGINT AS position WHERE false`
      : `SELECT id, CASE WHEN ${embedded(shape)} THEN prompt_key END AS key, parse_filename(filename) AS file,
         file_row_number AS position FROM ${parquet(paths, 'filename=true, file_row_number=true')}`;
  await tables.run(`CREATE TABLE narrow AS SELECT n.*, coalesce(w.rank, 0)::INTEGER AS rank
    FROM (${narrow}) n LEFT JOIN ${writer.tableName} w ON w.file = n.file AND w.position = n.position`);
  await createClusters(tables, run, shape, 'SELECT key FROM narrow WHERE rank > 0 AND key IS NOT NULL');
  await tables.run(`CREATE TABLE places AS SELECT n.id, n.file, n.position, n.rank, c.cluster_id, c.domain
    FROM narrow n LEFT JOIN clusters_of_prompts c ON c.prompt_key = n.key`);
  const list = (value: string, type: string, order: string, where = '') =>
    `(SELECT coalesce(list(${value} ORDER BY ${order}), []::${type}[]) FROM places ${where})`;
  await tables.run(`SET VARIABLE ranks = ${list('rank', 'INTEGER', 'file, position')}`);
  await tables.run(`SET VARIABLE clusters = ${list('cluster_id', 'INTEGER', 'rank', 'WHERE rank > 0')}`);
  await tables.run(`SET VARIABLE domains = ${list('domain', 'VARCHAR', 'rank', 'WHERE rank > 0')}`);
  await tables.run(`SET VARIABLE starts = (SELECT coalesce(list(start::BIGINT ORDER BY file), []::BIGINT[])
    FROM (SELECT file, sum(count(*)) OVER (ORDER BY file) - count(*) AS start FROM places GROUP BY file))`);
}
