import type { Exemplars } from './exemplars.js';
import { standing, type VoteRule } from './votes.js';

/** What has been voted so far, by cluster, the nearest exemplars first. */
export type ClusterVotes = (string | null)[][];

export interface RoundPlan {
  /** Places of exemplars to ask about next, cluster after cluster. */
  places: number[];
  /** Clusters that are not settled. */
  clusters: number;
}

/**
 * Takes over every vote that is known and gives the exemplars to ask about next: for each cluster the fewest that could
 * settle it, so that nothing is asked in vain, and all clusters at once, so that a server always has enough to do. Which
 * exemplars are asked depends on the answers alone, never on the order in which they come.
 */
export function nextRound(
  exemplars: Exemplars,
  votes: ClusterVotes,
  known: (key: string) => string | null | undefined,
  rule: VoteRule,
): RoundPlan {
  const plan: RoundPlan = { places: [], clusters: 0 };
  for (let cluster = 0; cluster < exemplars.clusters.length; cluster += 1) {
    const start = exemplars.starts[cluster] ?? 0;
    const available = (exemplars.starts[cluster + 1] ?? start) - start;
    const sofar = votes[cluster] ?? [];
    votes[cluster] = sofar;
    for (;;) {
      const { further } = standing(sofar, available, rule);
      if (further === 0) break;
      const first = sofar.length;
      const missing: number[] = [];
      for (let place = start + first; place < start + first + further; place += 1) {
        if (known(exemplars.keys[place] ?? '') === undefined) missing.push(place);
      }
      if (missing.length > 0) {
        plan.places.push(...missing);
        plan.clusters += 1;
        break;
      }
      for (let place = start + first; place < start + first + further; place += 1) {
        sofar.push(known(exemplars.keys[place] ?? '') ?? null);
      }
    }
  }
  return plan;
}
