/**
 * DuckDB's classes and column types, loaded by `require`. An `import` of this CommonJS package reads every file of it a
 * second time to learn its names, which takes longer than to load it: 170 of 310 ms in each process and thread.
 */
import { createRequire } from 'node:module';
import type { DuckDBInstance as Instance } from '@duckdb/node-api';

const duckdb = createRequire(import.meta.url)('@duckdb/node-api') as typeof import('@duckdb/node-api');

export const { BIGINT, BOOLEAN, DOUBLE, FLOAT, INTEGER, LIST, STRUCT, VARCHAR, listValue, structValue, version } =
  duckdb;
export const {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBUnionValue,
} = duckdb;
export type DuckDBInstance = Instance;
