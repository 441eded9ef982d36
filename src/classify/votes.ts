import type { ClassifyOptions } from './options.js';

/**
 * How votes become a label. Votes come in the order of the exemplars, the nearest to the centre first; null is a vote that
 * was asked for and is invalid: it does not count.
 */
export interface Decision {
  label: string | null;
  /** Share of the valid votes for the label: exact where all were asked, else the bounds that the rest leaves open. */
  agreement: number;
  agreementHigh: number;
  /** Valid votes. */
  votes: number;
  uncertain: boolean;
  /** Nothing that the votes not asked for could say changes label or `uncertain`. */
  settled: boolean;
}

/**
 * The label is the plurality; a tie goes to the tied label of the nearest exemplar. `open` is how many further exemplars
 * could still be asked. `below` is the agreement under which a cluster is uncertain. Counts are compared as integers
 * wherever that is possible, so that 5 of 10 is never below 0.5.
 */
export function decide(votes: readonly (string | null)[], open: number, below: number): Decision {
  const counts = new Map<string, number>();
  for (const vote of votes) if (vote !== null) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  const valid = votes.filter((vote) => vote !== null).length;
  // A Map keeps the order in which labels first came, which is that of their nearest exemplars.
  let label: string | null = null;
  let top = 0;
  for (const [each, count] of counts) {
    if (count > top) {
      label = each;
      top = count;
    }
  }
  const agreement = valid + open === 0 ? 0 : top / (valid + open);
  const agreementHigh = valid + open === 0 ? 0 : (top + open) / (valid + open);
  const uncertain = label === null || agreementHigh < below || (agreement < below && open === 0);
  const settled =
    open === 0 || (labelIsSettled(counts, label, top, open) && (agreement >= below || agreementHigh < below));
  return { label, agreement, agreementHigh, votes: valid, uncertain, settled };
}

/** The fewest further votes that could settle a cluster, at least 1: what may be asked at once without waste. */
export function leastFurther(votes: readonly (string | null)[], open: number, below: number): number {
  for (let count = 1; count < open; count += 1) {
    const { label } = decide(votes, open, below);
    // If any outcome settles it, one in which all agree with the leader does, or one in which none does (uncertain).
    const agreeing = [...votes, ...Array.from({ length: count }, () => label ?? '\u0000')];
    const dissenting = [...votes, ...Array.from({ length: count }, (_, index) => `\u0000${index}`)];
    if (decide(agreeing, open - count, below).settled || decide(dissenting, open - count, below).settled) return count;
  }
  return Math.max(1, open);
}

/** When a cluster may vote with more exemplars than the first `nearest`. */
export interface VoteRule {
  nearest: number;
  below: number;
  /** Exemplars that may vote in the end, in steps of `nearest`, while a cluster is uncertain. `nearest`: no more. */
  upTo: number;
}

/** The rule that a pipeline's options ask for. */
export function ruleOf(options: Pick<ClassifyOptions, 'nearest' | 'uncertain'>): VoteRule {
  const { below, then, up_to: upTo } = options.uncertain;
  return { nearest: options.nearest, below, upTo: then === 'more' ? Math.max(upTo, options.nearest) : options.nearest };
}

/**
 * Where a cluster stands after `votes` (the nearest exemplars first, without gaps) of `available` exemplars: its decision,
 * and how many votes to ask for next (0: it is settled).
 */
export function standing(
  votes: readonly (string | null)[],
  available: number,
  rule: VoteRule,
): { decision: Decision; further: number } {
  const most = Math.min(available, Math.max(rule.nearest, rule.upTo));
  let target = Math.min(rule.nearest, available);
  for (;;) {
    const counted = votes.slice(0, target);
    const open = target - counted.length;
    const decision = decide(counted, open, rule.below);
    if (!decision.settled) return { decision, further: leastFurther(counted, open, rule.below) };
    if (!decision.uncertain || target >= most) return { decision, further: 0 };
    target = Math.min(target + rule.nearest, most);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function labelIsSettled(counts: Map<string, number>, label: string | null, top: number, open: number): boolean {
  if (label === null) return false;
  let before = true;
  for (const [each, count] of counts) {
    if (each === label) before = false;
    // A label whose nearest exemplar is nearer than the leader's wins a tie, so it must not even reach one.
    else if (before ? count + open >= top : count + open > top) return false;
  }
  // A label that nobody has named yet can win only by more votes than the leader has.
  return open <= top;
}
