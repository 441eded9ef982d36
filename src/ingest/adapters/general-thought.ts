import { defineAdapter, isRecord, longText, optionalText, type SourceRow, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

export const generalThought = defineAdapter({
  name: 'general-thought',
  summary: 'question, model_answer and model_reasoning, with model and licence per row',
  needs: ['question', 'model_answer', 'model_reasoning'],
  longTexts: ['model_reasoning', 'model_answer'],
  read(row) {
    const before = turnsBefore(row);
    return {
      // question_id is the question's: several models answer it, so the content identifies the row.
      prompt: text(row, 'question'),
      system: before.system,
      turns: 1 + before.userTurns,
      trace: joinColumns(longText(row, 'model_reasoning'), longText(row, 'model_answer')),
      referenceAnswer: optionalText(row, 'reference_answer'),
      model: optionalText(row, 'model_name'),
      license: optionalText(row, 'question_license'),
      used: ['question', 'model_answer', 'model_reasoning', 'reference_answer', 'model_name', 'question_license'],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** `prev_messages` are the turns before the question; a system turn may be among them. */
function turnsBefore(row: SourceRow): { system: string | null; userTurns: number } {
  const list = Array.isArray(row.prev_messages) ? row.prev_messages.filter(isRecord) : [];
  const system = list.find((turn) => turn.role === 'system')?.content;
  return {
    system: typeof system === 'string' ? system : null,
    userTurns: list.filter((turn) => turn.role === 'user').length,
  };
}
