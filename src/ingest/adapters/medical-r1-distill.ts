import { defineAdapter, optionalText, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

/** The published files' own keys, parentheses and all. */
const reasoningKey = 'reasoning (reasoning_content)';
const answerKey = 'response (content)';

export const medicalR1Distill = defineAdapter({
  name: 'medical-r1-distill',
  summary: `question, "${reasoningKey}" and "${answerKey}"`,
  needs: ['question', reasoningKey, answerKey],
  read(row) {
    return {
      prompt: text(row, 'question'),
      trace: joinColumns(optionalText(row, reasoningKey), optionalText(row, answerKey)),
      used: ['question', reasoningKey, answerKey],
    };
  },
});
