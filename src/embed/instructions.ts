import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dataFolder } from '../product.js';

/** The constant instruction that a source puts before or after every question, from its YAML in `data/sources/`; else null. */
export function instructionOf(source: string): string | null {
  const path = join(dataFolder, 'sources', `${source}.yaml`);
  if (!existsSync(path)) return null;
  const description: unknown = parse(readFileSync(path, 'utf8'));
  if (description === null || typeof description !== 'object' || !('instruction' in description)) return null;
  const { instruction } = description;
  return typeof instruction === 'string' && instruction.trim() !== '' ? instruction.trim() : null;
}

/** A prompt without the instruction at its start or end. A prompt that is nothing but the instruction stays as it is. */
export function withoutInstruction(prompt: string, instruction: string): string {
  const text = prompt.trim();
  let rest = text;
  if (rest.startsWith(instruction)) rest = rest.slice(instruction.length).trim();
  if (rest.endsWith(instruction)) rest = rest.slice(0, -instruction.length).trim();
  return rest === '' ? prompt : rest;
}
