/** Items looked at per ranking before the two are fused. */
export const rankingDepth = 30;
/** Items of a prompt that are kept and scored. */
export const candidateCount = 5;
/** The constant of reciprocal rank fusion (Cormack et al. 2009). */
const fusionConstant = 60;

/** An item of the fused ranking, with what each of the two rankings says of it. */
export interface Candidate {
  item: number;
  /** Sum of 1 / (60 + rank) over the rankings that hold the item. */
  fused: number;
  /** By cosine; null where it is not among the first. */
  cosine: number | null;
  /** By BM25; 0 where it is not among the first. */
  bm25: number;
}

export interface Ranking {
  items: ArrayLike<number>;
  scores: ArrayLike<number>;
}

/** The first `count` items of two rankings by reciprocal rank fusion; of equals the lowest item. */
export function fuse(byCosine: Ranking, byWords: Ranking, count: number): Candidate[] {
  const found = new Map<number, Candidate>();
  const at = (item: number) => {
    let candidate = found.get(item);
    if (candidate === undefined) {
      candidate = { item, fused: 0, cosine: null, bm25: 0 };
      found.set(item, candidate);
    }
    return candidate;
  };
  for (let rank = 0; rank < byCosine.items.length; rank += 1) {
    const candidate = at(byCosine.items[rank] as number);
    candidate.fused += 1 / (fusionConstant + rank + 1);
    candidate.cosine = byCosine.scores[rank] as number;
  }
  for (let rank = 0; rank < byWords.items.length; rank += 1) {
    const candidate = at(byWords.items[rank] as number);
    candidate.fused += 1 / (fusionConstant + rank + 1);
    candidate.bm25 = byWords.scores[rank] as number;
  }
  return [...found.values()].sort((a, b) => b.fused - a.fused || a.item - b.item).slice(0, count);
}

/** The first `count` entries of a ranking that are not left out. */
export function without(
  { items, scores }: Ranking,
  isLeftOut: (item: number) => boolean,
  count: number,
): { items: number[]; scores: number[] } {
  const kept: { items: number[]; scores: number[] } = { items: [], scores: [] };
  for (let place = 0; place < items.length && kept.items.length < count; place += 1) {
    const item = items[place] as number;
    if (isLeftOut(item)) continue;
    kept.items.push(item);
    kept.scores.push(scores[place] as number);
  }
  return kept;
}
