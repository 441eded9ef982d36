/**
 * Lays down the reasoning traces that ship in data/samples/, each in the shape in which a public source publishes its
 * own, and the truth about them (domain, origin) where tests find it and the pipeline does not.
 * `node --import tsx scripts/make-trace-samples.ts FOLDER_WITH_medical_traces.parquet_AND_reasoning_traces.parquet`
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../src/store/fingerprint.js';
import { literal, type Row, Tables } from '../src/store/tables.js';

/** Rows taken of each set of reasoning_traces by the hash of their text; those with more than 47 "Wait" all come first. */
const taken = { thought_anchors: 1300, reasoning_gym_eval: 1130, trace_topology: 70 };

interface Sample {
  folder: string;
  file: string;
  /** Of the tables `medical` and `reasoning`. */
  from: string;
  license: string;
  origin: string;
  shape: string;
  /** SQL for the file's columns, in the published shape. */
  columns: string;
  write: 'zstd' | 'snappy' | 'json' | 'jsonl.gz';
}

const samples: Sample[] = [
  {
    folder: 'general-thought',
    file: 'rml-mmlu-pro.parquet',
    from: "medical WHERE source = 'rml-mmlu-pro'",
    license: 'MIT',
    origin:
      'github.com/wgantt/reasoning-models-lie, commit 72ce365: Kimi-K2-Thinking and Qwen3-Next on MMLU-Pro questions',
    shape: 'GeneralThought (GeneralReasoning/GeneralThought-430K)',
    columns: `position AS question_id, NULL::VARCHAR AS question_url, prompt AS question, meta->>'gold' AS reference_answer,
      [{'role': 'system', 'content': meta->>'system'}] AS prev_messages, model AS model_name, response AS model_answer,
      reasoning AS model_reasoning, NULL::VARCHAR AS task, license AS question_license, source AS question_source,
      NULL::DOUBLE AS community_answer_score, NULL::DOUBLE AS community_question_score, NULL::DOUBLE AS verifier_score`,
    write: 'zstd',
  },
  {
    folder: 'openthoughts2',
    file: 'dipg-safety-gym.parquet',
    from: "medical WHERE source = 'dipg-safety-gym'",
    license: 'BSD-3-Clause',
    origin:
      'github.com/surfiniaburger/med-safety-gym-v2, commit acddc7b: Qwen3-235B-A22B-Thinking on paediatric oncology',
    shape: 'OpenThoughts2-1M (open-thoughts/OpenThoughts2-1M)',
    columns: `[{'from': 'user', 'value': prompt}, {'from': 'assistant', 'value': response}] AS conversations, prompt AS question, source`,
    write: 'snappy',
  },
  {
    folder: 'openthoughts2',
    file: 'thought-anchors.parquet',
    from: "reasoning WHERE source IN ('thought_anchors', 'trace_topology')",
    license: 'MIT',
    origin:
      'github.com/interp-reasoning/thought-anchors and github.com/markyx316/LLM-Reasoning-Trace-Topology: DeepSeek-R1 and its distillations on mathematics and general questions',
    shape: 'OpenThoughts2-1M (open-thoughts/OpenThoughts2-1M)',
    columns: `[{'from': 'user', 'value': prompt}, {'from': 'assistant', 'value': response}] AS conversations, prompt AS question, source`,
    write: 'snappy',
  },
  {
    folder: 'r1-distill-sft',
    file: 'marco-o1.parquet',
    from: "medical WHERE source = 'marco-o1-cot-demo'",
    license: 'Apache-2.0',
    origin:
      'github.com/AIDC-AI/Marco-o1, commit 4f99998, data/CoT_demo.json: <Thought> and <Output> instead of <think>',
    shape: 'R1-Distill-SFT, config v0 (ServiceNow-AI/R1-Distill-SFT)',
    columns: `id, response AS reannotated_assistant_content, prompt AS problem, source, NULL::VARCHAR AS solution,
      NULL::BOOLEAN AS verified, NULL::VARCHAR AS quality_metrics`,
    write: 'zstd',
  },
  {
    folder: 'am-r1-distilled',
    file: 'reasoning-gym-eval.jsonl.gz',
    from: "reasoning WHERE source = 'reasoning_gym_eval'",
    license: 'Apache-2.0',
    origin: 'github.com/open-thought/reasoning-gym-eval: small models trained by reinforcement on procedural puzzles',
    shape: 'AM-DeepSeek-R1-Distilled-1.4M (a-m-team/AM-DeepSeek-R1-Distilled-1.4M)',
    columns: `[{'role': 'user', 'content': prompt, 'info': {'source': source, 'reference_answer': gold, 'test_case': NULL::VARCHAR, 'think_content': NULL::VARCHAR, 'answer_content': NULL::VARCHAR}},
      {'role': 'assistant', 'content': response, 'info': {'source': NULL::VARCHAR, 'reference_answer': NULL::VARCHAR, 'test_case': NULL::VARCHAR, 'think_content': NULL::VARCHAR, 'answer_content': NULL::VARCHAR}}] AS messages`,
    write: 'jsonl.gz',
  },
  {
    folder: 'medical-r1-distill-zh',
    file: 'delicate-medical-r1.json',
    from: "medical WHERE source = 'delicate-medical-r1-val'",
    license: 'MIT',
    origin:
      'github.com/xuxufei12/qwen3_medical_sft, commit c239aef, val.jsonl: answers of the DeepSeek-R1 family in Chinese',
    shape: 'Medical-R1-Distill-Data-Chinese (FreedomIntelligence/Medical-R1-Distill-Data-Chinese)',
    columns: `prompt AS question, reasoning AS "reasoning (reasoning_content)", response AS "response (content)"`,
    write: 'json',
  },
  {
    folder: 'medical-o1',
    file: 'huatuo-o1-demo.json',
    from: "medical WHERE source = 'huatuo-o1-demo'",
    license: 'Apache-2.0',
    origin:
      'github.com/xk-huang/HuatuoGPT-o1, commit 7db873f, data/demo_data.json: GPT-4o through the search of HuatuoGPT-o1',
    shape: 'medical-o1-reasoning-SFT (FreedomIntelligence/medical-o1-reasoning-SFT)',
    columns: `prompt AS "Question", reasoning AS "Complex_CoT", response AS "Response"`,
    write: 'json',
  },
];

