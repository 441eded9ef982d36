import { sha256 } from '../store/fingerprint.js';
import { literal, parquet } from '../store/tables.js';
import { askRun, baseRelation, fatesQuery, placeKey, readRows, withTables } from './fates.js';

export interface FoundRows {
  /** true: the whole prompt is the text; false: the prompt holds it. */
  whole: boolean;
  matching: number;
  rows: { id: string; source: string; reason: string | null; prompt: string }[];
}

/** Rows whose prompt is a text, or else holds it (without case). At most `limit` of them, in the order of the run. */
export async function findRows(folder: string, text: string, limit = 20): Promise<FoundRows> {
  const asked = askRun(folder);
  return withTables(async (tables) => {
    const key = sha256(text).slice(0, 32);
    let whole = true;
    let places = `SELECT id, file, row FROM ${baseRelation(asked)} WHERE prompt_key = ${literal(key)}`;
    let { matching } = await tables.row<{ matching: number }>(`SELECT count(*) AS matching FROM (${places})`);
    if (matching === 0) {
      whole = false;
      places = `SELECT id, parse_filename(filename) AS file, file_row_number AS row
        FROM ${parquet(asked.run.files('rows'), 'file_row_number = true, filename = true')}
        WHERE contains(lower(prompt), lower(${literal(text)}))`;
      await tables.run(`CREATE TEMP TABLE found AS ${places}`);
      places = 'SELECT * FROM found';
      ({ matching } = await tables.row<{ matching: number }>('SELECT count(*) AS matching FROM found'));
    }
    const chosen = await tables.rows<{ id: string; file: string; row: number }>(
      `${places} ORDER BY file, row LIMIT ${limit}`,
    );
    const ids = chosen.map((each) => literal(each.id)).join(', ');
    const fates = new Map<string, { source: string; reason: string | null }>();
    if (chosen.length > 0) {
      for (const row of await tables.rows<{ id: string; source: string; reason: string | null }>(
        `SELECT id, source, reason FROM (${fatesQuery(asked)}) WHERE id IN (${ids})`,
      )) {
        fates.set(row.id, row);
      }
    }
    const texts = await readRows<{ prompt: string }>(tables, asked.run, chosen, ['prompt']);
    const rows = chosen.map(({ id, ...place }) => ({
      id,
      source: fates.get(id)?.source ?? '',
      reason: fates.get(id)?.reason ?? null,
      prompt: texts.get(placeKey(place))?.prompt ?? '',
    }));
    return { whole, matching, rows };
  });
}
