import { isText } from '../../text/utf8-text.js';
import { defineAdapter, isRecord } from '../adapter.js';
import { readExchange } from '../conversation.js';
import { splitInline } from '../trace.js';

export const amR1Distilled = defineAdapter({
  name: 'am-r1-distilled',
  summary: 'messages whose turns carry info; <think>…</think> <answer>…</answer>',
  needs: ['messages'],
  longTexts: ['messages'],
  recognises: (row) =>
    Array.isArray(row.messages) && row.messages.some((turn) => isRecord(turn) && isRecord(turn.info)),
  read(row) {
    const { system, prompt, question, answer, turns } = readExchange(row, 'messages');
    const info = isRecord(question.record.info) ? question.record.info : {};
    const reference = info.reference_answer;
    return {
      system,
      prompt,
      turns,
      trace: splitInline(answer?.content ?? null, { alwaysTagged: true, answerTagged: true }),
      referenceAnswer: isText(reference) || typeof reference === 'number' ? String(reference) : null,
      used: ['messages'],
      extra: { source: info.source ?? null, test_case: info.test_case ?? null },
    };
  },
});
