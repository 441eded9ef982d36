import { openModel } from '../../compute/local-model.js';
import { ensureModel, findModel } from '../../compute/weights.js';
import type { StageContext, StageInput } from '../../pipeline/stage.js';
import type { RewordedOptions } from '../options.js';
import { modelPath } from './score.js';

/** The files that decide this method's result: the sentence model, and the fitted one that ships. */
export async function rewordedInputs(options: RewordedOptions, context: StageContext): Promise<StageInput[]> {
  const model = await openModel(options.model);
  return [
    ...model.files.map((file) => ({
      kind: 'model' as const,
      name: `${model.name}/${file.name}`,
      sha256: file.sha256,
      bytes: file.bytes,
    })),
    { kind: 'model', name: 'reworded/model.json', sha256: await context.hash(modelPath) },
  ];
}

/** Refuses a model that is not known, or whose files are not the pinned ones, before anything runs. */
export async function checkModelOf(options: RewordedOptions): Promise<void> {
  const model = await openModel(options.model);
  if (findModel(model) !== null) await ensureModel(model);
}
