import type { Json } from '../store/fingerprint.js';

/** Leaves of two options that differ, as `wait_count.at_most 47 → 30`. */
export function changedValues(before: Json | undefined, now: Json | undefined, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  const bothObjects = [before, now].every((each) => each !== null && typeof each === 'object' && !Array.isArray(each));
  if (bothObjects) {
    const [a, b] = [before as Record<string, Json>, now as Record<string, Json>];
    return Object.keys({ ...a, ...b }).flatMap((key) =>
      changedValues(a[key], b[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const name = path === '' ? 'options' : path;
  if (before === undefined || now === undefined) return [`${name} ${before === undefined ? 'is new' : 'is gone'}`];
  return [`${name} ${shortJson(before)} → ${shortJson(now)}`];
}

/** Enough of a value to know it by: a list of benchmarks would fill the screen. */
function shortJson(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
