import { defineAdapter, longText, optionalText, text } from '../adapter.js';
import { parsePythonLiteral } from '../python-literal.js';
import { splitInline } from '../trace.js';

/** Columns that hold Python dicts as text. */
const pythonColumns = ['verification_info', 'verification_result_info', 'metadata'];

export const synthetic1 = defineAdapter({
  name: 'synthetic-1',
  summary: 'prompt and llm_response with </think> inside; Python dicts as text',
  needs: ['prompt', 'llm_response'],
  longTexts: ['llm_response'],
  read(row) {
    const extra: Record<string, unknown> = {};
    for (const column of pythonColumns) {
      const parsed = typeof row[column] === 'string' ? parsePythonLiteral(row[column]) : undefined;
      if (parsed !== undefined) extra[column] = parsed;
    }
    return {
      nativeId: optionalText(row, 'response_id'),
      prompt: text(row, 'prompt'),
      trace: splitInline(longText(row, 'llm_response'), { alwaysTagged: true }),
      referenceAnswer: optionalText(row, 'gold_standard_solution'),
      used: ['response_id', 'prompt', 'llm_response', 'gold_standard_solution', ...Object.keys(extra)],
      extra,
    };
  },
});
