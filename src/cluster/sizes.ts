/** How many points clusters have. */
export interface SizeFigures {
  min: number;
  median: number;
  max: number;
  /** 0: all alike. Near 1: one has nearly all. */
  gini: number;
}

export function sizeFigures(sizes: Int32Array): SizeFigures {
  const sorted = sizes.slice().sort();
  const count = sorted.length;
  const total = sorted.reduce((sum, size) => sum + size, 0);
  let weighted = 0;
  sorted.forEach((size, place) => {
    weighted += (place + 1) * size;
  });
  const middle = Math.floor((count - 1) / 2);
  return {
    min: sorted[0] ?? 0,
    median: ((sorted[middle] ?? 0) + (sorted[count - 1 - middle] ?? 0)) / 2,
    max: sorted[count - 1] ?? 0,
    gini: total === 0 ? 0 : Number(((2 * weighted) / (count * total) - (count + 1) / count).toFixed(6)),
  };
}
