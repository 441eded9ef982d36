import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parse } from 'yaml';
import { type Adapter, isRecord } from '../ingest/adapter.js';
import { fittingAdapters } from '../ingest/adapters.js';
import { readRows } from '../store/readers/read-rows.js';
import { Tables } from '../store/tables.js';

/** A data file that an adapter reads, and how many distinct prompts its first rows hold. */
export interface OwnFile {
  path: string;
  adapter: string;
  rows: number;
  prompts: number;
}

/** So many rows are read to find the adapter and to choose the number of clusters. */
const rowsRead = 100_000;

/** Files that hold data by their name, of a folder and not below it. */
export function dataFilesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(jsonl|ndjson|json|parquet|csv|tsv)(\.(gz|zst|bz2))?$/.test(entry.name))
    .map((entry) => entry.name)
    .filter((name) => !/^(package|package-lock|tsconfig|biome)\b.*\.json$/.test(name))
    .sort();
}

/** What a file would become, or null where no adapter fits its first row. */
export async function lookAt(path: string): Promise<OwnFile | null> {
  const scratch = mkdtempSync(join(tmpdir(), 'curate-init-'));
  const tables = await Tables.open({ temporaryFolder: scratch });
  try {
    let adapter: Adapter | undefined;
    let rows = 0;
    const prompts = new Set<string>();
    for await (const reading of readRows(path, tables)) {
      if (reading.kind !== 'row' || !isRecord(reading.row)) continue;
      rows += 1;
      if (rows > rowsRead) break;
      adapter ??= fittingAdapters(Object.keys(reading.row))[0];
      if (adapter === undefined) return null;
      try {
        prompts.add(
          createHash('sha256')
            .update(String(adapter.read(reading.row, {}).prompt))
            .digest('base64'),
        );
      } catch {
        // A row that does not fit will be quarantined with its reason; here it only does not count as a prompt.
      }
    }
    return adapter === undefined
      ? null
      : { path, adapter: adapter.name, rows: Math.min(rows, rowsRead), prompts: prompts.size };
  } finally {
    tables.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A commented pipeline for one's own files. Without files it names a folder that is still to be filled. */
export function starterPipeline(name: string, files: readonly OwnFile[]): string {
  const prompts = files.reduce((sum, file) => sum + file.prompts, 0);
  // About twenty prompts a cluster, as the card's 50,000 clusters for a million and more.
  const k = Math.max(1, Math.min(50_000, Math.round(prompts / 20)));
  const sources =
    files.length === 0
      ? `  - path: ./mine/*.jsonl                  # your files: curate inspect FILE says which adapter fits
    adapter: messages
    group: traces`
      : files
          .map(
            (file) => `  - path: ${quoted(`./${file.path}`)}
    adapter: ${file.adapter}
    group: traces`,
          )
          .join('\n');
  return `# Written by curate init. Every key is explained in the README; curate plan says what a run would do.
name: ${text(name)}
seed: 42                                  # everything that is drawn by chance comes from it

sources:
${sources}
    # limit: 15000                        # a seeded sample of that many rows
    # on_error: fail                      # default: bad rows go to quarantine, with file, row and reason

duplicates: report                        # keep-first drops rows whose prompt and trace came before

# Domains: prompts are embedded, clustered, and each cluster named by the prompts nearest its centre.
# Take embed, cluster, classify and filter.domain out to keep rows of every domain.
embed:
  groups: [traces]
cluster:
  k: ${k}                                    # about one for 20 distinct prompts${files.length === 0 ? '' : ` (${prompts} were seen)`}; never more than there are
  algorithm: mini-batch
classify:
  labeler: embedded                       # llm, with endpoint: \${CURATE_LLM_URL} and model:, is what the published recipe uses
  labels: medical-domains

filter:
  domain: { keep: [Medical, Biology] }    # names of data/labels/medical-domains.yaml
  complete: true                          # reasoning closed, answer there
  prompt_words: { more_than: 3 }
  trace_words: { less_than: 7143 }        # reasoning and answer together
  wait_count: { at_most: 47 }

decontam:
  benchmarks: [medmcqa, medqa, pubmedqa, mmlu-pro-health, mmlu-pro-biology, medxpertqa]
  presets: [ii-medical, strict]           # the published recipe's two methods, and what they miss

export:
  rows_per_file: 50000
`;
}

/** A name for the run folder from the name of a working folder. */
export function nameFor(folder: string): string {
  const name = folder
    .slice(0, folder.length - extname(folder).length)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'my-dataset' : name;
}

/** A name that YAML would read as a number, a truth or nothing stands in quotes. */
function text(name: string): string {
  return typeof parse(name) === 'string' ? name : JSON.stringify(name);
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : JSON.stringify(text);
}
