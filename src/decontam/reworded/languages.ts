import { miniLm } from '../../compute/weights.js';
import type { RewordedOptions } from '../options.js';

/** What ingest calls text that is no language or several: every model reads some of it. */
const ofNone = ['code', 'mixed', 'und', ''];

/** The languages that the model reads; null: all, as a model that a user names is one that knows the user's languages. */
export function languagesOf({ model, languages }: RewordedOptions): readonly string[] | null {
  return languages ?? (model === miniLm.name ? ['en'] : null);
}

/** Whether the method looks into a prompt of that language, as ingest names it. */
export function readsLanguage(options: RewordedOptions, language: string | null): boolean {
  const read = languagesOf(options);
  return read === null || language === null || ofNone.includes(language) || read.includes(language);
}
