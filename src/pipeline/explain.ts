import { Problem } from '../problem.js';
import { literal, parquet, type Row, type Tables } from '../store/tables.js';
import { type ClusterExplanation, clusterOf } from './explain-cluster.js';
import type { HitExplanation } from './explain-hits.js';
import { type Flip, flipsOf, type MethodExplanation, type RuleExplanation, rulesOf } from './explain-rules.js';
import { type AskedRun, askRun, baseRelation, placeKey, readRows, withTables } from './fates.js';
import { readStageState } from './state.js';

/** One row's whole life. */
export interface Explanation {
  id: string;
  source: string;
  group: string | null;
  /** Where the row stood in its source, and which revision and bytes of it were read. */
  origin: { file: string; row: number; revision: string | null; sha256: string | null };
  /** Where it stands in this run folder. */
  place: { file: string; row: number };
  prompt: string;
  reasoning: string | null;
  answer: string | null;
  language: string | null;
  model: string | null;
  license: string | null;
  finishReason: string | null;
  /** null: some stage has not judged it yet. */
  kept: boolean | null;
  /** The first reason that it met, or null. */
  reason: string | null;
  /** null: not clustered, because its group was not embedded or the stages have not run. */
  cluster: ClusterExplanation | null;
  rules: RuleExplanation[];
  methods: MethodExplanation[];
  hits: HitExplanation[];
  /** Each of these alone turns the row's fate; the smallest change first. */
  flips: Flip[];
}

const rowColumns = [
  '"group"',
  'origin.file AS origin_file',
  'origin.row AS origin_row',
  'prompt',
  'reasoning',
  'answer',
  'language',
  'model',
  'license',
  'finish_reason',
];

/** Everything that the run folder knows of a row. */
export async function explainRow(folder: string, id: string): Promise<Explanation> {
  const asked = askRun(folder);
  return withTables(async (tables) => {
    const [base] = await tables.rows(`SELECT * FROM ${baseRelation(asked)} WHERE id = ${literal(id)}`);
    if (base === undefined) throw await unknownRow(tables, asked, id);
    const place = { file: String(base.file), row: Number(base.row) };
    const row = (await readRows<Row>(tables, asked.run, [place], rowColumns)).get(placeKey(place));
    if (row === undefined) {
      throw new Problem(`row ${id} is not where the verdicts say it is`, {
        where: `rows/${place.file}`,
        try: `curate verify ${asked.run.path}`,
      });
    }
    const rules = rulesOf(asked, base);
    const methods = await methodsOf(tables, asked, id);
    const failed = [...rules.filter((rule) => !rule.passes), ...methods.filter((method) => !method.passes)];
    const first = failed[0];
    const judged = (['filter', 'decontam'] as const).every(
      (stage) => asked.pipeline.stages[stage] === undefined || asked.has(stage),
    );
    return {
      id,
      source: String(base.source),
      group: row.group as string | null,
      origin: originOf(asked, String(base.source), String(row.origin_file), Number(row.origin_row)),
      place,
      prompt: String(row.prompt ?? ''),
      reasoning: row.reasoning as string | null,
      answer: row.answer as string | null,
      language: row.language as string | null,
      model: row.model as string | null,
      license: row.license as string | null,
      finishReason: row.finish_reason as string | null,
      kept: first === undefined ? (judged ? true : null) : false,
      reason: first === undefined ? null : 'reason' in first ? first.reason : first.method,
      cluster: await clusterOf(tables, asked, String(base.prompt_key)),
      rules,
      methods,
      hits: await hitsOf(tables, asked, { id, prompt_key: String(base.prompt_key) }, row),
      flips: flipsOf(asked, rules, methods),
    };
  });
}

// ---------------------------------------------------------------------------------------------------------------------

async function unknownRow(tables: Tables, asked: AskedRun, id: string): Promise<Problem> {
  const near = await tables.rows<{ id: string }>(
    `SELECT id FROM ${baseRelation(asked)} WHERE starts_with(id, ${literal(id)}) ORDER BY id LIMIT 5`,
  );
  return new Problem(`this run has no row "${id}"`, {
    where: asked.run.path,
    ...(near.length === 0 ? {} : { items: near.map((each) => `begins like it  ${each.id}`) }),
    try: 'curate explain RUN --prompt "some words of it" finds a row by its text; a row that ingest refused lies in quarantine/',
  });
}

function originOf(asked: AskedRun, source: string, file: string, row: number): Explanation['origin'] {
  const inputs = readStageState(asked.run, 'ingest')?.inputs ?? [];
  const own = inputs.filter((input) => input.kind === 'source');
  const input =
    own.find((each) => each.name === `${source}/${file}`) ?? own.find((each) => each.name.endsWith(`/${file}`));
  return { file, row, revision: input?.revision ?? null, sha256: input?.sha256 ?? null };
}

/** What reads benchmarks is loaded for a row with hits alone: it takes longer than all the questions to the tables. */
async function hitsOf(
  tables: Tables,
  asked: AskedRun,
  { id, prompt_key }: { id: string; prompt_key: string },
  row: Row,
): Promise<HitExplanation[]> {
  const files = asked.run.files('hits');
  if (!asked.has('decontam') || files.length === 0) return [];
  const hits = await tables.rows(
    `SELECT * FROM ${parquet(files)} WHERE prompt_key = ${literal(prompt_key)} AND (id IS NULL OR id = ${literal(id)})
     ORDER BY method, score DESC, benchmark, item`,
  );
  if (hits.length === 0) return [];
  const { explainHits } = await import('./explain-hits.js');
  return explainHits(tables, asked, hits, prompt_key, row);
}

async function methodsOf(tables: Tables, asked: AskedRun, id: string): Promise<MethodExplanation[]> {
  const files = asked.run.files('verdicts/decontam');
  if (!asked.has('decontam') || files.length === 0) return [];
  const [row] = await tables.rows(`SELECT * FROM ${parquet(files)} WHERE id = ${literal(id)}`);
  if (row === undefined) return [];
  return Object.entries(row).flatMap(([method, passes]) => (typeof passes === 'boolean' ? [{ method, passes }] : []));
}
