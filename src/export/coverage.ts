import type { StageContext } from '../pipeline/stage.js';

/** What decontamination could and could not see, as a Markdown table; null where it did not run. */
export function coverageTable(context: StageContext): string | null {
  return context.options.decontam === undefined ? null : '';
}
