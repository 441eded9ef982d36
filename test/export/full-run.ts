import { writeFileSync } from 'node:fs';
import { BIGINT, BOOLEAN, DOUBLE, FLOAT, INTEGER, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { hitColumns } from '../../src/decontam/hit-columns.js';
import { keyOf, SmallRun, type TestRow } from './small-run.js';

/** Text that would do harm if a page, a card or a terminal took it for anything but text. */
export const hostile = [
  '<script>globalThis.stolen = true</script>',
  '</style><style>body{display:none}</style>',
  '</title></textarea></svg></details><img src=x onerror="globalThis.stolen = true">',
  '<a href="javascript:globalThis.stolen=true">[click](javascript:alert(1))</a>',
  '\u202eright to left\u202c \u2066isolate\u2069 zero\u200bwidth',
  '\u001b[31mred\u001b]0;title\u0007 bell\u0000nul',
  '\' OR 1=1; --" onmouseover="globalThis.stolen=true',
  '| a | b |\n|---|---|\n![x](http://example.com/x.png)\n```\n# heading',
];

/** A run folder with every table, every kind of fate, and hostile text wherever a row's text can get to. */
export async function fullRun(): Promise<SmallRun> {
  const small = new SmallRun();
  Object.assign(small.options, {
    embed: { groups: ['r1-traces'] },
    cluster: { k: 5 },
    classify: { labeler: 'embedded' },
    filter: {
      domain: { keep: ['Medical', 'Biology'] },
      complete: true,
      prompt_words: { more_than: 3, words: 'segmented' },
      trace_words: { less_than: 7143, of: 'trace', words: 'literal' },
      wait_count: { percentile: 97 },
    },
    decontam: { presets: ['ii-medical'] },
  });
  small.writeState('run.json', { format: 1, name: 'full_run', version: '0.1.0' });
  small.writeState('stages/filter.json', {
    report: { ...emptyReport, figures: { wait_count: { at_most: 47, percentile: 97 } } },
  });
  small.options.ingest = { sources: [] };
  small.writeState('stages/ingest.json', {
    report: { ...emptyReport, warnings: [`a warning with ${hostile[0]}`] },
    inputs: [{ kind: 'source', name: `sources/${hostile[2]}`, sha256: 'ab'.repeat(32), revision: 'abc' }],
  });
  const rows = allRows();
  await small.addRows('000-00000-000.parquet', rows.slice(0, 20));
  await small.addRows('000-00000-001.parquet', rows.slice(20));
  await writeClusters(small, rows);
  await writeHits(small, rows);
  await small.write('quarantine', '000-00000.parquet', quarantineTypes, [
    ...hostile.map((excerpt, index) => ({
      source: index < 2 ? `evil ${hostile[index]}` : 'general-thought',
      file: `part-${index}.jsonl`,
      row: BigInt(index),
      offset: 0n,
      reason: index % 2 === 0 ? 'not JSON' : `bad ${excerpt}`,
      excerpt,
    })),
  ]);
  return small;
}

function allRows(): TestRow[] {
  const fates = [
    [],
    [],
    ['domain'],
    ['complete'],
    ['trace_words'],
    ['wait_count', 'domain'],
    ['ngram_10'],
    ['fuzzy_90', 'ngram_10'],
  ];
  return Array.from({ length: 48 }, (_, index): TestRow => {
    const text = hostile[index % hostile.length] ?? '';
    return {
      id: `row-${index}`,
      source: index % 8 === 7 ? `evil ${text}` : `source-${index % 3}`,
      group: index % 5 === 0 ? 'medical' : 'r1-traces',
      prompt: `${text} prompt ${Math.floor(index / 2)}: a 63-year-old man with chest pain, what is the next step?`,
      reasoning: index === 9 ? 'Wait. '.repeat(400_000) : `${text} Wait, think ${index}.`,
      answer: `${text} answer ${index}`,
      language: index % 6 === 0 ? 'zh' : index % 11 === 0 ? text : 'en',
      license: index % 4 === 0 ? 'CC-BY-NC-SA-4.0' : index % 13 === 0 ? null : 'Apache-2.0',
      model: index % 9 === 0 ? text : 'DeepSeek-R1',
      words: 4 + index * index * 5,
      waits: index,
      fails: fates[Math.floor(index / 3) % fates.length] ?? [],
    };
  });
}

async function writeClusters(small: SmallRun, rows: TestRow[]): Promise<void> {
  const keys = [...new Set(rows.filter((row) => row.group === 'r1-traces').map((row) => keyOf(row.prompt ?? '')))];
  const places = new Map<string, { file: string; row: bigint }>();
  rows.forEach((row, index) => {
    const key = keyOf(row.prompt ?? '');
    const place =
      index < 20
        ? { file: '000-00000-000.parquet', row: BigInt(index) }
        : { file: '000-00000-001.parquet', row: BigInt(index - 20) };
    if (!places.has(key)) places.set(key, place);
  });
  await small.write(
    'prompts',
    'prompts.parquet',
    { prompt_key: VARCHAR, file: VARCHAR, row: BIGINT, groups: LIST(VARCHAR) },
    [...places].map(([prompt_key, place]) => ({ prompt_key, ...place, groups: listValue(['r1-traces']) })),
  );
  const assigned = keys.map((prompt_key, index) => ({
    prompt_key,
    cluster_id: index % 5,
    distance: 0.1 + index / 100,
  }));
  await small.write(
    'clusters',
    'assignments.parquet',
    { prompt_key: VARCHAR, cluster_id: INTEGER, distance: FLOAT },
    assigned,
  );
  await small.write(
    'clusters',
    'exemplars.parquet',
    { cluster_id: INTEGER, rank: INTEGER, prompt_key: VARCHAR, distance: FLOAT },
    assigned.slice(0, 20).map((each, index) => ({ ...each, rank: 1 + Math.floor(index / 5) })),
  );
  await small.write(
    'labels',
    'labels.parquet',
    {
      cluster_id: INTEGER,
      label: VARCHAR,
      agreement: DOUBLE,
      agreement_high: DOUBLE,
      votes: INTEGER,
      decided_by: VARCHAR,
      uncertain: BOOLEAN,
    },
    ['Medical', 'Biology', 'Law', `Evil ${hostile[0]}`, 'Physics'].map((label, cluster_id) => ({
      cluster_id,
      label,
      agreement: 1 - cluster_id / 10,
      agreement_high: 1,
      votes: 10,
      decided_by: 'votes',
      uncertain: cluster_id === 4,
    })),
  );
}

async function writeHits(small: SmallRun, rows: TestRow[]): Promise<void> {
  const leaks = rows.filter((row) => row.fails?.some((rule) => rule === 'ngram_10' || rule === 'fuzzy_90'));
  await small.write(
    'hits',
    '00000.parquet',
    hitColumns,
    leaks.map((row, index) => ({
      prompt_key: keyOf(row.prompt ?? ''),
      field: 'prompt',
      method: index % 2 === 0 ? 'ngram_10' : 'fuzzy_90',
      benchmark: index % 3 === 0 ? 'medqa' : 'medmcqa',
      item: `item ${hostile[index % hostile.length]}`,
      score: 1,
      span_start: 3,
      span_end: 40,
      span_count: index,
      text: `${hostile[index % hostile.length]} a 63-year-old man with chest pain`,
      id: null,
    })),
  );
  writeFileSync(
    small.run.table('coverage.json'),
    JSON.stringify({
      benchmarks: [
        {
          name: 'medmcqa',
          items: 4183,
          methods: [
            { method: 'ngram_10', seen: 2430, unseen: 1753, why: 'under 10 words' },
            { method: 'fuzzy_90', seen: 4183, unseen: 0, limited: { 'only as a whole prompt': 12 } },
          ],
        },
        { name: 'medqa', items: 1273, methods: [{ method: 'ngram_10', seen: 1273, unseen: 0 }] },
        { name: 'lancet', checked: false, items: 0 },
      ],
      examples: leaks.slice(0, 6).map((row, index) => ({
        prompt_key: keyOf(row.prompt ?? ''),
        method: index % 2 === 0 ? 'ngram_10' : 'fuzzy_90',
        benchmark: index % 3 === 0 ? 'medqa' : 'medmcqa',
        item: `item ${hostile[index % hostile.length]}`,
        text: index === 5 ? null : `${hostile[index % hostile.length]} a 63-year-old man with chest pain`,
      })),
      self_test: [
        { kind: 'verbatim', method: 'ngram_10', planted: 40, blind: 10, found: 30 },
        { kind: 'verbatim', method: 'fuzzy_90', planted: 40, blind: 0, found: 40 },
      ],
    }),
  );
}

const emptyReport = { unit: 'rows', in: 0, kept: 0, dropped: {}, quarantined: 0, figures: {}, notes: {}, warnings: [] };

const quarantineTypes = {
  source: VARCHAR,
  file: VARCHAR,
  row: BIGINT,
  offset: BIGINT,
  reason: VARCHAR,
  excerpt: VARCHAR,
};
