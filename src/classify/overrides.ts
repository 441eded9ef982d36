import { existsSync, readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { writeFileAtomic } from '../store/atomic.js';
import type { LabelSet } from './label-set.js';

/** A person's verdict on a cluster, known again by the prompts that stood nearest to its centre. */
export interface Override {
  label: string;
  /** `prompt_key`s of the cluster's exemplars when it was judged. */
  exemplars: string[];
}

const overridesFile = z.strictObject({
  overrides: z.array(
    z.strictObject({
      label: z.string().min(1),
      exemplars: z.array(z.string().regex(/^[0-9a-f]{32}$/, 'a prompt_key: 32 hex digits')).min(1),
    }),
  ),
});

/** The verdicts of a file; none where there is no such file yet. */
export function readOverrides(path: string, labels: LabelSet | null): Override[] {
  if (!existsSync(path)) return [];
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Problem('the overrides file is not valid YAML', { where: path, found: (error as Error).message });
  }
  const result = overridesFile.safeParse(content ?? { overrides: [] });
  if (!result.success) {
    throw new Problem('the overrides file cannot be read', {
      where: path,
      items: result.error.issues.map((issue) => `${issue.path.join('.')}  ${issue.message}`),
      try: 'overrides: [{label: …, exemplars: [prompt_key, …]}], as curate review RUN clusters writes it',
    });
  }
  const { overrides } = result.data;
  const unknown =
    labels === null ? [] : overrides.filter(({ label }) => !labels.labels.some(({ name }) => name === label));
  if (unknown.length > 0) {
    throw new Problem('the overrides file names labels that are not in use', {
      where: path,
      items: [...new Set(unknown.map(({ label }) => label))],
      try: `labels in use: ${labels?.labels.map(({ name }) => name).join(', ')}`,
    });
  }
  return overrides;
}

/** Writes the file anew, whole or not at all. */
export async function writeOverrides(
  path: string,
  temporaryFolder: string,
  overrides: readonly Override[],
): Promise<void> {
  const head = "# A person's verdicts on clusters, written by curate review RUN clusters. They outrank the votes.\n";
  await writeFileAtomic(path, temporaryFolder, head + stringify({ overrides }));
}

/**
 * The verdict that applies to a cluster with these exemplars: the one that names most of them, at least half; of two that
 * name as many the later, as a person may change their mind.
 */
export function overrideFor(overrides: readonly Override[], exemplars: readonly string[]): Override | null {
  let found: Override | null = null;
  let most = 0;
  for (const override of overrides) {
    const named = new Set(override.exemplars);
    const shared = exemplars.filter((key) => named.has(key)).length;
    if (shared * 2 >= exemplars.length && shared >= most && shared > 0) {
      found = override;
      most = shared;
    }
  }
  return found;
}
