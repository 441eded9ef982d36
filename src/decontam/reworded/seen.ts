import type { RunFolder } from '../../store/folder.js';
import { literal, parquet, type Tables } from '../../store/tables.js';
import { Evidence } from '../evidence.js';
import { featureNames } from './features.js';
import { isNumber, termsOf } from './terms.js';

/** What a person is told of a hit of this method beside its two texts. */
export interface Measures {
  /** Of the item among the prompt's candidates. */
  rank: number;
  /** Features by name, as docs/decontam.md explains them. */
  values: { [feature: string]: number };
}

/** What was measured of a prompt and an item; null for hits of other methods. */
export async function measuresOf(
  tables: Tables,
  run: RunFolder,
  hit: { promptKey: string; benchmark: string; item: string },
): Promise<Measures | null> {
  const files = run.files('candidates');
  if (files.length === 0) return null;
  const [row] = await tables.rows(
    `SELECT * FROM ${parquet(files)} WHERE prompt_key = ${literal(hit.promptKey)}
       AND benchmark = ${literal(hit.benchmark)} AND item = ${literal(hit.item)} LIMIT 1`,
  );
  if (row === undefined) return null;
  const values = featureNames.flatMap((name): [string, number][] =>
    typeof row[name] === 'number' ? [[name, Number((row[name] as number).toPrecision(4))]] : [],
  );
  return { rank: Number(row.rank), values: Object.fromEntries(values) };
}

/** The words of a text, as they stand there, that are rare or numbers and that the other text has too. */
export function sharedRare(text: string, other: string): string[] {
  const inOther = new Set(termsOf(other));
  const shared = new Set<string>();
  for (const word of text.split(/[^\p{L}\p{N}.,]+/u)) {
    const bare = word.replace(/^[.,]+|[.,]+$/g, '');
    const terms = termsOf(bare);
    if (terms.length > 0 && terms.every((term) => inOther.has(term) && (isNumber(term) || isRare(bare))))
      shared.add(bare);
  }
  return [...shared].sort();
}

// ---------------------------------------------------------------------------------------------------------------------

/** One in some hundred and fifty prompts. */
const rareNats = 5;
let evidence: Evidence | null = null;

function isRare(word: string): boolean {
  evidence ??= new Evidence([]);
  return evidence.word(word.toLowerCase()) >= rareNats;
}
