import { droppedRows, quarantinedRows } from '../account.js';
import type { Coverage } from '../coverage.js';
import { labelerSentence } from '../sentences.js';
import type { PageFacts } from './facts.js';
import { type Content, countedFigure, figure, type Html, html, share } from './html.js';

/** The numbers that decide whether to train on this, and what to know before: the top of the page. */
export function verdict(facts: PageFacts, coverage: Coverage | null): Html {
  const { figures, context } = facts;
  const leaks = figures.reasons.filter((each) => each.stage === 'decontam').reduce((sum, each) => sum + each.rows, 0);
  const checked = coverage?.benchmarks.filter((each) => each.checked).length ?? 0;
  const named = coverage?.benchmarks.length ?? 0;
  const tiles: Content[] = [
    tile(
      figure('kept', figures.kept),
      html`rows kept of ${figure('rows', figures.rows)}`,
      share('share.kept', figures.kept, figures.rows),
    ),
    tile(figure('dropped', droppedRows(figures)), 'rows left, each with its reason', html`<a href="#funnel">why</a>`),
    context.options.decontam === undefined
      ? tile('none', 'decontamination did not run', null, true)
      : tile(
          figure('contaminated', leaks),
          'rows left as benchmark leaks',
          html`<a href="#contamination">${named === 0 ? 'which' : html`${figure('benchmarks.checked', checked)} of ${countedFigure('benchmarks', named, 'benchmark')} checked`}</a>`,
          checked < named,
        ),
    tile(
      figure('words', figures.words),
      'words of reasoning and answers',
      figures.kept === 0 ? null : html`${figure('words.row', Math.round(figures.words / figures.kept))} a row`,
    ),
  ];
  return html`<ul class="tiles">${tiles}</ul>
<section id="before" aria-labelledby="before-title"><h2 id="before-title">Before you train</h2>
<ul class="notes">${notes(facts, coverage).map((note) => html`<li class="${note.kind}">${note.text}</li>`)}</ul></section>
`;
}

// ---------------------------------------------------------------------------------------------------------------------

interface Note {
  kind: 'good' | 'mind' | 'bad';
  text: Content;
}

function tile(number: Content, what: Content, more: Content, doubtful = false): Html {
  return html`<li${doubtful ? html` class="doubtful"` : null}><b>${number}</b> <span>${what}</span>${more === null ? null : html` <small>${more}</small>`}</li>`;
}

function notes(facts: PageFacts, coverage: Coverage | null): Note[] {
  const { figures, context } = facts;
  const labeler = labelerSentence(context.options);
  const quarantined = quarantinedRows(figures);
  const known = figures.licenses.filter((each) => each.kept > 0);
  const closed = known.filter((each) => /(^|-)nc(-|$)/i.test(each.name)).reduce((sum, each) => sum + each.kept, 0);
  const unstated = known.find((each) => each.name === '')?.kept ?? 0;
  const unchecked = coverage?.benchmarks.filter((each) => !each.checked).map((each) => each.name) ?? [];
  const list: (Note | null)[] = [
    context.options.decontam === undefined
      ? { kind: 'bad', text: 'Not decontaminated: benchmark questions may be in it.' }
      : unchecked.length > 0
        ? {
            kind: 'bad',
            text: html`Named but <a href="#contamination">not checked</a>: ${unchecked.join(', ')}. A score on these proves nothing.`,
          }
        : {
            kind: 'good',
            text: html`Every named benchmark was checked; <a href="#contamination">what no method can see</a> is stated.`,
          },
    figures.incomplete > 0
      ? {
          kind: 'bad',
          text: html`${countedFigure('incomplete', figures.incomplete, 'row')} ${figures.incomplete === 1 ? 'has' : 'have'} no finished reasoning with an answer.`,
        }
      : { kind: 'good', text: 'Every row has finished reasoning and an answer.' },
    labeler === null
      ? null
      : { kind: 'mind', text: html`Domains are labels of whole <a href="#clusters">clusters</a>, by ${labeler}.` },
    {
      kind: 'mind',
      text: html`Render one row with your chat template: some cut everything before <code>&lt;/think&gt;</code>, and the reasoning with it. Qwen2.5’s keeps it.`,
    },
    closed > 0
      ? {
          kind: 'bad',
          text: html`${countedFigure('licence.closed', closed, 'row')} may not be used commercially (licence).`,
        }
      : null,
    unstated > 0
      ? { kind: 'mind', text: html`${countedFigure('licence.unstated', unstated, 'row')} state no licence.` }
      : null,
    quarantined > 0
      ? {
          kind: 'mind',
          text: html`${countedFigure('quarantined', quarantined, 'row')} could not be read: <a href="#quarantine">quarantine</a>.`,
        }
      : null,
    ...warningsOf(facts),
  ];
  return list.filter((note) => note !== null);
}

/** What the stages asked a person to see; decontamination's sentences stand in its own section. */
function warningsOf(facts: PageFacts): Note[] {
  const seen = new Set<string>();
  for (const { stage, report } of facts.stages) {
    if (stage !== 'decontam') for (const warning of report.warnings) seen.add(warning);
  }
  return [...seen].map((text) => ({ kind: 'mind', text }));
}
