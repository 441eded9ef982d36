import { defineAdapter, longText, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

/** The published files' own keys, parentheses and all. */
const reasoningKey = 'reasoning (reasoning_content)';
const answerKey = 'response (content)';

export const medicalR1Distill = defineAdapter({
  name: 'medical-r1-distill',
  summary: `question, "${reasoningKey}" and "${answerKey}"`,
  needs: ['question', reasoningKey, answerKey],
  longTexts: [reasoningKey, answerKey],
  read(row) {
    return {
      prompt: text(row, 'question'),
      trace: joinColumns(longText(row, reasoningKey), longText(row, answerKey)),
      used: ['question', reasoningKey, answerKey],
    };
  },
});
