import { join } from 'node:path';
import { literal, type Tables } from '../../src/store/tables.js';
import { cpuSeconds, type Line, messageOf, rival } from './rivals.js';

interface ParquetJs {
  ParquetSchema: new (fields: Record<string, { type: string }>) => object;
  ParquetWriter: {
    openFile(
      schema: object,
      path: string,
    ): Promise<{ appendRow(row: object): Promise<void>; close(): Promise<void>; setRowGroupSize(rows: number): void }>;
  };
  ParquetReader: {
    openFile(path: string): Promise<{ getCursor(): { next(): Promise<object | null> }; close(): Promise<void> }>;
  };
}

export async function parquet(tables: Tables, work: string): Promise<Line[]> {
  const library = (await rival('parquetjs-lite')) as ParquetJs;
  const readTheirs = async (path: string) => {
    const reader = await library.ParquetReader.openFile(path);
    try {
      const cursor = reader.getCursor();
      let rows = 0;
      while ((await cursor.next()) !== null) rows += 1;
      return rows;
    } finally {
      await reader.close();
    }
  };
  const readOurs = async (path: string) => {
    let rows = 0;
    for await (const part of tables.stream(`SELECT * FROM read_parquet(${literal(path)})`)) rows += part.length;
    return rows;
  };
  const shipped = 'data/samples/general-thought/rml-mmlu-pro.parquet';
  const answer = await readTheirs(shipped).then(
    (rows) => `${rows} rows`,
    (error: unknown) => `fails: ${messageOf(error)}`,
  );
  const lines: Line[] = [
    ['parquetjs-lite: read a shipped sample (zstd)', answer, `${await readOurs(shipped)} rows`, ''],
  ];

  await tables.run('SET threads = 1');
  await tables.run(
    `CREATE TABLE pairs AS SELECT row_number() OVER () AS number, question AS prompt, model_reasoning AS trace
     FROM read_parquet(${literal(shipped)}), range(8)`,
  );
  const rows = await tables.rows('SELECT number::INTEGER AS number, prompt, trace FROM pairs');
  const theirFile = join(work, 'theirs.parquet');
  const ourFile = join(work, 'ours.parquet');
  const write = async () => {
    const schema = new library.ParquetSchema({
      number: { type: 'INT64' },
      prompt: { type: 'UTF8' },
      trace: { type: 'UTF8' },
    });
    const writer = await library.ParquetWriter.openFile(schema, theirFile);
    for (const row of rows) await writer.appendRow(row);
    await writer.close();
  };
  const copy = () => tables.run(`COPY pairs TO ${literal(ourFile)} (FORMAT parquet, COMPRESSION uncompressed)`);
  const wrote = { theirs: await cpuSeconds(write), ours: await cpuSeconds(copy) };
  const read = {
    theirs: await cpuSeconds(() => readTheirs(theirFile)),
    ours: await cpuSeconds(() => readOurs(theirFile)),
  };
  const pair = (what: string, times: { theirs: number; ours: number }): Line => [
    ...([what, `${times.theirs.toFixed(2)} s`, `${times.ours.toFixed(2)} s`] as [string, string, string]),
    (times.theirs / times.ours).toFixed(2),
  ];
  lines.push(pair(`  write ${rows.length} rows, uncompressed`, wrote));
  lines.push(pair('  read them from its own file into rows', read));
  return lines;
}
