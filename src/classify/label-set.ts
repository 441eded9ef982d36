import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { dataFolder } from '../product.js';
import { fingerprint, sha256 } from '../store/fingerprint.js';
import { nearestName } from '../text/nearest-name.js';
import { type ClassifyOptions, type LabelSpec, labelSpec } from './options.js';

/** The labels among which a labeler chooses, in their order: where two are equally likely the earlier one wins. */
export interface LabelSet {
  name: string;
  labels: LabelSpec[];
  /** Of everything that can change an answer. */
  fingerprint: string;
  /** The file it came from; null where the labels stand in the pipeline file. */
  file: string | null;
  /** A linear correction fitted for this set (see docs/classify.md), or null. */
  calibrationFile: string | null;
}

const labelFile = z.strictObject({
  name: z.string().min(1),
  labels: z.array(z.union([z.string().trim().min(1), labelSpec])).min(2),
});

/** What the lock and the reports call a label set: its file, without the machine's folders. */
export function nameOf(set: LabelSet): string {
  return set.file === null ? set.name : basename(set.file);
}

/** Reads the labels that `classify.labels` names or holds. `resolve` makes a path of a pipeline file absolute. */
export function readLabelSet(labels: ClassifyOptions['labels'], resolve: (path: string) => string): LabelSet {
  if (Array.isArray(labels)) return makeLabelSet('inline', labels, null);
  const file = findLabelFile(labels, resolve);
  const parsed = parseLabelFile(file);
  return makeLabelSet(parsed.name, parsed.labels, file);
}

// ---------------------------------------------------------------------------------------------------------------------

function makeLabelSet(name: string, specs: (string | LabelSpec)[], file: string | null): LabelSet {
  const labels = specs.map((spec) =>
    typeof spec === 'string' ? { name: spec, description: '', prototypes: [] } : spec,
  );
  const seen = new Set<string>();
  for (const { name: each } of labels) {
    const key = each.toLowerCase();
    if (seen.has(key))
      throw new Problem(`the label "${each}" stands twice in ${name}`, { where: file ?? 'classify.labels' });
    seen.add(key);
  }
  const calibrationFile = file?.replace(/\.ya?ml$/, '.calibration.json') ?? null;
  return {
    name,
    labels,
    fingerprint: fingerprint(labels.map((each) => ({ ...each }))),
    file,
    calibrationFile: calibrationFile !== null && existsSync(calibrationFile) ? calibrationFile : null,
  };
}

function findLabelFile(name: string, resolve: (path: string) => string): string {
  const shipped = join(dataFolder, 'labels', `${name}.yaml`);
  if (/^[a-z0-9-]+$/i.test(name)) {
    if (existsSync(shipped)) return shipped;
  } else {
    const path = resolve(name);
    if (existsSync(path)) return path;
  }
  const near = nearestName(name, ['medical-domains']);
  throw new Problem(`no labels "${name}"`, {
    where: 'classify.labels',
    try: `${near === null ? 'medical-domains' : `did you mean ${near}? Or`}, the path of a YAML file, or a list of labels`,
  });
}

function parseLabelFile(file: string): z.infer<typeof labelFile> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Problem(`${basename(file)} is not valid YAML`, { where: file, found: (error as Error).message });
  }
  const result = labelFile.safeParse(content);
  if (result.success) return result.data;
  throw new Problem(`${basename(file)} is no list of labels`, {
    where: file,
    items: result.error.issues.map((issue) => `${issue.path.join('.')}  ${issue.message}`),
    try: 'data/labels/medical-domains.yaml shows the shape',
  });
}

/** SHA-256 of a file's bytes, for the lock. */
export function hashOfLabels(set: LabelSet): string {
  return set.file === null ? set.fingerprint : sha256(readFileSync(set.file));
}
