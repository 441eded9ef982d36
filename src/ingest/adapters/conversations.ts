import { defineAdapter, optionalText } from '../adapter.js';
import { readExchange } from '../conversation.js';
import { splitInline } from '../trace.js';

export const conversations = defineAdapter({
  name: 'conversations',
  summary: 'conversations: a list of {from, value}, reasoning in <think> (OpenThoughts2, Light-R1)',
  needs: ['conversations'],
  longTexts: ['conversations'],
  read(row) {
    const { system, prompt, answer, turns } = readExchange(row, 'conversations');
    return {
      nativeId: optionalText(row, 'id'),
      system: system ?? optionalText(row, 'system'),
      prompt,
      turns,
      trace: splitInline(answer?.content ?? null, { alwaysTagged: true }),
      // OpenThoughts2 repeats the question in a column of its own.
      used: ['id', 'system', 'conversations', ...(row.question === String(prompt) ? ['question'] : [])],
    };
  },
});
