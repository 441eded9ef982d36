import { isText, type Text } from '../text/utf8-text.js';
import { isRecord, type SourceRow, Unfit } from './adapter.js';
import { stripTemplate } from './trace.js';

export interface Turn {
  role: 'system' | 'user' | 'assistant';
  content: Text;
  /** `reasoning_content` of APIs that keep the reasoning apart. */
  reasoning: Text | null;
  /** The turn as the source has it, for fields of its own. */
  record: Record<string, unknown>;
}

/** A conversation's first question and its answer. */
export interface Exchange {
  system: string | null;
  prompt: Text;
  answer: Turn | null;
  question: Turn;
  turns: number;
}

const roles: Record<string, Turn['role']> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
};

/** `[{role, content}]` or `[{from, value}]` under `field`: the prompt is the first user turn, the trace its answer. */
export function readExchange(row: SourceRow, field: string): Exchange {
  const turns = readTurns(row[field], field);
  const system = turns.filter((turn) => turn.role === 'system').map((turn) => String(turn.content));
  const at = turns.findIndex((turn) => turn.role === 'user');
  const question = turns[at];
  if (question === undefined) throw new Unfit(`${field} has no user turn`);
  const next = turns.slice(at + 1).find((turn) => turn.role !== 'system');
  return {
    system: system.length === 0 ? null : system.join('\n\n'),
    prompt: stripTemplate(question.content),
    question,
    answer: next?.role === 'assistant' ? next : null,
    turns: turns.filter((turn) => turn.role === 'user').length,
  };
}

// ---------------------------------------------------------------------------------------------------------------------

function readTurns(value: unknown, field: string): Turn[] {
  const list = isText(value) ? parseList(String(value), field) : value;
  if (!Array.isArray(list)) throw new Unfit(`${field} is no list of turns`);
  return list.map((record) => {
    if (!isRecord(record)) throw new Unfit(`${field} is no list of turns`);
    const role = roles[String(record.role ?? record.from ?? '').toLowerCase()];
    if (role === undefined) throw new Unfit(`${field} has a turn of an unknown role`);
    const reasoning = record.reasoning_content ?? record.reasoning;
    return {
      role,
      content: contentOf(record.content ?? record.value, field),
      reasoning: isText(reasoning) && reasoning.length > 0 ? reasoning : null,
      record,
    };
  });
}

/** Some exports keep the list as JSON text. */
function parseList(value: string, field: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new Unfit(`${field} is no list of turns`);
  }
}

/** Text, or a list of parts whose text parts count. */
function contentOf(value: unknown, field: string): Text {
  if (isText(value)) return value;
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) {
    return value.map((part) => (isRecord(part) && isText(part.text) ? String(part.text) : '')).join('');
  }
  throw new Unfit(`${field} has a turn without text`);
}
