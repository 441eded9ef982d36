/**
 * Lays down the benchmarks that ship, in the shape of m1_eval_data, from a Parquet of collected items.
 * `node --import tsx scripts/make-benchmark-samples.ts FOLDER_WITH_benchmark_items.parquet`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../src/store/fingerprint.js';
import { literal, Tables } from '../src/store/tables.js';

interface Sample {
  name: string;
  title: string;
  where: string;
  split: string;
  source: string;
  license: string;
  note?: string;
}

const samples: Sample[] = [
  {
    name: 'medmcqa',
    title: 'MedMCQA, dev',
    where: "bench = 'medmcqa'",
    split: 'dev',
    source: 'github.com/Teddy-XiongGZ/MIRAGE, from openlifescienceai/medmcqa',
    license: 'MIT',
  },
  {
    name: 'medqa',
    title: 'MedQA-USMLE, 4 options, test',
    where: "bench = 'medqa_usmle_4opt'",
    split: 'test',
    source: 'github.com/Teddy-XiongGZ/MIRAGE, from GBaker/MedQA-USMLE-4-options',
    license: 'MIT',
  },
  {
    name: 'pubmedqa',
    title: 'PubMedQA, labelled',
    where: "bench = 'pubmedqa_l'",
    split: 'all 1,000',
    source: 'github.com/pubmedqa/pubmedqa',
    license: 'MIT',
    note: 'The question follows its context, separated by a line break.',
  },
  {
    name: 'mmlu-pro-health',
    title: 'MMLU-Pro, health',
    where: "bench = 'mmlu_pro' AND meta.category = 'health'",
    split: 'test',
    source: 'github.com/TIGER-AI-Lab/MMLU-Pro',
    license: 'MIT (the repository: Apache-2.0)',
  },
  {
    name: 'mmlu-pro-biology',
    title: 'MMLU-Pro, biology',
    where: "bench = 'mmlu_pro' AND meta.category = 'biology'",
    split: 'test',
    source: 'github.com/TIGER-AI-Lab/MMLU-Pro',
    license: 'MIT (the repository: Apache-2.0)',
  },
  {
    name: 'medxpertqa',
    title: 'MedXpertQA, text',
    where: "bench = 'medxpertqa_text'",
    split: 'test',
    source: 'github.com/UCSC-VLAA/MedReason, from github.com/TsinghuaC3I/MedXpertQA',
    license: 'MIT (TsinghuaC3I/MedXpertQA)',
    note: 'A subset: 1,449 of the 2,450 text items. Answers are not in this copy.',
  },
];

const folder = process.argv[2];
if (folder === undefined) throw new Error('name the folder that holds benchmark_items.parquet');
const target = new URL('../data/samples/benchmarks/', import.meta.url).pathname;
const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-samples') });
for (const sample of samples) await make(sample);
tables.close();

async function make(sample: Sample): Promise<void> {
  const rows = await tables.rows(
    `SELECT question, options, answer, answer_idx, meta.question_id::VARCHAR AS question_id
     FROM read_parquet(${literal(join(folder as string, 'benchmark_items.parquet'))}) WHERE ${sample.where}`,
  );
  const items = rows.map((row) => {
    const options = Object.entries(row.options as Record<string, string | null>).filter(([, text]) => text !== null);
    return {
      ...(row.question_id === null ? {} : { item: row.question_id }),
      question: row.question,
      options: Object.fromEntries(options),
      ...(row.answer === null ? {} : { answer: row.answer }),
      ...(row.answer_idx === null ? {} : { answer_idx: row.answer_idx }),
    };
  });
  const content = gzipSync(`${JSON.stringify({ [sample.name]: items })}\n`, { level: 9 });
  mkdirSync(join(target, sample.name), { recursive: true });
  writeFileSync(join(target, sample.name, `${sample.name}.json.gz`), content);
  const about = {
    title: sample.title,
    split: sample.split,
    source: sample.source,
    license: sample.license,
    ...(sample.note === undefined ? {} : { note: sample.note }),
    items: items.length,
    file: `${sample.name}.json.gz`,
    bytes: content.length,
    sha256: sha256(content),
  };
  writeFileSync(join(target, sample.name, 'source.json'), `${JSON.stringify(about, null, 2)}\n`);
}
