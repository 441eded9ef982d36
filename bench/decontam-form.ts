import type { Item } from '../src/decontam/items.js';
import type { Random } from '../src/decontam/random.js';

/** A text with the item's question in it; `others` are nine further items, `hosts` twelve prompts of real data. */
export type Make = (item: Item, random: Random, others: readonly Item[], hosts: readonly string[]) => string;

export function letter(at: number): string {
  return String.fromCharCode(65 + at);
}

export function wordsOf(text: string): string[] {
  return text.split(' ');
}

export function listed(item: Item, label: (at: number) => string): string {
  return item.options.map((option, at) => label(at) + option).join('\n');
}

export function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.?!])\s+/);
}
