import { literal, parquet } from '../../store/tables.js';
import type { Measure } from '../figures.js';
import { clipped, cut } from '../inert.js';
import { type PageFacts, readTexts } from './facts.js';
import { type Content, counted, figure, type Html, html, section, table } from './html.js';

/** Rows to read, drawn by the run's seed: some that were kept, and some of every reason. */
export async function sampleSection(facts: PageFacts): Promise<Html> {
  const draws: [string, string, number][] = [
    ['Kept', 'reason IS NULL', 6],
    ...facts.figures.reasons
      .filter((each) => each.rows > 0)
      .map((each): [string, string, number] => [
        `Left: ${each.reason}`,
        `reason = ${literal(each.reason)} AND stage = ${literal(each.stage)}`,
        2,
      ]),
  ];
  const groups: Content[] = [];
  for (const [title, where, most] of draws) groups.push(await sample(facts, title, where, most));
  return section(
    'samples',
    'Rows to read',
    html`<p>Drawn by the run’s seed (${facts.context.seed}), so the same run shows the same rows. Long text is cut; <code>curate explain RUN ID</code> shows all of it and every verdict.</p>\n`,
    groups,
  );
}

/** What could not be read, by source and reason, with a few excerpts. Null where nothing was quarantined. */
export async function quarantineSection(facts: PageFacts): Promise<Html> {
  const { quarantined } = facts.figures;
  const title = 'Quarantine';
  if (quarantined.length === 0) return section('quarantine', title, html`<p>Every row could be read.</p>\n`);
  const excerpts = await facts.tables.rows<{
    source: string;
    file: string;
    row: number;
    reason: string;
    excerpt: string;
  }>(
    `SELECT source, file, coalesce("row", -1) AS "row", reason, excerpt FROM (
       SELECT coalesce(source, '') AS source, coalesce(file, '') AS file, "row", coalesce(reason, '') AS reason,
         substr(coalesce(excerpt, ''), 1, 400) AS excerpt,
         row_number() OVER (PARTITION BY source, reason ORDER BY file, "row", "offset") AS place
       FROM ${parquet(facts.context.run.files('quarantine'))}
     ) WHERE place <= 1 ORDER BY source, reason LIMIT 12`,
  );
  return section(
    'quarantine',
    title,
    table(
      'Rows that could not be read',
      ['source', 'why', 'rows'],
      quarantined
        .slice(0, 40)
        .map((each) => [each.source, each.reason, figure(`quarantined.${each.source}.${each.reason}`, each.rows)]),
      [2],
    ),
    html`<ul class="cards">${excerpts.map(
      (
        each,
      ) => html`<li><p class="head"><b>${each.reason}</b> <span class="meta">${each.source} · ${each.file}${each.row < 0 ? null : ` · row ${each.row}`}</span></p>
<pre dir="auto">${clipped(each.excerpt, 300)}</pre></li>`,
    )}</ul>\n`,
  );
}

// ---------------------------------------------------------------------------------------------------------------------

type Drawn = {
  id: string;
  source: string;
  file: string;
  position: number;
  domain: string | null;
  language: string | null;
  question_words: number;
  trace_words: number;
  wait_count: number;
};

async function sample(facts: PageFacts, title: string, where: string, most: number): Promise<Html | null> {
  const rows = await facts.tables.rows<Drawn>(
    `SELECT id, source, file, position, domain, language, question_words, trace_words, wait_count FROM judged
     WHERE ${where} ORDER BY md5(${literal(`${facts.context.seed} `)} || id), id LIMIT ${most}`,
  );
  if (rows.length === 0) return null;
  const texts = await readTexts(facts, rows);
  return html`<h3>${title}</h3>\n${rows.map((row, index) => {
    const text = texts[index];
    if (text === undefined) return null;
    return html`<details${title === 'Kept' && index === 0 ? html` open` : null}><summary><span dir="auto">${cut(text.prompt, 110) || '(no prompt)'}</span>
<span class="meta">${[row.domain, row.language].filter((each) => each !== null).map((each) => `${each} · `)}${measured(row, 'question_words')} + ${measured(row, 'trace_words')} words · ${measured(row, 'wait_count')} “Wait”</span></summary>
<dl><dt>id</dt><dd><code>${row.id}</code></dd>
${textPart('prompt', text.prompt, text.promptLength)}
${textPart('reasoning', text.reasoning, text.reasoningLength)}
${textPart('answer', text.answer, text.answerLength)}</dl></details>\n`;
  })}`;
}

function measured(row: Drawn, measure: Measure): Html {
  return figure(`row.${row.id}.${measure}`, row[measure]);
}

function textPart(name: string, text: string, length: number): Html {
  if (length === 0) return html`<dt>${name}</dt><dd class="none">none</dd>`;
  const characters = [...text].length;
  const more = length - characters;
  return html`<dt>${name}</dt><dd class="text" dir="auto">${text}${more > 0 ? html`<span class="more"> … ${counted(more, 'more character')}</span>` : null}</dd>`;
}
