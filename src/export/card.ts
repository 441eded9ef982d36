import { stringify } from 'yaml';
import { z } from 'zod';
import type { StageContext } from '../pipeline/stage.js';
import { productVersion } from '../product.js';
import { formatNumber } from '../text/number.js';
import { type Account, quarantinedRows, type Share } from './account.js';
import { coverageTable, readCoverage, rewordedSentence } from './coverage.js';
import type { Figures } from './figures.js';
import { hubLicenses } from './hub-license.js';
import { markdown } from './inert.js';
import { runName, stageFacts } from './run-facts.js';
import { labelerSentence, reasonSentence } from './sentences.js';

/**
 * The dataset card: the hub's metadata, what was done with which numbers, what could not be checked, how to load it and
 * how to make it again. Holds no clock, so an equal run writes equal bytes.
 */
export function writeCard(account: Figures, context: StageContext): string {
  const name = runName(context.run);
  return `---
${stringify(metadata(name, account, context.options), { lineWidth: 0 })}---

# ${markdown(name)}

${count(account.kept)} reasoning traces, kept out of ${count(account.rows)} rows of ${count(account.sources.length, 'source')} by \
curate ${productVersion}. Every row that left has a reason, and the run that made this set can be repeated.
${section('What is in it', contents(account))}
${section('How a row got in', funnel(account, context))}
${section('Decontamination', decontamination(context))}
${section('Loading and training', training(name))}
${section('Columns', columns)}
${section('Limits', limits(account, context))}
${section('How to rebuild', rebuild)}`;
}

// ---------------------------------------------------------------------------------------------------------------------

function metadata(name: string, account: Account, options: StageContext['options']): Record<string, unknown> {
  const keep = z.looseObject({ domain: z.looseObject({ keep: z.array(z.string()) }) }).safeParse(options.filter).data;
  const tags = (keep?.domain.keep ?? []).map((domain) => domain.toLowerCase().replace(/[^a-z0-9]+/g, '-'));
  const languages = languagesOf(account.languages.filter((each) => each.kept > 0));
  return {
    pretty_name: name,
    license: hubLicenses(account.licenses.filter((each) => each.kept > 0).map((each) => each.name)),
    ...(languages.length > 0 ? { language: languages } : {}),
    task_categories: ['text-generation', 'question-answering'],
    tags: [...new Set(['reasoning', 'chain-of-thought', ...tags])],
    size_categories: [sizeCategory(account.kept)],
    configs: [{ config_name: 'default', data_files: [{ split: 'train', path: 'train-*.parquet' }] }],
  };
}

/** The hub knows two- and three-letter codes, and these two words. */
function languagesOf(shares: Share[]): string[] {
  const codes = shares.map((share) => (share.name === 'mixed' ? 'multilingual' : share.name));
  return [
    ...new Set(codes.filter((code) => /^[a-z]{2,3}$/.test(code) || code === 'code' || code === 'multilingual')),
  ].sort();
}

function sizeCategory(rows: number): string {
  const bounds = ['1K', '10K', '100K', '1M', '10M', '100M', '1B', '10B', '100B', '1T'];
  const index = bounds.findIndex((_, power) => rows < 1000 * 10 ** power);
  if (index === 0) return 'n<1K';
  return index === -1 ? 'n>1T' : `${bounds[index - 1]}<n<${bounds[index]}`;
}

function contents(account: Account): string {
  const shares = (title: string, all: Share[]) => {
    const kept = all.filter((each) => each.kept > 0);
    if (kept.length === 0) return [];
    const named = kept.slice(0, 12).map((each) => `${markdown(each.name) || 'not stated'} ${count(each.kept)}`);
    const rest = kept.slice(12).reduce((sum, each) => sum + each.kept, 0);
    return [`- **${title}**: ${named.join(' · ')}${rest > 0 ? ` · others ${count(rest)}` : ''}`];
  };
  const lines = account.sources.map((each) => [markdown(each.name), count(each.rows), count(each.kept)]);
  return `${table(['source', 'rows', 'kept'], lines)}

${[
  ...shares('Groups', account.groups),
  ...shares('Domain of the prompt’s cluster', account.domains),
  ...shares('Language', account.languages),
  ...shares('Licence of the rows', account.licenses),
  ...shares('Model that wrote the trace', account.models),
].join('\n')}

The licence of each row is in its column \`license\`; the set as a whole is under all of them.`;
}

