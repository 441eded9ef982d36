import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { writeThenRename } from './atomic.js';
import type { DuckDBInstance } from './duckdb.js';

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };
export type Row = Record<string, Cell>;

export interface TablesOptions {
  /** 1 for wide text (bytes then do not depend on threads), more for narrow tables with ORDER BY a unique key. */
  threads?: number;
  memoryMegabytes?: number;
  /** Where DuckDB spills and unfinished files lie. Default: a folder of its own that goes when it is closed. */
  temporaryFolder?: string;
}

export interface Layout {
  /** zstd by default; lz4_raw takes half the time to write and to read, and half as much room again. */
  codec?: 'zstd' | 'lz4_raw';
}

type DuckDB = typeof import('./duckdb.js');

/** Opens tables at its first call and gives the same ones after. */
export type OpenTables = () => Promise<Tables>;

/** Lends tables that are opened only where they are asked for, and closes them. */
export async function lendTables<T>(open: OpenTables, use: (tables: OpenTables) => Promise<T>): Promise<T> {
  let opened: Promise<Tables> | null = null;
  try {
    return await use(() => {
      opened ??= open();
      return opened;
    });
  } finally {
    (await (opened as Promise<Tables> | null))?.close();
  }
}

/** A string as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as a quoted SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * `read_parquet([...])` over the files in the order given. `extra` are further arguments (`file_row_number=true`).
 * A list of no files is an error of DuckDB's, so callers look first.
 */
export function parquet(files: readonly string[], extra = ''): string {
  return `read_parquet([${files.map(literal).join(', ')}]${extra === '' ? '' : `, ${extra}`})`;
}

/**
 * One DuckDB instance, in memory, that never contacts anything. See FACTS in docs/design: wide text is only ever
 * streamed and never sorted, results reach JavaScript through a buffer of 1 KB, and files are renamed when whole.
 */
export class Tables {
  readonly connection: DuckDBConnection;
  private readonly instance: DuckDBInstance;
  private readonly temporaryFolder: string;

  private constructor(
    private readonly duckdb: DuckDB,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    temporaryFolder: string,
    /** Whether the folder goes, and the instance at all, when this is closed. */
    private readonly owns: { folder: boolean; instance: boolean },
    /** Of all connections to the instance, so that names of tables differ. */
    private readonly writers: { count: number } = { count: 0 },
  ) {
    this.instance = instance;
    this.connection = connection;
    this.temporaryFolder = temporaryFolder;
  }

  static async open(options: TablesOptions = {}): Promise<Tables> {
    const own = options.temporaryFolder === undefined;
    const temporaryFolder = options.temporaryFolder ?? mkdtempSync(join(tmpdir(), 'curate-'));
    mkdirSync(temporaryFolder, { recursive: true });
    // Loaded here: many threads import this file and never open a table.
    const duckdb = await import('./duckdb.js');
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: String(options.threads ?? 1),
      memory_limit: `${options.memoryMegabytes ?? 512}MB`,
      temp_directory: temporaryFolder,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await connect(instance);
    return new Tables(duckdb, instance, connection, temporaryFolder, { folder: own, instance: true });
  }

  /** Another connection to the same instance, for work beside a stream of this one; to be closed before it. */
  async beside(): Promise<Tables> {
    const { duckdb, instance, temporaryFolder, writers } = this;
    const owns = { folder: false, instance: false };
    return new Tables(duckdb, instance, await connect(instance), temporaryFolder, owns, writers);
  }

  /** Runs a statement for its effect. */
  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** All rows of a small result. 64-bit integers become numbers; one beyond 2^53 throws, so cast such columns to VARCHAR. */
  async rows<T extends Row = Row>(sql: string, parameters: DuckDBValue[] = []): Promise<T[]> {
    const found: T[] = [];
    for await (const chunk of this.stream<T>(sql, parameters)) for (const row of chunk) found.push(row);
    return found;
  }

  /** The one row of a result that has exactly one. */
  async row<T extends Row = Row>(sql: string, parameters: DuckDBValue[] = []): Promise<T> {
    const found = await this.rows<T>(sql, parameters);
    const first = found[0];
    if (first === undefined || found.length !== 1) throw new Error(`expected one row, found ${found.length}: ${sql}`);
    return first;
  }

  /** Rows in chunks of up to 2,048, in the order of the query, with bounded memory. Let each chunk go before the next. */
  async *stream<T extends Row = Row>(sql: string, parameters: DuckDBValue[] = []): AsyncGenerator<T[]> {
    const result = await this.connection.stream(sql, parameters);
    for await (const rows of result.yieldRowObjectJs()) {
      for (const row of rows) for (const key in row) row[key] = toCell(row[key] as Cell | bigint) as never;
      yield rows as unknown as T[];
    }
  }

