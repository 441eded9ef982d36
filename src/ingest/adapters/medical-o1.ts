import { defineAdapter, longText, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

export const medicalO1 = defineAdapter({
  name: 'medical-o1',
  summary: 'Question, Complex_CoT and Response',
  needs: ['Question', 'Complex_CoT', 'Response'],
  longTexts: ['Complex_CoT', 'Response'],
  read(row) {
    return {
      prompt: text(row, 'Question'),
      trace: joinColumns(longText(row, 'Complex_CoT'), longText(row, 'Response')),
      used: ['Question', 'Complex_CoT', 'Response'],
    };
  },
});
