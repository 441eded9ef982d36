import { defineAdapter, longText, optionalText } from '../adapter.js';
import { readExchange } from '../conversation.js';
import { joinColumns } from '../trace.js';

export const dolphinR1 = defineAdapter({
  name: 'dolphin-r1',
  summary: 'messages up to the question, reasoning and answer beside them',
  needs: ['messages', 'reasoning', 'answer'],
  longTexts: ['messages', 'reasoning', 'answer'],
  read(row) {
    const { system, prompt, turns } = readExchange(row, 'messages');
    return {
      system,
      prompt,
      turns,
      trace: joinColumns(longText(row, 'reasoning'), longText(row, 'answer')),
      model: optionalText(row, 'model'),
      used: ['messages', 'reasoning', 'answer', 'model'],
    };
  },
});
