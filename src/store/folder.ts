import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What stages exchange: folders (or single files) of a run folder, by the name under which they lie there. */
export type TableName =
  | 'rows'
  | 'prompts'
  | 'quarantine'
  | 'vectors'
  | 'clusters'
  | 'labels'
  | 'verdicts/filter'
  | 'verdicts/decontam'
  | 'hits'
  | 'candidates'
  | 'candidates.parquet'
  | 'coverage.json'
  | 'dataset'
  | 'report.html';

/** Every name in a run folder. What a person reads lies at the top, the run's own state in `.curate/`. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The folder (or file) of a table. */
  table(name: TableName): string {
    return join(this.path, name);
  }

  /** A file of a table. */
  file(name: TableName, file: string): string {
    return join(this.path, name, file);
  }

  /** Absolute paths of a table's files with that ending, sorted by name: the order of everything that reads them. */
  files(name: TableName, ending = '.parquet'): string[] {
    const folder = this.table(name);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((file) => file.endsWith(ending))
      .sort()
      .map((file) => join(folder, file));
  }

  /** `/somewhere/runs/x/rows/a.parquet` as `rows/a.parquet`. */
  relative(path: string): string {
    return relative(this.path, path).split('\\').join('/');
  }

  /** A path of the run's own state. */
  state(...parts: string[]): string {
    return join(this.path, '.curate', ...parts);
  }

  /** Where unfinished files lie: emptied when a run begins, so a kill leaves nothing behind. */
  get temporary(): string {
    return this.state('tmp');
  }

  get lock(): string {
    return join(this.path, 'curate.lock');
  }

  get manifest(): string {
    return join(this.path, 'manifest.json');
  }

  get log(): string {
    return join(this.path, 'log.jsonl');
  }
}
