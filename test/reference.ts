/**
 * The reference methods of decontamination written as plainly as they are stated, sharing no code with the product:
 * open-r1's 10-grams and open-thoughts' `fuzz.ratio`. Their answers are checked in test/decontam against the cases that
 * the Python originals answered; here they judge whole runs.
 */
export function sharesTenGram(prompts: readonly string[], items: readonly string[]): boolean[] {
  const grams = (text: string) => {
    const words = text
      .toLowerCase()
      .split(pythonSpace)
      .filter((word) => word !== '');
    return words.slice(9).map((_, index) => words.slice(index, index + 10).join(' '));
  };
  const known = new Set(items.flatMap(grams));
  return prompts.map((prompt) => grams(prompt).some((gram) => known.has(gram)));
}

/** Whether `100 · 2 · LCS / (|a| + |b|) >= threshold` for any item, over code points. */
export function isNear(prompts: readonly string[], items: readonly string[], threshold: number): boolean[] {
  const measured = items.map((item) => measure(Array.from(item)));
  return prompts.map((prompt) => {
    const a = measure(Array.from(prompt));
    return measured.some((b) => {
      const needed = threshold * (a.codes.length + b.codes.length);
      // Two bounds that no common subsequence exceeds spare most of the work: the shorter length, and the code points in common.
      if (200 * Math.min(a.codes.length, b.codes.length) < needed) return false;
      let common = 0;
      for (let bucket = 0; bucket < 64; bucket += 1) common += Math.min(a.counts[bucket] ?? 0, b.counts[bucket] ?? 0);
      return 200 * common >= needed && 200 * commonSubsequence(a.codes, b.codes) >= needed;
    });
  });
}

function measure(codes: string[]): { codes: string[]; counts: Uint32Array } {
  const counts = new Uint32Array(64);
  for (const character of codes) {
    const bucket = (character.codePointAt(0) ?? 0) % 64;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { codes, counts };
}

const pythonSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let previous = new Uint32Array(b.length + 1);
  for (const character of a) {
    const current = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j += 1) {
      const best = Math.max(previous[j] ?? 0, current[j - 1] ?? 0);
      current[j] = character === b[j - 1] ? Math.max(best, (previous[j - 1] ?? 0) + 1) : best;
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
