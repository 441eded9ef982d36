import { createHash } from 'node:crypto';
import { productVersion } from '../../product.js';
import type { Coverage } from '../coverage.js';
import { clusterSection } from './clusters.js';
import { contaminationSection } from './contamination.js';
import type { PageFacts } from './facts.js';
import { funnelSection } from './funnel.js';
import { histogramSection } from './histograms.js';
import { count, figure, Html, html } from './html.js';
import { mixSection } from './mix.js';
import { rebuildSection } from './rebuild.js';
import { quarantineSection, sampleSection } from './samples.js';
import { style } from './style.js';
import { verdict } from './verdict.js';

/**
 * `report.html`: one file without script, link or request, for someone who decides whether to train on the set. The
 * policy in its head lets a browser load nothing and apply this one style sheet, whatever a row's text says.
 */
export async function writePage(facts: PageFacts, coverage: Coverage | null): Promise<string> {
  const { figures } = facts;
  const sections = [
    await funnelSection(facts),
    await histogramSection(facts),
    await mixSection(facts),
    await clusterSection(facts),
    await contaminationSection(facts, coverage),
    await sampleSection(facts),
    await quarantineSection(facts),
    rebuildSection(facts),
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash(style)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${facts.name}: ${count(figures.kept)} of ${count(figures.rows)} rows kept</title>
<style>${new Html(style)}</style>
</head>
<body>
<header class="top">
<h1>${facts.name}</h1>
<p class="lead">A training set of ${figure('lead.kept', figures.kept)} reasoning traces out of ${figure('lead.rows', figures.rows)} rows from ${figure('lead.sources', figures.sources.length)} sources, and why each row is in it or not.</p>
${verdict(facts, coverage)}</header>
<nav aria-label="Sections"><ul>${titles(sections)}</ul></nav>
<main>
${sections}</main>
<footer><p>Written by curate ${productVersion} from the tables beside this file. It holds no script, asks for nothing, and is the same in every equal run.</p></footer>
</body>
</html>
`;
  return page.text;
}

// ---------------------------------------------------------------------------------------------------------------------

function hash(text: string): Html {
  return new Html(createHash('sha256').update(text).digest('base64'));
}

const names: Record<string, string> = {
  funnel: 'Funnel',
  lengths: 'Lengths',
  mix: 'Mix',
  clusters: 'Clusters',
  contamination: 'Contamination',
  samples: 'Rows',
  quarantine: 'Quarantine',
  rebuild: 'Rebuild',
};

function titles(sections: (Html | null)[]): Html[] {
  return sections.flatMap((section) => {
    const id = /^<section id="([^"]*)"/.exec(section?.text ?? '')?.[1];
    return id === undefined ? [] : [html`<li><a href="#${id}">${names[id] ?? id}</a></li>`];
  });
}
