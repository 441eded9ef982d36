import { z } from 'zod';

/** What the page of a run says in numbers: figures and shares by name. */
export function pageFigures(page: string): Map<string, number> {
  const found = [...page.matchAll(/<data value="([^"]*)" data-(figure|share)="([^"]*)">/g)];
  return new Map(found.map(([, value, kind, name]) => [`${kind} ${name}`, Number(value)]));
}

/** Cells of the page's tables that hold a digit outside of a figure, a share or a note in small print. */
export function bareNumbers(page: string): string[] {
  const cells = [...page.matchAll(/<td class="n">(.*?)<\/td>/gs)].map(([, cell]) => cell ?? '');
  return cells.filter((cell) => /\d/.test(cell.replace(/<(data|small)\b.*?<\/\1>/gs, '')));
}

const count = z.number();
const shares = z.array(z.looseObject({ name: z.string(), rows: count, kept: count }));
const exportFigures = z.looseObject({
  rows: count,
  kept: count,
  words: count,
  incomplete: count,
  reasons: z.array(z.looseObject({ reason: z.string(), rows: count, failed: count, failedOnly: count })),
  left: z.array(z.looseObject({ source: z.string(), reason: z.string(), rows: count })),
  leaks: z.array(z.looseObject({ benchmark: z.string(), method: z.string(), rows: count })),
  quarantined: z.array(z.looseObject({ source: z.string(), reason: z.string(), rows: count })),
  measures: z.record(z.string(), z.object({ median: count, most95: count, longest: count }).nullable()),
  clusters: z.object({
    clusters: count,
    prompts: count,
    median: count,
    largest: count,
    kept: count,
    uncertain: count,
  }),
  sources: shares,
  groups: shares,
  languages: shares,
  licenses: shares,
  models: shares,
  domains: shares,
});
const status = z.looseObject({
  rows: z.looseObject({ kept: count, total: count, quarantined: count, dropped: z.record(z.string(), count) }),
  rules: z.array(z.object({ rule: z.string(), failed: count, failedOnly: count })),
  figures: z.looseObject({ export: exportFigures }),
});
const coverage = z.looseObject({
  benchmarks: z.array(
    z.looseObject({
      name: z.string(),
      checked: z.boolean(),
      items: count,
      known: count.nullable(),
      methods: z.array(z.looseObject({ method: z.string(), unseen: count })),
    }),
  ),
  self_test: z.array(z.looseObject({ kind: z.string(), method: z.string(), planted: count, found: count })),
});
const lock = z.looseObject({ inputs: z.record(z.string(), z.unknown()) });

/**
 * The same numbers out of what the commands print with `--json` and what the run folder holds as JSON. What stands in
 * several of them is taken from the stage that judged, not from export's own figures.
 */
