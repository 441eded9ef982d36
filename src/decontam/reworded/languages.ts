import { miniLm } from '../../compute/weights.js';

/** Whether the model reads a language, as ingest names it. MiniLM was made of English, and code and mixed text hold some. */
export function readsLanguage(model: string, language: string | null): boolean {
  // A model that a user names is one that knows the user's languages.
  if (model !== miniLm.name || language === null) return true;
  return ['en', 'code', 'mixed', 'und', ''].includes(language);
}
