/**
 * Counts in how many prompts each folded word occurs, and writes how rare it is: what `strict` weighs words by.
 * `node --import tsx scripts/make-word-rarity.ts FOLDER_WITH_prompts.parquet`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../src/store/fingerprint.js';
import { literal, Tables } from '../src/store/tables.js';
import { fold, foldedWords } from '../src/text/fold.js';

/** Words in fewer prompts are left out: a word that is not in the table is as rare as these. */
const leastPrompts = 4;
/** Of sources made of a few sentences around changing names only so many prompts count. */
const mostPerSource = 12_000;

const folder = process.argv[2];
if (folder === undefined) throw new Error('name the folder that holds prompts.parquet');
const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-rarity') });
const counts = { medical: new Map<string, number>(), general: new Map<string, number>() };
const totals = { medical: 0, general: 0 };
const perSource = new Map<string, number>();
for await (const rows of tables.stream<{ source: string; domain: string; prompt: string }>(
  `SELECT source, domain, prompt FROM read_parquet(${literal(join(folder, 'prompts.parquet'))})
   WHERE language IN ('en', 'zh') ORDER BY hash(id)`,
))
  for (const { source, domain, prompt } of rows) {
    const taken = perSource.get(source) ?? 0;
    if (taken >= mostPerSource) continue;
    perSource.set(source, taken + 1);
    const field = domain === 'medical' ? 'medical' : 'general';
    totals[field] += 1;
    for (const word of new Set(foldedWords(fold(prompt)))) counts[field].set(word, (counts[field].get(word) ?? 0) + 1);
  }
tables.close();

const lines: string[] = [];
for (const word of [...new Set([...counts.medical.keys(), ...counts.general.keys()])].sort()) {
  const medical = counts.medical.get(word) ?? 0;
  const general = counts.general.get(word) ?? 0;
  if (medical + general < leastPrompts || word.length > 30) continue;
  const share = Math.max(medical / totals.medical, general / totals.general);
  lines.push(`${word}\t${Math.round(-10 * Math.log(share))}`);
}
const content = gzipSync(`${lines.join('\n')}\n`, { level: 9 });
const target = new URL('../data/rarity/', import.meta.url).pathname;
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'words.tsv.gz'), content);
writeFileSync(
  join(target, 'source.json'),
  `${JSON.stringify(
    {
      title: 'How rare words are in questions',
      columns: 'word (folded), ten times the negative natural logarithm of the share of prompts that hold it',
      source:
        'document counts over public English and Chinese prompts (MedQuAD, ChatDoctor, MTS-Dialog, Huatuo, BEIR, TriviaQA, SQuAD, Natural Questions, GSM8K, MATH, BIG-bench Hard, Alpaca and others), the larger share of medical and other prompts; counts only, no text',
      license: 'counts of words in sources under MIT, Apache-2.0, CC-BY and CC-BY-SA licences',
      prompts: totals,
      words: lines.length,
      file: 'words.tsv.gz',
      bytes: content.length,
      sha256: sha256(content),
    },
    null,
    2,
  )}\n`,
);
