import { literal, parquet } from '../../store/tables.js';
import { blindness, type Coverage } from '../coverage.js';
import { clipped } from '../inert.js';
import type { PageFacts } from './facts.js';
import { type Content, count, counted, figure, type Html, html, percent, section, table } from './html.js';

/** Which benchmarks the rows leak, what was found, and what no method could have found. */
export async function contaminationSection(facts: PageFacts, coverage: Coverage | null): Promise<Html> {
  if (facts.context.options.decontam === undefined) {
    return section('contamination', 'Contamination', html`<p>Decontamination was not part of this pipeline.</p>\n`);
  }
  return section(
    'contamination',
    'Contamination',
    await hitTable(facts, coverage),
    coverage === null ? null : coverageTable(coverage),
    coverage === null ? null : selfTest(coverage),
    await examples(facts),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

/** Hits of `hits/` on prompts, joined to the rows that carry them. */
function hits(facts: PageFacts): string | null {
  const files = facts.context.run.files('hits');
  return files.length === 0 ? null : parquet(files);
}

async function hitTable(facts: PageFacts, coverage: Coverage | null): Promise<Html> {
  const from = hits(facts);
  const methods = facts.judges.filter((judge) => judge.stage === 'decontam');
  const found =
    from === null
      ? []
      : await facts.tables.rows<{ benchmark: string; method: string; rows: number; items: number }>(
          `SELECT benchmark, method, count(DISTINCT id) AS rows, count(DISTINCT item) AS items
           FROM (
             SELECT j.id, benchmark, method, item FROM ${from} h JOIN judged j USING (prompt_key) WHERE h.id IS NULL
             UNION ALL SELECT h.id, benchmark, method, item FROM ${from} h WHERE h.id IS NOT NULL
           )
           GROUP BY ALL ORDER BY ALL`,
        );
  const names = [
    ...new Set([...(coverage?.benchmarks.map((each) => each.name) ?? []), ...found.map((each) => each.benchmark)]),
  ];
  const rowsOf = (benchmark: string, method: string) =>
    found.find((each) => each.benchmark === benchmark && each.method === method)?.rows ?? 0;
  const failed = (rule: string) =>
    facts.account.reasons.find((each) => each.stage === 'decontam' && each.reason === rule)?.failed ?? 0;
  return table(
    'Rows with a hit, kept or not, by benchmark',
    ['benchmark', ...methods.map((each) => each.rule)],
    [
      ...names.map((name): Content[] =>
        coverage?.benchmarks.find((each) => each.name === name)?.checked === false
          ? [name, ...methods.map(() => 'not checked')]
          : [name, ...methods.map((each) => figure(`hits.${name}.${each.rule}`, rowsOf(name, each.rule)))],
      ),
      ['any benchmark', ...methods.map((each): Content => html`<b>${count(failed(each.rule))}</b>`)],
    ],
    methods.map((_, index) => index + 1),
  );
}

function coverageTable(coverage: Coverage): Html {
  return table(
    'Coverage: what each method can see',
    ['benchmark', 'items', 'method', 'cannot see', 'share', 'why'],
    coverage.benchmarks.flatMap((each): Content[][] =>
      each.checked
        ? each.methods.map((method, index) => [
            index === 0 ? each.name : html`<span class="again">${each.name}</span>`,
            index === 0 ? itemCount(each) : '',
            method.method,
            figure(`unseen.${each.name}.${method.method}`, method.unseen),
            percent(method.unseen, each.items),
            blindness(method),
          ])
        : [[each.name, '–', html`<b>not checked</b>`, '–', '–', 'no copy of it was there']],
    ),
    [1, 3, 4],
  );
}

function itemCount(benchmark: Coverage['benchmarks'][number]): string {
  const { items, known } = benchmark;
  return known === null || known === items ? count(items) : `${count(items)} of ${count(known)}`;
}

/** Recall of each method by kind of leak: what a method that silently broke would look like. */
function selfTest(coverage: Coverage): Html | null {
  const all = coverage.self_test;
  if (all.length === 0) return null;
  const methods = [...new Set(all.map((each) => each.method))];
  const kinds = [...new Set(all.map((each) => each.kind))];
  return html`<h3>Self-test</h3>
<p>Leaks of each kind were made from the benchmarks’ own items, planted in prompts of this data, and looked for by the methods that judged it.</p>\n${table(
    'Self-test: share of planted leaks that were found',
    ['kind of leak', 'planted', ...methods],
    kinds.map((kind): Content[] => {
      const of = (method: string) => all.find((each) => each.kind === kind && each.method === method);
      const most = Math.max(0, ...methods.map((method) => of(method)?.planted ?? 0));
      return [kind, count(most), ...methods.map((method) => percent(of(method)?.found ?? 0, of(method)?.planted ?? 0))];
    }),
    [1, ...methods.map((_, index) => index + 2)],
  )}`;
}

type Example = {
  benchmark: string;
  method: string;
  item: string;
  score: number | null;
  span_count: number | null;
  text: string;
  before: string;
  span: string;
  after: string;
};

/** Up to two hits of each benchmark and method, drawn by the seed, with the matching span marked in the prompt. */
async function examples(facts: PageFacts): Promise<Html | null> {
  const { run } = facts.context;
  const from = hits(facts);
  const prompts = run.files('prompts');
  const rowFiles = run.files('rows');
  if (from === null || prompts.length === 0 || rowFiles.length === 0) return null;
  const places = await facts.tables.rows<Record<string, string | number | null> & { file: string }>(
    `SELECT * EXCLUDE (place) FROM (
       SELECT h.*, p.file, p."row" AS position,
         row_number() OVER (PARTITION BY benchmark, method ORDER BY md5(${literal(`${facts.context.seed} `)} || h.prompt_key), item) AS place
       FROM ${from} h JOIN ${parquet(prompts)} p USING (prompt_key) WHERE field = 'prompt'
     ) WHERE place <= 2 ORDER BY benchmark, method, place LIMIT 40`,
  );
  const found: Example[] = [];
  for (const place of places) {
    const start = Number(place.span_start ?? 0);
    const end = Number(place.span_end ?? 0);
    const [text] = await facts.tables.rows<{ before: string; span: string; after: string }>(
      `SELECT substr(prompt, ${Math.max(1, start - 249)}, ${Math.min(250, start)}) AS before,
         substr(prompt, ${start + 1}, ${Math.min(1500, end - start)}) AS span, substr(prompt, ${end + 1}, 250) AS after
       FROM ${parquet([run.file('rows', place.file)], 'file_row_number=true')} WHERE file_row_number = ${Number(place.position)}`,
    );
    if (text !== undefined) found.push({ ...(place as unknown as Example), ...text });
  }
  if (found.length === 0) return null;
  return html`<h3>What was found</h3>\n${found.map(
    (
      each,
    ) => html`<details><summary>${each.benchmark} · ${each.item} <span class="meta">${each.method}${each.score === null ? null : ` · score ${count(each.score)}`}${each.span_count === null ? null : ` · span occurs in ${counted(each.span_count, 'place')}`}</span></summary>
<div class="pair"><div><h5>prompt of the row</h5><div class="side" dir="auto">${each.before}<mark>${each.span}</mark>${each.after}</div></div>
<div><h5>benchmark</h5><div class="side" dir="auto">${clipped(each.text ?? '', 1200)}</div></div></div></details>\n`,
  )}`;
}
