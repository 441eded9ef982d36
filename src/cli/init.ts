import { existsSync, writeFileSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { resolvePipeline } from '../pipeline/config.js';
import { dataFilesIn, lookAt, nameFor, type OwnFile, starterPipeline } from '../pipeline/starter.js';
import { Problem } from '../problem.js';
import { counted, Output, type OutputOptions, safe, withCommonOptions } from './output.js';

/** `curate init`. */
export function addInit(program: Command): void {
  const command = program
    .command('init [files...]')
    .summary("a commented pipeline.yaml for one's own files")
    .description(
      'Writes pipeline.yaml for the files named, or for the data files of this folder: finds the adapter that fits each and a number of clusters that fits their prompts.',
    )
    .option('--force', 'overwrite a pipeline.yaml that is there');
  withCommonOptions(command, 'curate init\ncurate init traces.jsonl more.parquet').action(
    async (files: string[], options: OutputOptions & { force?: boolean }) => {
      const output = new Output(options);
      const target = resolve('pipeline.yaml');
      if (existsSync(target) && options.force !== true) {
        throw new Problem('there is a pipeline.yaml here already', {
          where: target,
          try: 'curate init --force overwrites it',
        });
      }
      const own: OwnFile[] = [];
      for (const file of files.length > 0 ? files : dataFilesIn('.')) {
        if (!existsSync(file)) throw new Problem(`no such file: ${file}`, { where: resolve(file) });
        const found = await lookAt(file);
        if (found !== null) own.push({ ...found, path: relative('.', file).split('\\').join('/') });
        else output.warn(`${file}: no adapter fits; curate inspect ${file} shows its columns`);
      }
      if (files.length > 0 && own.length === 0)
        throw new Problem('no adapter fits any of these files', { items: files, try: `curate inspect ${files[0]}` });
      const text = starterPipeline(nameFor(basename(resolve('.'))), own);
      resolvePipeline(text, target, 'pipeline.yaml');
      writeFileSync(target, text);
      const sentence = `wrote pipeline.yaml for ${counted(own.length, 'file')} · next: curate run pipeline.yaml`;
      output.result({ file: target, sources: own as never, sentence });
      output.table(
        ['file', 'adapter', 'rows', 'distinct prompts'],
        own.map((file) => [safe(file.path), file.adapter, file.rows, file.prompts]),
      );
      output.close(sentence);
    },
  );
}
