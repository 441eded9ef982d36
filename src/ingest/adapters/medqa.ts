import { defineAdapter, firstText, noTrace, optionList, text } from '../adapter.js';

export const medqa = defineAdapter({
  name: 'medqa',
  summary: 'question, options (map of letters or list), answer, answer_idx; no traces',
  needs: ['question', 'options', 'answer_idx'],
  read(row) {
    return {
      prompt: text(row, 'question'),
      trace: noTrace,
      options: optionList(row.options),
      referenceAnswer: firstText(row, ['answer']),
      finishReason: 'no_trace',
      used: ['question', 'options', 'answer'],
    };
  },
});
