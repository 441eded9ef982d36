import { type Command, InvalidArgumentError } from 'commander';
import type { StageName } from '../pipeline/stage.js';
import type { OutputOptions } from './output.js';

export interface StageCommandOptions extends OutputOptions {
  out?: string;
  workers?: number;
  set?: string[];
  limit?: number;
  frozen?: boolean;
  lock?: string;
  from?: StageName;
  to?: StageName;
  force?: StageName;
}

/** The options that every command has which runs stages. */
export function withStageOptions(command: Command): Command {
  return command
    .option('--out <folder>', 'the run folder (default: runs/<name>)')
    .option('--workers <n>', 'cores to use (default: all); never changes a result', positive)
    .option('--set <key.path=value>', 'another value for a key of the file; repeatable', collect, [])
    .option('--limit <n>', 'rows per source, for a try', positive)
    .option('--frozen', 'fail unless sources, models, config and results equal the lock')
    .option('--lock <file>', 'the lock for --frozen (default: the one in the run folder)');
}

// ---------------------------------------------------------------------------------------------------------------------

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function positive(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return count;
}
