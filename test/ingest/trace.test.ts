import { describe, expect, it } from 'vitest';
import { joinColumns, splitInline, stripTemplate } from '../../src/ingest/trace.js';

const tagged = { alwaysTagged: true };

/** The table of docs/sources.md, row by row. */
describe('an inline trace', () => {
  it.each([
    ['with both tags', '<think>R</think>A', 'R', 'A', true, null],
    ['without the opening tag', 'R</think>A', 'R', 'A', true, null],
    ['never closed', '<think>R', 'R', null, false, null],
    ['closed with nothing behind it', '<think>R</think> \n', 'R', null, false, null],
    ['closed twice', '<think>R</think>A</think>B', null, null, false, '<think>R</think>A</think>B'],
    ['with answer tags', '<think>R</think> <answer>A</answer>', 'R', 'A', true, null],
    ['with Thought and Output', '<Thought>\nR\n</Thought>\n<Output>\nA\n</Output>', 'R', 'A', true, null],
    [
      'with thought and solution tokens',
      '<|begin_of_thought|>R<|end_of_thought|><|begin_of_solution|>A<|end_of_solution|>',
      'R',
      'A',
      true,
      null,
    ],
    ['whose answer tag is never closed', '<think>R</think><answer>A', 'R', null, false, '<think>R</think><answer>A'],
    ['without any tag', 'A', null, null, false, 'A'],
    ['that is empty', ' \n', null, null, false, null],
    [
      'with template tokens at its ends',
      '<|im_start|>assistant\n<think>R</think>A<|im_end|>\n<|eot_id|>',
      'R',
      'A',
      true,
      null,
    ],
    ['with empty reasoning', '<think>\n\n</think>A', null, 'A', true, null],
    ['with a word before the tag', 'Sure. <think>R</think>A', 'R', 'A', true, 'Sure. <think>R</think>A'],
    [
      'that speaks behind its answer tags',
      '<think>R</think><answer>A</answer> Done.',
      'R',
      '<answer>A</answer> Done.',
      true,
      null,
    ],
    ['with a template token in its middle', '<think>R <|im_end|> R</think>A', 'R <|im_end|> R', 'A', true, null],
  ])('%s', (_, text, reasoning, answer, complete, raw) => {
    expect(splitInline(text, tagged)).toEqual({ reasoning, answer, complete, raw });
  });

  it('without any tag is an answer where the source does not always tag', () => {
    expect(splitInline('A', { alwaysTagged: false })).toEqual({
      reasoning: null,
      answer: 'A',
      complete: false,
      raw: null,
    });
  });

  it.each([
    ['<think>R</think> <answer>A</answer>', true],
    ['<think>R</think> A', false],
    ['R</think> <answer>A</answer>', false],
    ['<think>R</think> <answer>A</answer> Done.', false],
  ])('of AM is whole only in its one form: %s', (text, complete) => {
    expect(splitInline(text, { alwaysTagged: true, answerTagged: true }).complete).toBe(complete);
  });
});

describe('a trace in two columns', () => {
  it.each([
    ['R', 'A', true],
    ['R', ' ', false],
    ['', 'A', false],
    [null, null, false],
  ])('%j and %j', (reasoning, answer, complete) => {
    expect(joinColumns(reasoning, answer).complete).toBe(complete);
  });
});

it('template tokens leave the ends and stay in the middle', () => {
  expect(stripTemplate('<s>a <|eot_id|> b</s><|endoftext|> ')).toBe('a <|eot_id|> b');
});
