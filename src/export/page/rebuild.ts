import { productVersion } from '../../product.js';
import type { PageFacts } from './facts.js';
import { type Content, figure, type Html, html, section, table } from './html.js';

/** How the same set is made again, and from what. */
export function rebuildSection(facts: PageFacts): Html {
  const inputs = facts.stages
    .flatMap((stage) => stage.inputs ?? [])
    .filter(
      (input, index, all) => all.findIndex((each) => each.kind === input.kind && each.name === input.name) === index,
    );
  return section(
    'rebuild',
    'How to rebuild it',
    html`<p>With the pipeline file and <code>curate.lock</code> of this run folder, <code>curate</code> ${productVersion} makes the same bytes or says what differs:</p>
<pre>npx curate run pipeline.yaml --frozen --lock curate.lock</pre>
<p><code>curate verify RUN</code> checks every file of this folder against its manifest. <code>curate explain RUN ID</code> tells why a row is, or is not, in the set. Seed ${facts.context.seed}, compute ${facts.context.compute}.</p>\n`,
    inputs.length === 0
      ? null
      : html`<details><summary>${figure('inputs', inputs.length)} input files by SHA-256</summary>${table(
          'Inputs',
          ['kind', 'name', 'revision', 'SHA-256'],
          inputs
            .slice(0, 400)
            .map((input): Content[] => [
              input.kind,
              input.name,
              input.revision ?? '',
              html`<code>${input.sha256}</code>`,
            ]),
        )}</details>\n`,
  );
}
