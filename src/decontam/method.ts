import type { Item } from './items.js';

/** An item that a method found in a text. */
export interface Finding {
  /** The item's place among all items of the run. */
  item: number;
  /** 0 to 100. What it measures is the method's affair. */
  score: number;
  /** The span that speaks for it, in UTF-16 units of the text as given. */
  start: number;
  end: number;
  /** How many items that span would speak for: 1 is a fingerprint, hundreds are a phrase. */
  count: number;
}

/** One way of telling that a text holds an item. Knows items and texts, and no path, table or option. */
export interface Method {
  name: string;
  /** Findings by item. */
  find(text: string): Finding[];
  /** Why the method cannot see an item at all, in words that follow "items", or null where it can. */
  blindTo(item: number): string | null;
  /** What a person should know of an item that it sees only in part, or null. */
  limitOf?(item: number): string | null;
}

export type BuildMethod = (items: readonly Item[]) => Method;
