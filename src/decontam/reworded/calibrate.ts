/** Share of texts whose scores say how the tail falls: enough to be steady, few enough to be tail. */
const tailShare = 0.05;
const leastTail = 20;
/** Fewer prompts say nothing of a tail of one in two hundred. */
const leastPrompts = 1_000;

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

/**
 * The threshold for a run's prompts. They may hold leaks, so what their best candidate scores says nothing; their second
 * best is never the leak. Where its tail lies higher or lower than among the benchmark's own items, the run is denser or
 * sparser around the benchmark than the benchmark itself, and the threshold moves by the difference, but not to where a
 * hit would be less likely than not. `seconds`: the `tailLength` highest.
 */
export function thresholdFor(own: OwnTails, seconds: readonly number[], prompts: number, rate: number): number {
  if (prompts < leastPrompts) return own.first;
  return Math.max(Math.min(0, own.first), own.first + tailThreshold(seconds, prompts, rate) - own.second);
}
