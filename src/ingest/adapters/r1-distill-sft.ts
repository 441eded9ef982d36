import { defineAdapter, longText, optionalText, text } from '../adapter.js';
import { splitInline } from '../trace.js';

export const r1DistillSft = defineAdapter({
  name: 'r1-distill-sft',
  summary: 'problem and reannotated_assistant_content with <think> inside (configs v0 and v1)',
  needs: ['problem', 'reannotated_assistant_content'],
  // v1 repeats the same text as two lists of messages.
  ignores: ['reannotated_messages', 'messages'],
  longTexts: ['reannotated_assistant_content'],
  read(row) {
    return {
      nativeId: optionalText(row, 'id'),
      prompt: text(row, 'problem'),
      trace: splitInline(longText(row, 'reannotated_assistant_content'), { alwaysTagged: true }),
      referenceAnswer: optionalText(row, 'solution'),
      used: ['id', 'problem', 'reannotated_assistant_content', 'solution', 'reannotated_messages', 'messages'],
    };
  },
});
