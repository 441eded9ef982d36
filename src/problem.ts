/** What a person reads when something they can mend went wrong. Imports nothing; anyone may throw it. */
export interface ProblemParts {
  /** `file:line:column`, a folder, a source's name: where to look. */
  where?: string;
  /** What is there instead of what was expected. */
  found?: string;
  /** What to do or type next. */
  try?: string;
  /** Several findings of one kind, a line each (`file:line:column  key  what is wrong`). */
  items?: string[];
  /** true: a check that was asked for failed (exit 1). false, the default: it could not run (exit 2). */
  gate?: boolean;
  cause?: unknown;
}

export class Problem extends Error {
  readonly parts: ProblemParts;

  constructor(what: string, parts: ProblemParts = {}) {
    super(what, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'Problem';
    this.parts = parts;
  }
}
