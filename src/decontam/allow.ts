import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Problem } from '../problem.js';

/** A hit that a person looked at and judged to be none: the prompt stays although it matches this item. */
const allowed = z.strictObject({
  prompt_key: z.string().regex(/^[0-9a-f]{32}$/, 'the 32 hex digits of a prompt'),
  benchmark: z.string().min(1),
  item: z.union([z.string(), z.number()]).transform(String),
  /** Absent: whatever the method. */
  method: z.string().optional(),
  note: z.string().optional(),
});

export type Allowed = z.infer<typeof allowed>;

/** The hits that the file allows; a file that is not there is a problem. */
export function readAllowed(file: string): Allowed[] {
  if (!existsSync(file))
    throw new Problem('no such file of allowed hits', { where: file, try: 'curate review RUN hits writes one' });
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Problem(`${basename(file)} is not valid YAML`, { where: file, found: (error as Error).message });
  }
  const parsed = z.array(allowed).nullable().safeParse(content);
  if (parsed.success) return parsed.data ?? [];
  throw new Problem(`${basename(file)} is no list of allowed hits`, {
    where: file,
    items: parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}  ${issue.message}`),
    try: 'a list of { prompt_key: …, benchmark: …, item: … }, as curate review RUN hits writes it',
  });
}

/** The text of such a file. */
export function allowedText(entries: readonly Allowed[]): string {
  const head =
    '# Hits that a person judged to be none. Written by curate review; decontam.allow and --allow read it.\n';
  return head + stringify(entries.map((entry) => ({ ...entry })));
}
