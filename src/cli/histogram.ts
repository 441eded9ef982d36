import type { RuleHistogram } from '../pipeline/whatif.js';
import { bar, number, type Output, percent, safe } from './output.js';

interface Bucket {
  lower: number;
  upper: number;
  count: number;
  passes: boolean;
}

/** How a rule's values lie around its threshold: bars of one width, with the threshold as a line between two of them. */
export function showHistogram(output: Output, histogram: RuleHistogram, rows: number): void {
  const was =
    histogram.before !== null && histogram.before !== histogram.limit ? `, in the run ${number(histogram.before)}` : '';
  const limit = histogram.limit === null ? 'no limit' : `${histogram.passes} ${number(histogram.limit)}`;
  output.line(
    safe(
      `${histogram.rule} ${limit}${was} · ${number(histogram.failed)} rows fail (${percent(histogram.failed, rows)})`,
    ),
  );
  const buckets = bucketsOf(histogram);
  const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
  const labels = buckets.map(labelOf);
  const labelWidth = Math.max(...labels.map((label) => label.length), 0);
  const countWidth = Math.max(...buckets.map((bucket) => number(bucket.count).length), 0);
  const columns = Math.max(10, Math.min(50, output.width - labelWidth - countWidth - 8));
  buckets.forEach((bucket, index) => {
    const before = buckets[index - 1];
    if (before !== undefined && before.passes !== bucket.passes) {
      output.line(
        output.paint(
          'warning',
          `  ${'─'.repeat(labelWidth)} ${limit} ${bucket.passes ? 'passes below this line' : 'fails below this line'}`,
        ),
      );
    }
    const line = `  ${(labels[index] ?? '').padStart(labelWidth)}  ${number(bucket.count).padStart(countWidth)}  `;
    output.line(`${line}${output.paint(bucket.passes ? 'good' : 'bad', bar(bucket.count / most, columns))}`.trimEnd());
  });
  output.line();
}

/** At most 14 bars of equal width with an edge at the threshold, the last one open to the right. */
function bucketsOf({ bins, limit, passes }: RuleHistogram): Bucket[] {
  const isShare = bins.some(([lower, upper]) => upper - lower < 1);
  const step = isShare ? 0.01 : 1;
  const top = Math.max(0, ...bins.map(([, upper]) => upper));
  // The first value on the far side of the threshold.
  const edge = limit === null ? top : passes === '<' ? limit : limit + step;
  const width = Math.max(step, roundUp(edge / 8, step));
  const buckets: Bucket[] = [];
  const below = passes !== '>';
  for (let lower = 0; lower < edge - step / 2; lower += width) {
    buckets.push({ lower, upper: Math.min(edge, lower + width), count: 0, passes: below });
  }
  for (let index = 0; index < 5; index += 1) {
    buckets.push({ lower: edge + index * width, upper: edge + (index + 1) * width, count: 0, passes: !below });
  }
  const last = buckets.at(-1);
  if (last !== undefined) last.upper = Number.POSITIVE_INFINITY;
  for (const [lower, , count] of bins) {
    const bucket = buckets.find((each) => lower < each.upper - step / 2);
    if (bucket !== undefined) bucket.count += count;
  }
  while (buckets.length > 1 && buckets.at(-1)?.count === 0) buckets.pop();
  return buckets;
}

function labelOf({ lower, upper }: Bucket): string {
  const isShare = !Number.isInteger(lower) || (Number.isFinite(upper) && !Number.isInteger(upper));
  const show = (value: number) => (isShare ? value.toFixed(2) : number(Math.round(value)));
  if (!Number.isFinite(upper)) return `${show(lower)} and more`;
  if (!isShare && upper - lower <= 1) return show(lower);
  return isShare ? `${show(lower)} to ${show(upper)}` : `${show(lower)} to ${show(upper - 1)}`;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step - 1e-9) * step;
}
