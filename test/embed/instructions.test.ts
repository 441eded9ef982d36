import { describe, expect, it } from 'vitest';
import { instructionOf, withoutInstruction } from '../../src/embed/instructions.js';

const instruction = 'Please reason step by step.';

describe('a prompt without its instruction', () => {
  it('loses it at its start or its end', () => {
    expect(withoutInstruction(`${instruction}\n\nWhat is 2?`, instruction)).toBe('What is 2?');
    expect(withoutInstruction(`What is 2? ${instruction}`, instruction)).toBe('What is 2?');
  });

  it('keeps it in the middle, and where it is all there is', () => {
    expect(withoutInstruction(`a ${instruction} b`, instruction)).toBe(`a ${instruction} b`);
    expect(withoutInstruction(instruction, instruction)).toBe(instruction);
  });
});

it('a source that declares none, or that does not ship, has none', () => {
  expect(instructionOf('medqa')).toBeNull();
  expect(instructionOf('my own source')).toBeNull();
});
