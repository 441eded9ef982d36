import { describe, expect, it } from 'vitest';
import { instructionsOf, withoutInstructions } from '../../src/embed/instructions.js';

const instruction = 'Please reason step by step.';

describe('a prompt without its instructions', () => {
  it('loses them at its start or its end', () => {
    expect(withoutInstructions(`${instruction}\n\nWhat is 2?`, [instruction])).toBe('What is 2?');
    expect(withoutInstructions(`What is 2? ${instruction}`, [instruction])).toBe('What is 2?');
    expect(withoutInstructions('Solve:\n\nWhat is 2?\n\nNow answer.', ['Solve:', 'Now answer.'])).toBe('What is 2?');
  });

  it('keeps them in the middle, and where they are all there is', () => {
    expect(withoutInstructions(`a ${instruction} b`, [instruction])).toBe(`a ${instruction} b`);
    expect(withoutInstructions(instruction, [instruction])).toBe(instruction);
  });
});

it('sources that declare some have them, others and those that do not ship have none', () => {
  expect(instructionsOf('openthoughts2')).toEqual(['Return your final response within \\boxed{}.']);
  expect(instructionsOf('synthetic-1')).toHaveLength(2);
  expect(instructionsOf('medqa')).toEqual([]);
  expect(instructionsOf('my own source')).toEqual([]);
});
