import { createHash } from 'node:crypto';

/** Rows of one kind (kept or dropped, agreement high or low) and what a judge said of some of them. */
export interface Stratum {
  name: string;
  /** The pipeline kept rows of this stratum. */
  kept: boolean;
  /** Rows in the whole run. */
  rows: number;
  /** One per judged row: true where the judge's label is one of those that are kept. */
  judged: boolean[];
}

export interface Estimate {
  estimate: number;
  low: number;
  high: number;
}

const resamples = 2_000;

/** How many rows of each stratum to judge: half of the sample from what was kept, equal shares within, none above its size. */
export function allocate(strata: readonly { kept: boolean; rows: number }[], sample: number): number[] {
  const chosen = strata.map(() => 0);
  for (
    let left = Math.min(
      sample,
      strata.reduce((sum, { rows }) => sum + rows, 0),
    );
    left > 0;
  ) {
    const open = strata.flatMap(({ rows }, place) => ((chosen[place] ?? 0) < rows ? [place] : []));
    const sides = [true, false].map((kept) => open.filter((place) => strata[place]?.kept === kept));
    const busy = sides.filter((side) => side.length > 0);
    let given = 0;
    for (const side of busy) {
      const share = Math.max(1, Math.floor(left / busy.length / side.length));
      for (const place of side) {
        const add = Math.min(share, (strata[place]?.rows ?? 0) - (chosen[place] ?? 0), left - given);
        chosen[place] = (chosen[place] ?? 0) + add;
        given += add;
      }
    }
    left -= given;
  }
  return chosen;
}

/**
 * Precision and recall of the kept set over the whole run: each stratum's share of true rows counts by the stratum's
 * rows. Intervals (95 %) by bootstrap within strata, drawn from a seeded generator. null where nothing was judged.
 */
export function precisionAndRecall(
  strata: readonly Stratum[],
  seed: number,
): { precision: Estimate | null; recall: Estimate | null } {
  const judged = strata.filter((stratum) => stratum.judged.length > 0);
  const point = weighted(judged.map((stratum) => ({ stratum, share: share(stratum.judged) })));
  const random = generator(seed);
  const drawn: { precision: number[]; recall: number[] } = { precision: [], recall: [] };
  for (let resample = 0; resample < resamples; resample += 1) {
    const { precision, recall } = weighted(
      judged.map((stratum) => ({ stratum, share: resampledShare(stratum.judged, random) })),
    );
    if (precision !== null) drawn.precision.push(precision);
    if (recall !== null) drawn.recall.push(recall);
  }
  return { precision: interval(point.precision, drawn.precision), recall: interval(point.recall, drawn.recall) };
}

// ---------------------------------------------------------------------------------------------------------------------

function weighted(shares: readonly { stratum: Stratum; share: number }[]): {
  precision: number | null;
  recall: number | null;
} {
  let kept = 0;
  let trueKept = 0;
  let trueAll = 0;
  for (const { stratum, share: part } of shares) {
    trueAll += part * stratum.rows;
    if (!stratum.kept) continue;
    kept += stratum.rows;
    trueKept += part * stratum.rows;
  }
  return { precision: kept === 0 ? null : trueKept / kept, recall: trueAll === 0 ? null : trueKept / trueAll };
}

function share(judged: readonly boolean[]): number {
  return judged.filter((each) => each).length / judged.length;
}

function resampledShare(judged: readonly boolean[], random: () => number): number {
  let hits = 0;
  for (let draw = 0; draw < judged.length; draw += 1) {
    if (judged[Math.floor(random() * judged.length)] === true) hits += 1;
  }
  return hits / judged.length;
}

function interval(point: number | null, drawn: number[]): Estimate | null {
  if (point === null || drawn.length === 0) return null;
  drawn.sort((a, b) => a - b);
  const at = (part: number) => drawn[Math.min(drawn.length - 1, Math.floor(part * drawn.length))] ?? point;
  return { estimate: rounded(point), low: rounded(at(0.025)), high: rounded(at(0.975)) };
}

/** Four digits: more would only be noise. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** Uniform numbers in [0, 1) from a hash of seed and count, the same everywhere. */
function generator(seed: number): () => number {
  let count = 0;
  let block = Buffer.alloc(0);
  let place = 0;
  return () => {
    if (place + 4 > block.length) {
      block = createHash('sha512').update(`audit ${seed} ${count}`).digest();
      count += 1;
      place = 0;
    }
    const value = block.readUInt32LE(place) / 2 ** 32;
    place += 4;
    return value;
  };
}
