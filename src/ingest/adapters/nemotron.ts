import { defineAdapter, longText, optionalText, Unfit } from '../adapter.js';
import { readExchange } from '../conversation.js';
import { splitInline, stripTemplate } from '../trace.js';

export const nemotron = defineAdapter({
  name: 'nemotron',
  summary: 'input (a Llama-3 header string, or a list of messages), output, system_prompt, reasoning on or off',
  needs: ['input', 'output'],
  longTexts: ['output'],
  read(row) {
    const { system, prompt, turns } =
      typeof row.input === 'string' ? readHeaders(row.input) : readExchange(row, 'input');
    return {
      system: optionalText(row, 'system_prompt') ?? system,
      prompt,
      turns,
      trace: splitInline(longText(row, 'output'), { alwaysTagged: row.reasoning !== 'off' }),
      model: optionalText(row, 'generator'),
      license: optionalText(row, 'license'),
      used: ['input', 'output', 'system_prompt', 'generator', 'license'],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** `<|start_header_id|>user<|end_header_id|>\n\n…<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n` */
function readHeaders(input: string): { system: string | null; prompt: string; turns: number } {
  const turns = [
    ...input.matchAll(
      /<\|start_header_id\|>(\w+)<\|end_header_id\|>([\s\S]*?)(?=<\|eot_id\|>|<\|start_header_id\|>|$)/g,
    ),
  ].map((match) => ({ role: match[1], content: stripTemplate(match[2] ?? '') }));
  if (turns.length === 0) return { system: null, prompt: stripTemplate(input), turns: 1 };
  const questions = turns.filter((turn) => turn.role === 'user');
  const first = questions[0];
  if (first === undefined) throw new Unfit('input has no user turn');
  return {
    system: turns.find((turn) => turn.role === 'system')?.content ?? null,
    prompt: first.content,
    turns: questions.length,
  };
}
