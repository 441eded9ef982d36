import { z } from 'zod';
import type { StageContext } from '../pipeline/stage.js';

/** What export must know of the other stages' options, read leniently: each stage checks its own. */
export interface Shape {
  hasFilter: boolean;
  hasDecontam: boolean;
  hasClusters: boolean;
  hasLabels: boolean;
  /** Groups whose rows carry a cluster; null: all. */
  embeddedGroups: string[] | null;
  /** SQL over the columns of `rows/`, counting as the filter's limits count. */
  questionWords: string;
  traceWords: string;
  waitCount: string;
}

const words = z.enum(['literal', 'segmented']).optional().catch(undefined);
const counted = z.looseObject({ words, of: z.enum(['trace', 'reasoning']).optional().catch(undefined) });
const filterOptions = z.looseObject({
  prompt_words: counted.optional().catch(undefined),
  trace_words: counted.optional().catch(undefined),
  wait_count: counted.optional().catch(undefined),
});
const embedOptions = z.looseObject({ groups: z.array(z.string()).nullish() });

export function readShape(options: StageContext['options']): Shape {
  const filter = filterOptions.parse(options.filter ?? {});
  const hasClusters = options.cluster !== undefined;
  const promptSuffix = filter.prompt_words?.words === 'literal' ? '' : '_segmented';
  const traceSuffix = filter.trace_words?.words === 'segmented' ? '_segmented' : '';
  return {
    hasFilter: options.filter !== undefined,
    hasDecontam: options.decontam !== undefined,
    hasClusters,
    hasLabels: hasClusters && options.classify !== undefined,
    embeddedGroups: embedOptions.parse(options.embed ?? {}).groups ?? null,
    questionWords: `coalesce(prompt_words${promptSuffix}, 0)`,
    traceWords: ofTrace(`words${traceSuffix}`, filter.trace_words?.of),
    waitCount: ofTrace('waits', filter.wait_count?.of),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function ofTrace(count: string, of: 'trace' | 'reasoning' | undefined): string {
  const reasoning = `coalesce(reasoning_${count}, 0)`;
  return of === 'reasoning' ? reasoning : `(${reasoning} + coalesce(answer_${count}, 0))`;
}
