import type { Item } from './items.js';

export const headings = ['', 'precision', 'recall', 'MMLU precision', 'recall', 'MMLU-Pro precision', 'recall'];

/** A line of a table under `headings`: over all items that are `among`, then of MMLU and of MMLU-Pro. */
export function row(
  name: string,
  items: Item[],
  truth: boolean[],
  says: boolean[],
  among: boolean[],
  promptsAlike = false,
  shares?: number[],
): string[] {
  const share = (value: number) => value.toFixed(3);
  const all = score(items, truth, says, among, promptsAlike, shares);
  const parts = ['mmlu', 'mmlu_pro'].map((source) =>
    score(
      items,
      truth,
      says,
      items.map((item, at) => among[at] === true && item.source === source),
      true,
      shares,
    ),
  );
  return [name, ...[all, ...parts].flatMap(({ precision, recall }) => [share(precision), share(recall)])];
}

// ---------------------------------------------------------------------------------------------------------------------

/**
 * Precision and recall where each prompt, or else each source, counts as much as any other. `shares`: the share of items
 * like it that each item stands for; 0 where it is not looked at.
 */
function score(
  items: Item[],
  truth: boolean[],
  says: boolean[],
  among: boolean[],
  promptsAlike = true,
  shares: number[] = items.map(() => 1),
): { precision: number; recall: number } {
  const sizes = new Map<string, number>();
  items.forEach(({ source }, at) => {
    if (among[at] === true) sizes.set(source, (sizes.get(source) ?? 0) + 1);
  });
  let both = 0;
  let said = 0;
  let is = 0;
  items.forEach(({ source }, at) => {
    const share = shares[at] ?? 0;
    if (among[at] !== true || share === 0) return;
    const weight = (promptsAlike ? 1 : 1 / (sizes.get(source) ?? 1)) / share;
    if (says[at] === true) said += weight;
    if (truth[at] === true) is += weight;
    if (says[at] === true && truth[at] === true) both += weight;
  });
  return { precision: both / said, recall: both / is };
}
