/** Counts of values in bins `[lower, upper, count]`, half-open, in order, without empty ones. */
export type Histogram = [lower: number, upper: number, count: number][];

/**
 * The bin of a value, by a fixed rule, so that histograms of parts can be added: integers below 32 each have their own,
 * larger ones share a power of two with 15 others (bins are then at most 1/16 of their value wide). Shares from 0 to 1
 * lie in steps of 0.01.
 */
export function binOf(value: number, type: 'INTEGER' | 'DOUBLE'): [lower: number, upper: number] {
  if (type === 'DOUBLE') {
    const step = Math.min(99, Math.floor(value * 100 + 1e-9));
    return [step / 100, (step + 1) / 100];
  }
  if (value < 32) return [value, value + 1];
  const width = 2 ** (Math.floor(Math.log2(value)) - 4);
  const lower = Math.floor(value / width) * width;
  return [lower, lower + width];
}

/** Values with how often each occurs, as a histogram. */
export function histogramOf(counts: Iterable<[value: number, count: number]>, type: 'INTEGER' | 'DOUBLE'): Histogram {
  return addHistograms([[...counts].map(([value, count]) => [...binOf(value, type), count])]);
}

/** The sum of histograms of the same type. */
export function addHistograms(histograms: readonly Histogram[]): Histogram {
  const bins = new Map<number, [number, number, number]>();
  for (const [lower, upper, count] of histograms.flat()) {
    const bin = bins.get(lower);
    if (bin === undefined) bins.set(lower, [lower, upper, count]);
    else bin[2] += count;
  }
  return [...bins.values()].sort((a, b) => a[0] - b[0]);
}
