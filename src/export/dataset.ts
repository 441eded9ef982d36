import { BIGINT, VARCHAR } from '@duckdb/node-api';
import { durablePoint, writeThenRename } from '../store/atomic.js';
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
 * Row groups by bytes exist only without `preserve_insertion_order`. One thread keeps the order all the same when the
 * join stays as written (text streams past, the narrow table is built) and no operator holds small chunks back to join
 * them with later ones: without the last setting a file that gives under 64 rows comes after the next. The cache of file
 * contents would only compete for memory.
 */
const inOrder = [
  'SET preserve_insertion_order=false',
  `SET disabled_optimizers='join_order,build_side_probe_side'`,
  'SET enable_caching_operators=false',
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
  const rows = rowsOf(run, file);
  await createKept(tables, run, file, shape, rows);
  for (const setting of inOrder) await tables.run(setting);
  const select = `SELECT r.id, source, "group", ${messages} AS messages, prompt AS question, reasoning, answer,
      reference_answer, model, language, k.domain, k.cluster_id, ${shape.questionWords} AS question_words,
      ${shape.traceWords} AS trace_words, ${shape.waitCount} AS wait_count, origin, license
    FROM ${rows ?? noRows} r JOIN kept k ON k.id = r.id`;
  await writeThenRename(run.file('dataset', file.file), run.temporary, async (path) => {
    await tables.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION ${compression}, ${rowGroup})`);
    const written = await tables.rows<{ id: string }>(
      `SELECT id FROM ${parquet([path], 'file_row_number=true')} ORDER BY file_row_number`,
    );
    const kept = await tables.rows<{ id: string }>('SELECT id FROM kept ORDER BY file, position');
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
const noRows = `(SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS source, NULL::VARCHAR AS "group", NULL::VARCHAR AS system,
  NULL::VARCHAR AS prompt, NULL::VARCHAR AS reasoning, NULL::VARCHAR AS answer, NULL::VARCHAR AS reference_answer,
  NULL::VARCHAR AS model, NULL::VARCHAR AS language, NULL::INTEGER AS prompt_words,
  NULL::INTEGER AS prompt_words_segmented, NULL::INTEGER AS reasoning_words, NULL::INTEGER AS answer_words,
  NULL::INTEGER AS reasoning_words_segmented, NULL::INTEGER AS answer_words_segmented, NULL::INTEGER AS reasoning_waits,
  NULL::INTEGER AS answer_waits, NULL::STRUCT(file VARCHAR, "row" BIGINT) AS origin, NULL::VARCHAR AS license WHERE false)`;

function rowsOf(run: RunFolder, file: DatasetFile): string | null {
  if (file.parts.length === 0) return null;
  return parquet(file.parts.map((part) => run.file('rows', part.file)));
}

/** The table `kept`: the file's rows by id, with cluster and domain. */
async function createKept(tables: Tables, run: RunFolder, file: DatasetFile, shape: Shape, rows: string | null) {
  const writer = await tables.writer({ file: VARCHAR, position: BIGINT });
  for (const part of file.parts) {
    for (const position of positionsOf(part)) await writer.append({ file: part.file, position: BigInt(position) });
  }
  writer.flush();
  const narrow =
    rows === null
      ? 'SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS prompt_key, false AS embedded, file, position FROM'
      : `SELECT r.id, r.prompt_key, ${embedded(shape)} AS embedded, w.file, w.position
         FROM ${rows.replace(/\)$/, ', filename=true, file_row_number=true)')} r JOIN`;
  const on =
    rows === null ? 'WHERE false' : 'ON w.file = parse_filename(r.filename) AND w.position = r.file_row_number';
  await tables.run(`CREATE TABLE places AS ${narrow} ${writer.tableName} w ${on}`);
  await createClusters(tables, run, shape, 'SELECT prompt_key FROM places WHERE embedded');
  await tables.run(`CREATE TABLE kept AS SELECT p.id, p.file, p.position, c.cluster_id, c.domain
    FROM places p LEFT JOIN clusters_of_prompts c ON c.prompt_key = CASE WHEN p.embedded THEN p.prompt_key END`);
}
