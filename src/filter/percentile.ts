/**
 * The exact percentile of integers by nearest rank: the smallest value that at least `percentile` per cent of all values
 * do not exceed (numpy's `method='inverted_cdf'`). `counts` maps each value to how often it occurs. Null where there is
 * none. The rank is computed in integers: 0.07 * 100 is not 7 in floating point.
 */
export function nearestRank(counts: ReadonlyMap<number, number>, percentile: number): number | null {
  let total = 0n;
  for (const count of counts.values()) total += BigInt(count);
  if (total === 0n) return null;
  const { numerator, denominator } = fraction(percentile);
  const rank = (numerator * total + denominator - 1n) / denominator;
  let seen = 0n;
  for (const value of [...counts.keys()].sort((a, b) => a - b)) {
    seen += BigInt(counts.get(value) ?? 0);
    if (seen >= rank) return value;
  }
  throw new Error(`percentile ${percentile} lies above 100`);
}

/** A percentile as written in decimals, as a fraction of 1: 97.5 is 975/1000. */
function fraction(percentile: number): { numerator: bigint; denominator: bigint } {
  const [whole = '0', decimals = ''] = percentile.toFixed(9).split('.');
  return { numerator: BigInt(whole + decimals), denominator: 100n * 10n ** BigInt(decimals.length) };
}
