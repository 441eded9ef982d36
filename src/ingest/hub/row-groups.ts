import { existsSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../../problem.js';
import { readRange } from '../../store/readers/bytes.js';
import { literal, type Tables } from '../../store/tables.js';
import { type HubClient, readBody } from './client.js';
import type { HubFile, Repository } from './listing.js';

const footerGuessBytes = 1 << 20;

/**
 * The first row groups of a Parquet file on the hub, until they hold `rows` rows: a local file of the full length that
 * holds these bytes and the footer, and holes elsewhere. For a try with `--limit`; it must not lie in the shared cache.
 */
export async function fetchRowGroups(
  client: HubClient,
  repository: Repository,
  file: HubFile,
  rows: number,
  path: string,
  tables: Tables,
  signal: AbortSignal,
): Promise<void> {
  if (existsSync(path)) return;
  const url = `${client.settings.endpoint}/datasets/${repository.name}/resolve/${repository.commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.unfinished`;
  const handle = await open(unfinished, 'w+');
  try {
    await handle.truncate(file.size);
    const get = (start: number, end: number) =>
      fetchRange(client, url, repository.name, file, start, end, signal, async (bytes, at) => {
        await handle.write(bytes, 0, bytes.length, at);
      });
    await get(0, Math.min(4, file.size));
    await get(Math.max(0, file.size - footerGuessBytes), file.size);
    const ending = await readRange(unfinished, Math.max(0, file.size - 8), file.size);
    if (ending.length < 8 || ending.subarray(4).toString('latin1') !== 'PAR1') {
      throw new Problem(`${repository.name}/${file.path} is no Parquet file`, { found: 'another ending than PAR1' });
    }
    const footerBytes = ending.readUInt32LE(0) + 8;
    if (footerBytes > footerGuessBytes) await get(Math.max(0, file.size - footerBytes), file.size - footerGuessBytes);
    for (const range of await rangesOf(tables, unfinished, rows)) await get(range.start, range.end);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, path);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Byte range of each row group that is needed. */
async function rangesOf(tables: Tables, path: string, rows: number): Promise<{ start: number; end: number }[]> {
  const groups = await tables.rows<{ rows: number; start: number; end: number }>(
    `SELECT any_value(row_group_num_rows) AS rows,
       min(CASE WHEN dictionary_page_offset > 0 AND dictionary_page_offset < data_page_offset
         THEN dictionary_page_offset ELSE data_page_offset END) AS start,
       max(CASE WHEN dictionary_page_offset > 0 AND dictionary_page_offset < data_page_offset
         THEN dictionary_page_offset ELSE data_page_offset END + total_compressed_size) AS "end"
     FROM parquet_metadata(${literal(path)}) GROUP BY row_group_id ORDER BY row_group_id`,
  );
  const needed: { start: number; end: number }[] = [];
  let have = 0;
  for (const group of groups) {
    if (have >= rows) break;
    needed.push({ start: group.start, end: group.end });
    have += group.rows;
  }
  return needed;
}

async function fetchRange(
  client: HubClient,
  url: string,
  about: string,
  file: HubFile,
  start: number,
  end: number,
  signal: AbortSignal,
  write: (bytes: Buffer, at: number) => Promise<void>,
): Promise<void> {
  for (let at = start, cuts = 0; at < end; cuts += 1) {
    if (cuts >= client.settings.attempts) {
      throw new Problem(`fetching ${about}/${file.path} broke off ${cuts} times`, {
        try: 'the same command tries again',
      });
    }
    if (cuts > 0) await client.settings.wait(1000 * cuts);
    const headers = { 'accept-encoding': 'identity', range: `bytes=${at}-${end - 1}` };
    const response = await client.request(url, about, headers, signal);
    if (response.status !== 206) {
      await response.body?.cancel();
      throw new Problem(`the hub sends no part of ${about}/${file.path}`, {
        found: `status ${response.status} for a range`,
        try: 'without --limit the whole file is fetched',
      });
    }
    try {
      for await (const bytes of readBody(response)) {
        const wanted = bytes.subarray(0, end - at);
        await write(wanted, at);
        at += wanted.length;
      }
    } catch (error) {
      if (signal.aborted || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    }
  }
}
