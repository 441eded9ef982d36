import { defineAdapter, longText, optionalText, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

export const m23k = defineAdapter({
  name: 'm23k',
  summary: 'prompt, reasoning and distilled_answer_string; text is the same in a chat template',
  needs: ['prompt', 'reasoning', 'distilled_answer_string'],
  longTexts: ['reasoning', 'distilled_answer_string'],
  ignores: ['text'],
  read(row) {
    return {
      prompt: text(row, 'prompt'),
      trace: joinColumns(longText(row, 'reasoning'), longText(row, 'distilled_answer_string')),
      referenceAnswer: optionalText(row, 'answer_string'),
      used: ['prompt', 'reasoning', 'distilled_answer_string', 'answer_string', 'text'],
    };
  },
});