export function jsonFigures(printed: { status: unknown; coverage: unknown; lock: unknown }): Map<string, number> {
  const { rows, rules, figures } = status.parse(printed.status);
  const own = figures.export;
  const found = new Map<string, number>();
  const figure = (name: string, value: number) => found.set(`figure ${name}`, value);
  const share = (name: string, part: number, whole: number) =>
    found.set(`share ${name}`, whole === 0 ? 0 : part / whole);
  const read = rows.total - rows.quarantined;
  const methods = [...new Set(coverage.parse(printed.coverage).self_test.map((each) => each.method))];

  for (const name of ['kept', 'lead.kept']) figure(name, rows.kept);
  for (const name of ['rows', 'lead.rows', 'funnel.rows']) figure(name, read);
  for (const name of ['quarantined', 'funnel.quarantined']) figure(name, rows.quarantined);
  share('share.kept', rows.kept, read);
  figure('lead.sources', own.sources.length);
  figure('dropped', read - rows.kept);
  figure(
    'contaminated',
    methods.reduce((sum, method) => sum + (rows.dropped[method] ?? 0), 0),
  );
  figure('words', own.words);
  figure('words.row', Math.round(own.words / rows.kept));
  figure('incomplete', own.incomplete);
  for (const [reason, left] of Object.entries(rows.dropped)) figure(`left.${reason}`, left);
  for (const { rule, failed, failedOnly } of rules) {
    const reason = rule === 'complete' ? 'incomplete' : rule;
    figure(`failed.${reason}`, failed);
    figure(`failed-only.${reason}`, failedOnly);
    if (methods.includes(rule)) figure(`hits.${rule}`, failed);
  }
  for (const source of own.sources) {
    figure(`rows.source.${source.name}`, source.rows);
    figure(`kept.source.${source.name}`, source.kept);
    share(`share.source.${source.name}`, source.kept, source.rows);
    for (const { reason } of own.reasons) {
      const left = own.left.find((each) => each.source === source.name && each.reason === reason);
      figure(`left.${reason}.${source.name}`, left?.rows ?? 0);
    }
  }
  const mixes = {
    domain: own.domains,
    language: own.languages,
    license: own.licenses,
    model: own.models,
    group: own.groups,
  };
  for (const [key, all] of Object.entries(mixes))
    for (const each of all) {
      figure(`kept.${key}.${each.name}`, each.kept);
      share(`share.${key}.${each.name}`, each.kept, rows.kept);
    }
  const licensed = (test: (name: string) => boolean) =>
    own.licenses.filter((each) => test(each.name)).reduce((sum, each) => sum + each.kept, 0);
  figure(
    'licence.closed',
    licensed((name) => /(^|-)nc(-|$)/i.test(name)),
  );
  figure(
    'licence.unstated',
    licensed((name) => name === ''),
  );
  for (const [measure, values] of Object.entries(own.measures))
    for (const [name, value] of Object.entries(values ?? {})) figure(`${measure}.${name}`, value);
  const { clusters, ...sizes } = own.clusters;
  figure('clusters', clusters);
  for (const [name, value] of Object.entries(sizes)) figure(`clusters.${name}`, value);
  for (const each of own.quarantined) figure(`quarantined.${each.source}.${each.reason}`, each.rows);
  addCoverage(printed.coverage, own.leaks, figure, share);
  figure('inputs', Object.keys(lock.parse(printed.lock).inputs).length);
  return found;
}

/** Size and agreement of every cluster, by `curate clusters --json`. */
export function addClusters(found: Map<string, number>, printed: unknown): void {
  const cluster = z.looseObject({ cluster_id: count, size: count, agreement: count.nullable() });
  for (const each of z.looseObject({ shown: z.array(cluster) }).parse(printed).shown) {
    found.set(`figure cluster.${each.cluster_id}.size`, each.size);
    if (each.agreement !== null) found.set(`share cluster.${each.cluster_id}.agreement`, each.agreement);
  }
}

/** Ids of the rows whose measures the page shows. */
export function shownRows(figures: ReadonlyMap<string, number>): string[] {
  return [...figures.keys()].flatMap((name) => /^figure row\.(.*)\.wait_count$/.exec(name)?.[1] ?? []);
}

const measureOf: Record<string, string> = {
  prompt_words: 'question_words',
  trace_words: 'trace_words',
  wait_count: 'wait_count',
};

/** What the filter measured of a row, by `curate explain --json`. */
export function addRow(found: Map<string, number>, printed: unknown): void {
  const rule = z.looseObject({ rule: z.string(), value: z.unknown() });
  const { id, rules } = z.looseObject({ id: z.string(), rules: z.array(rule) }).parse(printed);
  for (const { rule: name, value } of rules) {
    const measure = measureOf[name];
    if (measure !== undefined) found.set(`figure row.${id}.${measure}`, Number(value));
  }
}

function addCoverage(
  printed: unknown,
  leaks: z.output<typeof exportFigures>['leaks'],
  figure: (name: string, value: number) => void,
  share: (name: string, part: number, whole: number) => void,
): void {
  const { benchmarks, self_test: tested } = coverage.parse(printed);
  figure('benchmarks', benchmarks.length);
  figure('benchmarks.checked', benchmarks.filter((each) => each.checked).length);
  for (const { name, items, known, methods } of benchmarks) {
    figure(`items.${name}`, items);
    if (known !== null) figure(`known.${name}`, known);
    for (const { method, unseen } of methods) {
      figure(`unseen.${name}.${method}`, unseen);
      share(`unseen.${name}.${method}`, unseen, items);
      const rows = leaks.find((each) => each.benchmark === name && each.method === method)?.rows;
      figure(`hits.${name}.${method}`, rows ?? 0);
    }
  }
  for (const { kind, method, planted, found } of tested) {
    figure(`planted.${kind}`, planted);
    share(`found.${kind}.${method}`, found, planted);
  }
}
