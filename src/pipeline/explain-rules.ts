import { boundRules, type FilterOptions } from '../filter/registry.js';
import { type BoundRule, valueColumn } from '../filter/rule.js';
import type { Json } from '../store/fingerprint.js';
import type { Cell, Row } from '../store/tables.js';
import type { AskedRun } from './fates.js';
import { readStageState } from './state.js';

export interface RuleExplanation {
  rule: string;
  reason: string;
  passes: boolean;
  value: Cell;
  /** The number in force, where the rule has one. */
  limit: number | null;
  /** The value, and what passes, in words. */
  found: string;
  required: string;
}

/** A method of decontamination: it fails a row that some hit of it was found in. */
export interface MethodExplanation {
  method: string;
  passes: boolean;
}

export interface Flip {
  /** `filter.wait_count.at_most 47 → 48`, or what else to do. */
  change: string;
  /** The same as an assignment for `--set`, where it is one. */
  set: string | null;
  becomes: 'kept' | 'dropped';
}

/** Every rule of the filter with the row's value, the limit in force and the verdict. */
export function rulesOf(asked: AskedRun, base: Row): RuleExplanation[] {
  if (!asked.has('filter')) return [];
  const figures = readStageState(asked.run, 'filter')?.report.figures ?? {};
  return filterRules(asked).map((rule) => {
    const value = base[valueColumn(rule) ?? rule.key] ?? null;
    const limit = limitOf(rule, figures[rule.key]);
    return {
      rule: rule.key,
      reason: rule.reason,
      passes: base[rule.key] === true,
      value,
      limit,
      found: rule.describe(value),
      required: rule.requirement(limit),
    };
  });
}

/**
 * What alone would turn the row's fate. A dropped row needs exactly one failure with a remedy; of a kept row, each rule's
 * own threshold, the nearest to the row's value first.
 */
export function flipsOf(
  asked: AskedRun,
  rules: readonly RuleExplanation[],
  methods: readonly MethodExplanation[],
): Flip[] {
  const bound = new Map(filterRules(asked).map((rule) => [rule.key, rule]));
  const failedRules = rules.filter((rule) => !rule.passes);
  const failedMethods = methods.filter((method) => !method.passes);
  if (failedRules.length + failedMethods.length > 1) return [];
  const [method] = failedMethods;
  if (method !== undefined) {
    const allow = `allow the hit: curate review ${asked.run.path} hits`;
    return [
      { change: allow, set: null, becomes: 'kept' },
      { change: `decontam without ${method.method}`, set: null, becomes: 'kept' },
    ];
  }
  const becomes = failedRules.length === 1 ? 'kept' : 'dropped';
  const turning = failedRules.length === 1 ? failedRules : rules;
  const flips = turning.flatMap((explained) => {
    const rule = bound.get(explained.rule);
    const flip = rule?.flip(explained.value, explained.passes) ?? null;
    if (flip === null) {
      if (explained.passes) return [];
      const change = `a pipeline without filter.${explained.rule}`;
      return [{ flip: { change, set: null, becomes } as Flip, distance: Number.POSITIVE_INFINITY }];
    }
    const key = ['filter', explained.rule, flip.option].filter((part) => part !== '').join('.');
    const to = JSON.stringify(flip.to);
    const from = explained.limit === null ? '' : ` ${explained.limit}`;
    const distance =
      typeof flip.to === 'number' && explained.limit !== null
        ? Math.abs(flip.to - explained.limit) / Math.max(1, Math.abs(explained.limit))
        : Number.MAX_VALUE;
    return [{ flip: { change: `${key}${from} → ${to}`, set: `${key}=${to}`, becomes } as Flip, distance }];
  });
  return flips.sort((a, b) => a.distance - b.distance).map((each) => each.flip);
}

// ---------------------------------------------------------------------------------------------------------------------

function filterRules(asked: AskedRun): BoundRule[] {
  return asked.has('filter') ? boundRules((asked.pipeline.stages.filter ?? {}) as FilterOptions) : [];
}

/** The number in force, as the stage reported it: a percentile was computed then. */
function limitOf(rule: BoundRule, figures: Json | undefined): number | null {
  if (rule.test.by !== 'limit' || figures === null || typeof figures !== 'object' || Array.isArray(figures))
    return null;
  const limit = figures[rule.test.option];
  return typeof limit === 'number' ? limit : null;
}
