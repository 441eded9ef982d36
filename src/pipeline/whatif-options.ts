import { parse } from 'yaml';
import type { z } from 'zod';
import { type FilterOptions, filterOptions, rules as registry } from '../filter/registry.js';
import { Problem } from '../problem.js';
import type { Json } from '../store/fingerprint.js';
import { nearestName } from '../text/nearest-name.js';

/** The run's options with the assignments applied and checked as a pipeline file is. */
export function changedOptions(before: FilterOptions, set: readonly string[]): FilterOptions {
  const changed = structuredClone(before) as { [key: string]: Json };
  for (const assignment of set) {
    const equals = assignment.indexOf('=');
    const [stage, rule = '', ...path] = assignment.slice(0, Math.max(0, equals)).split('.');
    if (equals < 1 || stage !== 'filter' || rule === '') {
      throw new Problem(`--set ${assignment}: whatif changes filter rules only`, {
        found: equals < 1 ? 'no key.path=value' : `the key ${assignment.slice(0, equals)}`,
        try: '--set filter.wait_count.at_most=30; curate plan --set … says what other changes would recompute',
      });
    }
    const keys = Object.keys(registry);
    if (!keys.includes(rule)) {
      const near = nearestName(rule, keys);
      throw new Problem(`--set ${assignment}: no rule "${rule}"`, {
        try: near === null ? keys.join(', ') : `did you mean ${near}?`,
      });
    }
    assign(changed, [rule, ...path], parse(assignment.slice(equals + 1)) as Json);
    if (rule === 'wait_count') dropOtherLimit(changed, path[0]);
    const order = changed.order as string[] | undefined;
    if (order !== undefined && !order.includes(rule)) changed.order = [...order, rule];
  }
  const parsed = filterOptions.safeParse(changed);
  if (parsed.success) return parsed.data;
  throw new Problem('these options are not possible', {
    items: parsed.error.issues.map((issue: z.core.$ZodIssue) => `filter.${issue.path.join('.')}  ${issue.message}`),
  });
}

// ---------------------------------------------------------------------------------------------------------------------

function assign(target: { [key: string]: Json }, path: readonly string[], value: Json): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    if (value === null) delete target[key];
    else target[key] = value;
    return;
  }
  const inner = target[key];
  const isObject = inner !== null && typeof inner === 'object' && !Array.isArray(inner);
  const object: { [key: string]: Json } = isObject ? inner : {};
  target[key] = object;
  assign(object, rest, value);
}

/** `at_most` and `percentile` exclude each other: the one that was set now replaces the other. */
function dropOtherLimit(options: { [key: string]: Json }, key: string | undefined): void {
  const rule = options.wait_count;
  if (rule === null || typeof rule !== 'object' || Array.isArray(rule)) return;
  if (key === 'at_most') delete rule.percentile;
  if (key === 'percentile') delete rule.at_most;
}
