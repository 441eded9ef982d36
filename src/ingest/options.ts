import { z } from 'zod';
import { nearestName } from '../text/nearest-name.js';
import { mappedFields } from './adapters/columns.js';
import { adapterNames } from './adapters.js';
import { sourceNames } from './source-file.js';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const entry = z
  .strictObject({
    /** A source of data/sources/. */
    use: z
      .string()
      .superRefine((name, issue) => {
        if (sourceNames().includes(name)) return;
        const near = nearestName(name, sourceNames());
        const hint = near === null ? `known: ${sourceNames().join(', ')}` : `did you mean ${near}?`;
        issue.addIssue({ code: 'custom', message: `no source "${name}"; ${hint}` });
      })
      .optional(),
    /** What ids and reports call it. Default: `use`, else the last part of `path` or `hub` that is no glob. */
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore')
      .optional(),
    /** Files, folders or globs on this machine. */
    path: oneOrMore.optional(),
    hub: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, 'a data set of the hub, as owner/name')
      .optional(),
    /** Commit, tag or branch of the hub; a branch is resolved once and locked. */
    revision: z.string().min(1).optional(),
    adapter: z.enum(adapterNames as [string, ...string[]]).optional(),
    /** For the adapter `columns`: canonical field → column. */
    map: z.partialRecord(z.enum(mappedFields), z.string()).optional(),
    group: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore')
      .optional(),
    config: z.string().min(1).optional(),
    split: z.string().min(1).optional(),
    /** Globs over the source's own file names. */
    files: oneOrMore.optional(),
    /** SQL over the source's columns and `metadata`. */
    where: z.string().min(1).optional(),
    /** Rows of a seeded sample. */
    limit: z.int().min(1).optional(),
    on_error: z.enum(['quarantine', 'fail']).default('quarantine'),
    license: z.string().min(1).optional(),
  })
  .superRefine((value, issue) => {
    const complain = (message: string, key: string) => issue.addIssue({ code: 'custom', message, path: [key] });
    if (value.use === undefined && value.path === undefined && value.hub === undefined) {
      issue.addIssue({ code: 'custom', message: 'needs use, path or hub: where do the rows come from?' });
    }
    if (value.path !== undefined && value.hub !== undefined) complain('path and hub exclude each other', 'hub');
    if (value.use === undefined && value.adapter === undefined) {
      issue.addIssue({ code: 'custom', message: 'needs an adapter; curate inspect FILE says which fits' });
    }
    if (value.map !== undefined && value.adapter !== 'columns') complain('only the adapter columns takes a map', 'map');
    if (value.revision !== undefined && value.path !== undefined) complain('a path has no revision', 'revision');
  });

export const options = z.strictObject({
  sources: z.array(entry).min(1),
  /** Rows with the same prompt and trace: counted, or only the first of them kept. */
  duplicates: z.enum(['report', 'keep-first']).default('report'),
});

export type IngestOptions = z.output<typeof options>;
export type SourceEntry = IngestOptions['sources'][number];
