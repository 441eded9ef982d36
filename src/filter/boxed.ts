import { z } from 'zod';
import { defineRule } from './rule.js';

/** Keeps rows that give their answer in `\boxed{…}`. */
export const boxed = defineRule({
  key: 'boxed',
  summary: 'the answer stands in \\boxed{…}',
  options: z.strictObject({ of: z.enum(['answer', 'trace']).default('answer') }),
  bind: ({ of }) => ({
    type: 'BOOLEAN',
    value: {
      from: 'text',
      name: `boxed of ${of}`,
      columns: of === 'answer' ? ['answer'] : ['reasoning', 'answer'],
      measure: (texts) => texts.some((text) => text !== null && hasBoxedAnswer(text)),
    },
    test: { by: 'condition', sql: (column) => column },
    describe: (value) => (value === true ? `\\boxed{…} in the ${of}` : `no \\boxed{…} in the ${of}`),
    requirement: () => `\\boxed{…} in the ${of}`,
  }),
});

/** true where some `\boxed{` is closed by its own brace (escaped braces do not count) and holds more than blanks. */
export function hasBoxedAnswer(text: string): boolean {
  for (let start = text.indexOf('\\boxed'); start !== -1; start = text.indexOf('\\boxed', start + 1)) {
    let at = start + '\\boxed'.length;
    while (text[at] === ' ') at += 1;
    if (text[at] === '{' && closesWithContent(text, at)) return true;
  }
  return false;
}

function closesWithContent(text: string, open: number): boolean {
  let depth = 0;
  let filled = false;
  for (let at = open; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') {
      filled = true;
      at += 1;
    } else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return filled;
    } else if (character?.trim() !== '') filled = true;
  }
  return false;
}
