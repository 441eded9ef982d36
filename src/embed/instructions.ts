import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dataFolder } from '../product.js';
import { fingerprint, type Json } from '../store/fingerprint.js';

/** The constant instructions that a source puts before or after questions, from its YAML in `data/sources/`. */
export function instructionsOf(source: string): string[] {
  const path = join(dataFolder, 'sources', `${source}.yaml`);
  if (!existsSync(path)) return [];
  const description: unknown = parse(readFileSync(path, 'utf8'));
  if (description === null || typeof description !== 'object' || !('instruction' in description)) return [];
  const { instruction } = description;
  const all: unknown[] = Array.isArray(instruction) ? instruction : [instruction];
  return all
    .filter((each): each is string => typeof each === 'string' && each.trim() !== '')
    .map((each) => each.trim());
}

/** A hash of what every source that ships declares. */
export function instructionsHash(): string {
  const names = readdirSync(join(dataFolder, 'sources')).filter((file) => file.endsWith('.yaml'));
  const declared = names.map((file) => file.slice(0, -'.yaml'.length)).map((name) => [name, instructionsOf(name)]);
  return fingerprint(Object.fromEntries(declared) as Json);
}

/** A prompt without instructions at its start or end. A prompt that is nothing but instructions stays as it is. */
export function withoutInstructions(prompt: string, instructions: readonly string[]): string {
  let rest = prompt.trim();
  for (const instruction of instructions) {
    if (rest.startsWith(instruction)) rest = rest.slice(instruction.length).trim();
    if (rest.endsWith(instruction)) rest = rest.slice(0, -instruction.length).trim();
  }
  return rest === '' ? prompt : rest;
}
