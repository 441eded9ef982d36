import { createHash } from 'node:crypto';

/**
 * A text between two lines that carry its own hash, so that nothing in it can close the fence, and with the special
 * tokens of chat templates broken up: servers read them as turns even inside a message.
 */
export function fence(text: string, name: string): string {
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `===== ${name} ${mark}\n${harmless(text)}\n===== end of ${name} ${mark}`;
}

/** Special tokens of chat templates broken up; nothing that JSON or a tokenizer stumbles over. */
export function harmless(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\u0000', '\ufffd')
    .replaceAll('<|', '< |')
    .replaceAll('|>', '| >')
    .replace(/<(\/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|answer))>/gi, '< $1>')
    .replace(/\[(\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS))\]/gi, '[ $1]')
    .replace(/<(<?\/?SYS>?)>/gi, '< $1>');
}

/**
 * A text cut in the middle to about `limit` characters (code points), with a mark of how many are missing. The head keeps
 * two thirds: there the question mostly stands.
 */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  const head = Math.ceil((limit * 2) / 3);
  const tail = limit - head;
  const missing = characters.length - limit;
  return `${characters.slice(0, head).join('')}\n[… ${missing} characters left out …]\n${characters.slice(characters.length - tail).join('')}`;
}

/** The JSON of an answer, also inside a fence of Markdown; undefined where it is none. */
export function jsonOf(answer: string): unknown {
  try {
    return JSON.parse(answer.trim().replace(/^```(?:json)?\s*([\s\S]*?)\s*```$/, '$1'));
  } catch {
    // Said by the caller, in an answer's own words.
    return undefined;
  }
}