  /** Columns in chunks: faster than `stream` where a few columns of many rows are needed. */
  async *streamColumns(
    sql: string,
    parameters: DuckDBValue[] = [],
  ): AsyncGenerator<{ rowCount: number; columns: Record<string, DuckDBValue[]> }> {
    const result = await this.connection.stream(sql, parameters);
    const names = result.columnNames();
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const columns: Record<string, DuckDBValue[]> = {};
      names.forEach((name, index) => {
        columns[name] = chunk.getColumnValues(index) as DuckDBValue[];
      });
      yield { rowCount: chunk.rowCount, columns };
    }
  }

  /** Column names and SQL types of a query. */
  async describe(sql: string): Promise<{ name: string; type: string }[]> {
    const rows = await this.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${sql}`);
    return rows.map((row) => ({ name: row.column_name, type: row.column_type }));
  }

  /** Writes a query as one Parquet file, whole or not at all. Returns its rows. */
  async copy(select: string, path: string, { codec = 'zstd' }: Layout = {}): Promise<number> {
    return writeThenRename(path, this.temporaryFolder, async (temporaryPath) => {
      const result = await this.connection.run(
        `COPY (${select}) TO ${literal(temporaryPath)} (FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE 30720)`,
      );
      return result.rowsChanged;
    });
  }

  /** A writer of rows made in JavaScript: `types` are the columns in order with their DuckDB types. */
  async writer(types: Record<string, DuckDBType>): Promise<TableWriter> {
    this.writers.count += 1;
    const name = `writer_${this.writers.count}`;
    const columns = Object.entries(types).map(([column, type]) => `${identifier(column)} ${type.toString()}`);
    await this.connection.run(`CREATE TABLE ${name} (${columns.join(', ')})`);
    return new TableWriter(this, name, types, this.duckdb);
  }

  close(): void {
    this.connection.closeSync();
    if (this.owns.instance) this.instance.closeSync();
    if (this.owns.folder) rmSync(this.temporaryFolder, { recursive: true, force: true });
  }
}

/** Rows go into a table in memory; `writeTo` makes it a Parquet file in the order appended and empties it. */
export class TableWriter {
  /** Rows appended since the last `writeTo`. */
  rowCount = 0;
  private readonly tables: Tables;
  private readonly name: string;
  private readonly types: [string, DuckDBType][];
  private readonly duckdb: DuckDB;
  private appender: Awaited<ReturnType<DuckDBConnection['createAppender']>> | null = null;

  constructor(tables: Tables, name: string, types: Record<string, DuckDBType>, duckdb: DuckDB) {
    this.duckdb = duckdb;
    this.tables = tables;
    this.name = name;
    this.types = Object.entries(types);
  }

  /** Appends one row. DuckDB stores U+FFFD for a lone surrogate without a word: callers look for them before. */
  async append(row: Record<string, DuckDBValue>): Promise<void> {
    const { BIGINT, BOOLEAN, INTEGER, VARCHAR } = this.duckdb;
    this.appender ??= await this.tables.connection.createAppender(this.name);
    for (const [column, type] of this.types) {
      const value = row[column];
      if (value === null || value === undefined) this.appender.appendNull();
      // Through appendValue each cell is an object of its own: four times slower for a row of 35 cells.
      else if (type === VARCHAR && typeof value === 'string') this.appender.appendVarchar(value);
      else if (type === INTEGER && typeof value === 'number') this.appender.appendInteger(value);
      else if (type === BIGINT && typeof value === 'bigint') this.appender.appendBigInt(value);
      else if (type === BOOLEAN && typeof value === 'boolean') this.appender.appendBoolean(value);
      else this.appender.appendValue(value, type);
    }
    this.appender.endRow();
    this.rowCount += 1;
  }

  /** Writes what was appended to one Parquet file, also when that is nothing; `select` may derive columns. */
  async writeTo(path: string, select = '*', layout: Layout = {}): Promise<number> {
    this.flush();
    await this.tables.copy(`SELECT ${select} FROM ${this.name}`, path, layout);
    const written = this.rowCount;
    await this.tables.run(`TRUNCATE ${this.name}`);
    this.rowCount = 0;
    return written;
  }

  /** Makes the appended rows visible to queries on `tableName`. */
  flush(): void {
    this.appender?.closeSync();
    this.appender = null;
  }

  get tableName(): string {
    return this.name;
  }

  /** Forgets what was appended. */
  async clear(): Promise<void> {
    this.flush();
    await this.tables.run(`TRUNCATE ${this.name}`);
    this.rowCount = 0;
  }

  async drop(): Promise<void> {
    this.flush();
    await this.tables.run(`DROP TABLE ${this.name}`);
  }
}

async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET streaming_buffer_size='1KB'");
  await connection.run("SET TimeZone='UTC'");
  return connection;
}

function toCell(value: Cell | bigint): Cell {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new Error(`${value} does not fit a number; cast the column to VARCHAR`);
    return number;
  }
  if (Array.isArray(value)) return value.map((each) => toCell(each as Cell | bigint));
  if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) value[key] = toCell(value[key] as Cell | bigint);
  }
  return value;
}
