/** Share of texts whose scores say how the tail falls: enough to be steady, few enough to be tail. */
const tailShare = 0.05;
const leastTail = 20;
/** Of fewer prompts half and a quarter are too unsteady to draw a tail through (docs/decontam.md has the figures). */
const leastPrompts = 300;

/** How many of the highest scores among `count` texts `tailThreshold` looks at for a rate. */
export function tailLength(count: number, rate: number): number {
  return Math.ceil(Math.max(leastTail, tailShare * count, rate * count));
}

/**
 * The score that about `rate` of `count` texts reach. `scores`: what each text's best wrong candidate scored, in nats, at
 * least the `tailLength` highest. Within the last twentieth the tail is taken to fall exponentially, and how fast is told
 * by its median, which a few questions that really are each other's rewordings do not move.
 */
export function tailThreshold(scores: readonly number[], count: number, rate: number): number {
  const falling = [...scores].sort((a, b) => b - a);
  const wanted = rate * count;
  const tail = Math.min(falling.length, Math.ceil(Math.max(leastTail, tailShare * count)));
  const base = falling[tail - 1];
  // Nothing comes near: whatever does is a leak.
  if (base === undefined) return 0;
  if (wanted >= tail) return falling[Math.min(falling.length, Math.ceil(wanted)) - 1] ?? base;
  const median = falling[Math.floor((tail - 1) / 2)] as number;
  return base + ((median - base) / Math.LN2) * Math.log(tail / wanted);
}

/** What a benchmark's own items say of its look-alikes, in nats. */
export interface OwnTails {
  /** The score that the stated share of its items reaches against the others. */
  first: number;
  /** The same of their second-best question. */
  second: number;
}

/** What a run's own prompts say, in nats. */
export interface RunTails {
  prompts: number;
  /** Of each prompt's candidates that are another question than its best: the `tailLength` highest. */
  seconds: readonly number[];
  /** The best of each prompt that has a candidate in the benchmark. */
  firsts: FallingScores;
}

/** Scores from the highest down, wherever they lie. */
export interface FallingScores {
  count: number;
  at(place: number): Promise<number>;
  /** How many are at least so high. */
  reaching(score: number): Promise<number>;
}

export function fallingScores(scores: readonly number[]): FallingScores {
  const sorted = [...scores].sort((a, b) => b - a);
  return {
    count: sorted.length,
    at: async (place) => sorted[place] ?? Number.NEGATIVE_INFINITY,
    reaching: async (score) => sorted.filter((each) => each >= score).length,
  };
}

/**
 * The threshold for a run's prompts, which may hold leaks. Two things are said by them all the same. Their second best is
 * never the leak: where its tail lies higher or lower than among the benchmark's own items, the run is denser or sparser
 * around the benchmark than the benchmark itself, and the threshold moves by the difference. That is still too high where a
 * benchmark asks many a question twice; so a tail is also drawn through the bulk of the prompts' best, half and a
 * quarter of them, without what reaches the threshold so far, and the threshold falls to it, until it falls no more. It never
 * falls to where a hit would be less likely than not.
 */
export async function thresholdFor(own: OwnTails, run: RunTails, rate: number): Promise<number> {
  if (run.prompts < leastPrompts) return own.first;
  let threshold = own.first + tailThreshold(run.seconds, run.prompts, rate) - own.second;
  for (let round = 0; round < mostRounds; round += 1) {
    const drawn = await throughBulk(run, threshold, rate);
    if (drawn === null || drawn >= threshold - leastFall) break;
    threshold = drawn;
  }
  return Math.max(Math.min(0, own.first), threshold);
}

/**
 * Where the band of doubt below a threshold begins: at the score that so large a share of a benchmark's items (`firsts`)
 * reach among themselves, and no lower than that share of the prompts, where these are more than a few. All: at any candidate.
 */
export async function doubtFrom(
  share: number,
  threshold: number,
  firsts: readonly number[],
  items: number,
  run: RunTails,
): Promise<number> {
  if (share === 1) return Number.NEGATIVE_INFINITY;
  const own = tailThreshold(firsts, items, share);
  const place = Math.ceil(share * run.prompts) - 1;
  const atMost = place < leastTail ? Number.NEGATIVE_INFINITY : await run.firsts.at(place);
  return Math.min(threshold, Math.max(own, atMost));
}

// ---------------------------------------------------------------------------------------------------------------------

const bulkShare = 0.5;
const bulkRatio = 2;
/**
 * How the best scores of what is no leak thin out from the bulk to the tail: faster than e to the minus score, slower than
 * a normal distribution. The share that reaches a score is e to the minus (its height to the power of 1 / 0.8).
 */
const steepness = 0.8;
const mostRounds = 20;
const leastFall = 1e-6;

/** Null where too few prompts have a candidate. */
async function throughBulk({ prompts, firsts }: RunTails, threshold: number, rate: number): Promise<number | null> {
  const reaching = await firsts.reaching(threshold);
  // As many of those as are no leak, by the rate, stay.
  const staying = Math.min(reaching, Math.floor(rate * prompts));
  const left = staying + prompts - reaching;
  const wide = Math.min(bulkShare, (staying + firsts.count - reaching) / left);
  const narrow = wide / bulkRatio;
  const at = (share: number) => firsts.at(reaching - staying + Math.max(staying, Math.ceil(share * left) - 1));
  if (narrow * left < leastTail) return null;
  const [low, high] = [await at(wide), await at(narrow)];
  const height = (share: number) => (-Math.log(share)) ** steepness;
  return high + ((high - low) / (height(narrow) - height(wide))) * (height(rate) - height(narrow));
}
