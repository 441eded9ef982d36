import { parquet } from '../../store/tables.js';
import { fold, foldedWords } from '../../text/fold.js';
import { blindness, type Coverage } from '../coverage.js';
import { clipped } from '../inert.js';
import type { PageFacts } from './facts.js';
import { type Content, countedFigure, figure, type Html, html, section, share, table } from './html.js';

/** Which benchmarks the rows leak, what was found, and what no method could have found. */
export async function contaminationSection(facts: PageFacts, coverage: Coverage | null): Promise<Html> {
  if (facts.context.options.decontam === undefined) {
    return section('contamination', 'Contamination', html`<p>Decontamination was not part of this pipeline.</p>\n`);
  }
  return section(
    'contamination',
    'Contamination',
    hitTable(facts, coverage),
    coverage === null ? null : coverageTable(coverage),
    notes(facts),
    coverage === null ? null : selfTest(coverage),
    await examples(facts, coverage),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

/** The table `hits`; null where nothing was looked for. */
function hits(facts: PageFacts): string | null {
  const files = facts.context.run.files('hits');
  return files.length === 0 ? null : parquet(files);
}

function hitTable(facts: PageFacts, coverage: Coverage | null): Html {
  const methods = facts.judges.filter((judge) => judge.stage === 'decontam');
  const found = facts.figures.leaks;
  const names = [
    ...new Set([...(coverage?.benchmarks.map((each) => each.name) ?? []), ...found.map((each) => each.benchmark)]),
  ];
  const rowsOf = (benchmark: string, method: string) =>
    found.find((each) => each.benchmark === benchmark && each.method === method)?.rows ?? 0;
  const failed = (rule: string) =>
    facts.figures.reasons.find((each) => each.stage === 'decontam' && each.reason === rule)?.failed ?? 0;
  return table(
    'Rows with a hit, kept or not, by benchmark',
    ['benchmark', ...methods.map((each) => each.rule)],
    [
      ...names.map((name): Content[] =>
        coverage?.benchmarks.find((each) => each.name === name)?.checked === false
          ? [name, ...methods.map(() => 'not checked')]
          : [name, ...methods.map((each) => figure(`hits.${name}.${each.rule}`, rowsOf(name, each.rule)))],
      ),
      [
        'any benchmark',
        ...methods.map((each): Content => html`<b>${figure(`hits.${each.rule}`, failed(each.rule))}</b>`),
      ],
    ],
    methods.map((_, index) => index + 1),
  );
}

/** What the stage asked a person to see: repeated items, subsets. */
function notes(facts: PageFacts): Html | null {
  const warnings = facts.stages.find((each) => each.stage === 'decontam')?.report.warnings ?? [];
  if (warnings.length === 0) return null;
  return html`<ul class="notes">${warnings.map((each) => html`<li class="mind">${each}</li>`)}</ul>\n`;
}

/** One line a benchmark: what each method cannot see, and why. */
function coverageTable(coverage: Coverage): Html {
  const methods = [...new Set(coverage.benchmarks.flatMap((each) => each.methods.map((method) => method.method)))];
  return table(
    'Coverage: items that a method cannot see',
    ['benchmark', 'items', ...methods],
    coverage.benchmarks.map((each): Content[] => {
      if (!each.checked) return [each.name, html`<b>not checked</b>`, ...methods.map(() => '–')];
      const of = (name: string) => each.methods.find((method) => method.method === name);
      return [each.name, itemCount(each), ...methods.map((name) => blindCell(each, of(name)))];
    }),
    [1, ...methods.map((_, index) => index + 2)],
  );
}

type Benchmark = Coverage['benchmarks'][number];

function blindCell(benchmark: Benchmark, method: Benchmark['methods'][number] | undefined): Content {
  if (method === undefined) return '–';
  const why = blindness(method);
  const name = `unseen.${benchmark.name}.${method.method}`;
  const part = method.unseen === 0 ? null : html` (${share(name, method.unseen, benchmark.items)})`;
  return html`${figure(name, method.unseen)}${part}${why === '' ? null : html`<small>${why}</small>`}`;
}

function itemCount(benchmark: Benchmark): Html {
  const { name, items, known } = benchmark;
  const there = figure(`items.${name}`, items);
  return known === null || known === items ? there : html`${there} of ${figure(`known.${name}`, known)}`;
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
      return [
        kind,
        figure(`planted.${kind}`, most),
        // Rewordings are planted for the one method that can see them, the rest for the others.
        ...methods.map((method) => {
          const own = of(method);
          return own === undefined ? '–' : share(`found.${kind}.${method}`, own.found, own.planted);
        }),
      ];
    }),
    [1, ...methods.map((_, index) => index + 2)],
  )}`;
}

type Found = {
  prompt_key: string;
  benchmark: string;
  method: string;
  item: string;
  score: number | null;
  span_count: number | null;
  before: string;
  span: string;
  after: string;
  text: string | null;
  rank?: number | undefined;
  measured?: Record<string, number> | undefined;
  shared?: string[] | undefined;
};

/** The hits that decontamination drew, both texts side by side, with what they share marked. */
async function examples(facts: PageFacts, coverage: Coverage | null): Promise<Html | null> {
  const { run } = facts.context;
  const from = hits(facts);
  const prompts = run.files('prompts');
  if (from === null || prompts.length === 0) return null;
  const found: Found[] = [];
  for (const example of (coverage?.examples ?? []).slice(0, 60)) {
    const [hit] = await facts.tables.rows<{
      score: number | null;
      span_count: number | null;
      span_start: number;
      span_end: number;
      file: string;
      position: number;
    }>(
      `SELECT score, span_count, coalesce(span_start, 0) AS span_start, coalesce(span_end, 0) AS span_end, p.file,
         p."row" AS position
       FROM (SELECT * FROM ${from} WHERE prompt_key = $1 AND benchmark = $2 AND method = $3 AND item = $4 AND id IS NULL) JOIN ${parquet(prompts)} p USING (prompt_key)
       ORDER BY span_start LIMIT 1`,
      [example.prompt_key, example.benchmark, example.method, example.item],
    );
    if (hit === undefined) continue;
    const { span_start: start, span_end: end } = hit;
    const [text] = await facts.tables.rows<{ before: string; span: string; after: string }>(
      `SELECT substr(prompt, ${Math.max(1, start - 249)}, ${Math.min(250, start)}) AS before,
         substr(prompt, ${start + 1}, ${Math.min(1500, end - start)}) AS span, substr(prompt, ${end + 1}, 250) AS after
       FROM ${parquet([run.file('rows', hit.file)], 'file_row_number=true')} WHERE file_row_number = ${hit.position}`,
    );
    if (text !== undefined) found.push({ ...example, ...hit, ...text });
  }
  if (found.length === 0) return null;
  return html`<h3>What was found</h3>\n<p>Two hits of each benchmark and method, drawn by the run’s seed. What a method matched is marked, and on the right the same, or the words that both hold.</p>\n${found.map(
    (
      each,
      index,
    ) => html`<details${index === 0 ? html` open` : null}><summary>${each.benchmark}, item ${each.item} <span class="meta">${each.method}${measuredHit(each)}</span></summary>
${measured(each)}<div class="pair"><div><p class="side-name">prompt of the row</p><div class="side" dir="auto">${each.before}${each.shared === undefined ? html`<mark>${each.span}</mark>` : markedRare(each.span, each.shared)}${each.after}</div></div>
<div><p class="side-name">benchmark item</p><div class="side" dir="auto">${each.text === null ? html`<span class="none">its authors ask that it is not published</span>` : each.shared === undefined ? marked(each.text, each.span) : markedRare(clipped(each.text, 1500), each.shared)}</div></div></div></details>\n`,
  )}`;
}

/** Score and how common the span is, as figures by the hit's key. */
function measuredHit(hit: Found): Content {
  const name = `hit.${hit.prompt_key}.${hit.method}.${hit.benchmark}.${hit.item}`;
  return [
    hit.score === null ? null : html` · score ${figure(`${name}.score`, Number(hit.score.toPrecision(3)))}`,
    hit.span_count === null
      ? null
      : html` · the span stands in ${countedFigure(`${name}.items`, hit.span_count, 'item')}`,
  ];
}

/** Of a rewording: its rank among the candidates and what was measured. */
function measured({ rank, measured: values }: Found): Content {
  if (rank === undefined || values === undefined) return null;
  const features = Object.entries(values).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  return html`<p class="meta">${[`candidate ${rank}`, ...features].join(' · ')}</p>\n`;
}

/** A text with the rare words and numbers marked that the other one has too. */
function markedRare(text: string, shared: readonly string[]): Content {
  const words = new Set(shared);
  return text
    .split(/([\p{L}\p{N}]+(?:[.,][\p{L}\p{N}]+)*)/u)
    .map((part): Content => (words.has(part) ? html`<mark>${part}</mark>` : part));
}

/** The item's text with the span marked where it stands in it, else the words of it that the span holds too. */
function marked(text: string, span: string): Content {
  const words = span.trim().split(/\s+/).slice(0, 400);
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+');
  const match = words[0] === '' ? null : new RegExp(pattern, 'iu').exec(text);
  if (match === null) return markedWords(clipped(text, 1200), span);
  const end = match.index + match[0].length;
  const before = text.slice(Math.max(0, match.index - 400), match.index);
  return html`${match.index > 400 ? '…' : null}${before}<mark>${clipped(match[0], 1500)}</mark>${clipped(text.slice(end), 400)}`;
}

function markedWords(text: string, span: string): Content {
  const shared = new Set(foldedWords(fold(span)));
  return text.split(/(\s+)/).map((part): Content => {
    const words = foldedWords(fold(part));
    return words.length > 0 && words.every((word) => shared.has(word)) ? html`<mark>${part}</mark>` : part;
  });
}