const given = process.argv[2];
if (given === undefined) throw new Error('which folder holds medical_traces.parquet and reasoning_traces.parquet?');
const root = join(import.meta.dirname, '..');
const tables = await Tables.open({ temporaryFolder: join(tmpdir(), 'curate-samples'), memoryMegabytes: 2048 });
await tables.run(`CREATE TABLE medical AS SELECT * REPLACE (meta::JSON AS meta), file_row_number AS position
  FROM read_parquet(${literal(join(given, 'medical_traces.parquet'))}, file_row_number=true)`);
await tables.run(`CREATE TABLE reasoning AS SELECT * EXCLUDE (rank) FROM (
    SELECT *, file_row_number AS position, row_number() OVER (PARTITION BY source
      ORDER BY (length(response) - length(replace(response, 'Wait', ''))) / 4 <= 47, sha256('42:' || prompt || response), file_row_number) AS rank
    FROM read_parquet(${literal(join(given, 'reasoning_traces.parquet'))}, file_row_number=true))
  WHERE rank <= CASE source ${Object.entries(taken)
    .map(([source, count]) => `WHEN ${literal(source)} THEN ${count}`)
    .join(' ')} ELSE 0 END`);

const folder = (name: string) => join(root, 'data', 'samples', name);
for (const name of new Set(samples.map((sample) => sample.folder))) {
  rmSync(folder(name), { recursive: true, force: true });
  mkdirSync(folder(name), { recursive: true });
}
const truth: string[] = [];
const described: { sample: Sample; rows: number; bytes: number; sha256: string }[] = [];
for (const sample of samples) {
  const path = join(folder(sample.folder), sample.file);
  const select = `SELECT ${sample.columns} FROM ${sample.from} ORDER BY position`;
  const { n } = await tables.row<{ n: number }>(`SELECT count(*) AS n FROM ${sample.from}`);
  if (sample.write === 'zstd' || sample.write === 'snappy') {
    await tables.run(
      `COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION ${sample.write}, ROW_GROUP_SIZE 2048)`,
    );
  } else {
    const rows = await tables.rows<Row>(select);
    if (sample.write === 'json') writeFileSync(path, `${JSON.stringify(rows, null, 2)}\n`);
    else writeFileSync(path, gzipSync(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`, { level: 9 }));
  }
  const isMedical = sample.from.startsWith('medical');
  truth.push(`SELECT ${literal(sample.folder)} AS sample, ${literal(sample.file)} AS file,
    row_number() OVER (ORDER BY position) - 1 AS row, sha256(prompt)[1:32] AS prompt_key, domain, source, license,
    ${isMedical ? "id, language, meta->>'condition' AS condition, meta->>'mmlu_pro_domain' AS mmlu_pro_domain" : "NULL AS id, 'en' AS language, NULL AS condition, NULL AS mmlu_pro_domain"}
    FROM ${sample.from}`);
  described.push({ sample, rows: n, bytes: statSync(path).size, sha256: sha256(readFileSync(path)) });
}
await tables.copy(
  `SELECT * FROM (${truth.join(' UNION ALL ')}) ORDER BY sample, file, row`,
  join(root, 'test', 'ingest', 'samples-truth.parquet'),
);
for (const name of new Set(samples.map((sample) => sample.folder))) {
  const own = described.filter((each) => each.sample.folder === name);
  writeFileSync(join(folder(name), 'README.md'), readme(name, own));
}
for (const { sample, rows, bytes } of described)
  console.log(`${sample.folder}/${sample.file}: ${rows} rows, ${bytes} bytes`);
tables.close();

function readme(name: string, own: typeof described): string {
  const [first] = own;
  if (first === undefined) throw new Error(`no file in ${name}`);
  return [
    `# ${name}`,
    '',
    `Real reasoning traces in the shape of ${first.sample.shape}, so that its own adapter reads them; they are not rows of that set.`,
    'Made by `scripts/make-trace-samples.ts`. Each file keeps the licence of its source.',
    '',
    '| file | rows | licence | source | SHA-256 |',
    '|---|---|---|---|---|',
    ...own.map(
      (each) =>
        `| ${each.sample.file} | ${each.rows} | ${each.sample.license} | ${each.sample.origin} | \`${each.sha256}\` |`,
    ),
    '',
  ].join('\n');
}
