import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { dataFolder } from '../product.js';
import type { Json } from '../store/fingerprint.js';
import { nearestName } from '../text/nearest-name.js';

const labelList = z.array(z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]));
const labelFile = z.looseObject({ labels: labelList });

/**
 * Throws a Problem where a label that `filter.domain` keeps is none of those that classify may give: a typing error here
 * would drop every row, and only after the clusters were paid for. `labels` is classify's option of that name; what
 * cannot be read is left to classify to complain about.
 */
export function checkKeptLabels(keep: readonly string[], labels: Json | undefined, resolve: (path: string) => string) {
  const known = labelNames(labels, resolve);
  if (known === null) return;
  const items = keep
    .filter((label) => !known.includes(label))
    .map((label) => {
      const near = nearestName(label, known);
      return `filter.domain.keep  no label "${label}"${near === null ? '' : `; did you mean ${near}?`}`;
    });
  if (items.length === 0) return;
  throw new Problem('filter.domain keeps a label that classify never gives', {
    items,
    try: `labels: ${known.join(', ')}`,
  });
}

// ---------------------------------------------------------------------------------------------------------------------

function labelNames(labels: Json | undefined, resolve: (path: string) => string): string[] | null {
  if (typeof labels !== 'string') {
    const list = labelList.safeParse(labels);
    return list.success ? list.data : null;
  }
  const shipped = join(dataFolder, 'labels', `${labels}.yaml`);
  const file = existsSync(shipped) ? shipped : resolve(labels);
  if (!existsSync(file)) return null;
  const content = labelFile.safeParse(parse(readFileSync(file, 'utf8')));
  return content.success ? content.data.labels : null;
}
