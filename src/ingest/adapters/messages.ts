import { defineAdapter, firstText, optionalText } from '../adapter.js';
import { readExchange } from '../conversation.js';
import { joinColumns, splitInline } from '../trace.js';

export const messages = defineAdapter({
  name: 'messages',
  summary: 'messages: a list of {role, content}, reasoning in <think> or in reasoning_content',
  needs: ['messages'],
  longTexts: ['messages'],
  read(row) {
    const { system, prompt, answer, turns } = readExchange(row, 'messages');
    const apart = answer?.reasoning ?? null;
    return {
      nativeId: firstText(row, ['response_id', 'id']),
      system,
      prompt,
      turns,
      trace:
        apart === null
          ? splitInline(answer?.content ?? null, { alwaysTagged: false })
          : joinColumns(apart, answer?.content ?? null),
      model: optionalText(row, 'model'),
      license: optionalText(row, 'license'),
      finishReason: optionalText(row, 'finish_reason'),
      used: ['response_id', 'id', 'messages', 'model', 'license', 'finish_reason'],
    };
  },
});