function funnel(account: Account, context: StageContext): string {
  const filter = stageFacts(context.run, 'filter');
  const lines = account.reasons.map((each) => [
    markdown(each.reason),
    markdown(reasonSentence(each.reason, each.stage, context.options, filter)),
    count(each.rows),
    count(each.failed),
    count(each.failedOnly),
  ]);
  const labeler = labelerSentence(context.options);
  const quarantined = quarantinedRows(account);
  return `Each row counts once under *left*, at the first rule that it failed; *failed* counts every row that fails the rule, *only* those that fail no other.

${table(['reason', 'the rows that left', 'left', 'failed', 'only'], lines)}

Of ${count(account.rows)} rows ${count(account.kept)} were kept. Rows that could not be read (quarantined): ${count(quarantined)}.
${labeler === null ? '' : `\nDomains were named by ${markdown(labeler)}.\n`}`;
}

function decontamination(context: StageContext): string | null {
  const coverage = readCoverage(context);
  const table = coverageTable(coverage);
  const sentence = rewordedSentence(coverage);
  return sentence === null ? table : `${table ?? ''}\n\n${markdown(sentence)}`;
}

function training(name: string): string {
  return `\`\`\`python
from datasets import load_dataset
dataset = load_dataset("parquet", data_files="train-*.parquet", split="train")   # or load_dataset() with this folder
\`\`\`

TRL's \`SFTTrainer\` takes the column \`messages\` as it is. LLaMA-Factory: \`dataset_dir\` is this folder, \`dataset: ${name}\`.

**Look at your chat template first.** The assistant's content is \`<think>\\n{reasoning}\\n</think>\\n\\n{answer}\`. Some templates (DeepSeek-R1-Distill's, and Qwen3's for all but the last turn) cut everything before \`</think>\`, and the model would then learn the answers alone. Qwen2.5's template keeps it. Render one row and look before you train.`;
}

const columns = table(
  ['column', 'what it holds'],
  [
    ['`id`', 'the row, stable over runs: source, hash of its native id or content'],
    ['`source`, `group`', 'the entry of the pipeline that the row came from'],
    ['`messages`', 'list of `{role, content}`: `system` where there is one, `user`, `assistant`'],
    ['`question`', 'the prompt alone (`prompt` is a name that TRL takes for another format)'],
    ['`reasoning`, `answer`', 'the two parts of the trace'],
    ['`reference_answer`', 'where the source has one'],
    ['`model`', 'the model that wrote the trace, where stated'],
    ['`language`', 'of the row: a code, `mixed` or `code`'],
    ['`domain`, `cluster_id`', 'label and number of the prompt’s cluster; empty in groups that were not clustered'],
    ['`question_words`, `trace_words`, `wait_count`', 'as the filter counts them'],
    ['`origin`', '`{file, row}` in the source'],
    ['`license`', 'of the row'],
  ],
);

function limits(account: Figures, context: StageContext): string {
  const { incomplete } = account;
  const unknown = account.licenses.find((each) => each.name === '')?.kept ?? 0;
  const lines = [
    'The traces were written by language models. They were not checked by a physician or any other expert, and may be wrong, also where they sound sure. Not for clinical use.',
    ...(context.options.classify === undefined
      ? []
      : [
          'A label belongs to a whole cluster of prompts, not to a prompt: some rows are of another domain than `domain` says.',
        ]),
    ...(context.options.decontam === undefined
      ? ['The set was **not decontaminated**: it may hold benchmark questions.']
      : [
          'Decontamination finds what its methods can see in the benchmarks that were checked; the table above says what they could not.',
        ]),
    ...(context.options.filter === undefined ? ['No filter ran: incomplete and over-long traces are in it.'] : []),
    ...(incomplete > 0
      ? [
          `${count(incomplete)} rows are incomplete: without an answer, without reasoning, or a prompt alone (a turn is there when its text is).`,
        ]
      : []),
    ...(unknown > 0 ? [`${count(unknown)} rows state no licence.`] : []),
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

const rebuild = `\`\`\`
npm install curate
npx curate run pipeline.yaml --frozen --lock curate.lock
\`\`\`

\`curate.lock\` of the run names every source, benchmark and model file by its SHA-256, every threshold and the checksum of every file here; with \`--frozen\` the same set comes out or the command fails and says what differs.
\`curate explain RUN ID\` tells why any row is, or is not, in the set.
`;

function section(title: string, body: string | null): string {
  return body === null ? '' : `\n## ${title}\n\n${body}`;
}

function table(heads: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function count(value: number, noun?: string): string {
  const text = formatNumber(value);
  return noun === undefined ? text : `${text} ${noun}${value === 1 ? '' : 's'}`;
}
