import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const stageFolders = ['ingest', 'embed', 'cluster', 'classify', 'filter', 'decontam', 'export'];
const foundations = ['store', 'compute', 'text', 'llm'];

/** The files of a stage that the pipeline's contract and the product's own facts may be imported from. */
const openToStages = ['pipeline/stage.ts', 'problem.ts', 'product.ts'];

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** Every relative import of a file, as a path below `src/`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map((match) => match[1] ?? '');
  return found.map((path) => normalize(join(dirname(file), path)).replace(/\.js$/, '.ts'));
}

/** Whether a file may import another: cli → pipeline → stages → {store, compute, text, llm}; problem and product are anyone's. */
function mayImport(file: string, imported: string): boolean {
  const [from = '', to = ''] = [file, imported].map((path) => path.split('/')[0]);
  if (imported === 'problem.ts' || imported === 'product.ts' || from === to) return true;
  if (from === 'cli') return true;
  if (from === 'pipeline') return to !== 'cli';
  if (stageFolders.includes(from)) return openToStages.includes(imported) || foundations.includes(to);
  if (from === 'compute') return to === 'store' || to === 'text';
  if (from === 'llm') return to === 'store' || to === 'text';
  if (from === 'store') return to === 'text';
  return false;
}

test('no file imports what its folder may not', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !mayImport(file, imported))
      .map((imported) => `${file} imports ${imported}`),
  );
  expect(wrong).toEqual([]);
});

test('the import rule sees what it forbids', () => {
  expect(mayImport('filter/filter.ts', 'ingest/row.ts')).toBe(false);
  expect(mayImport('filter/filter.ts', 'pipeline/run.ts')).toBe(false);
  expect(mayImport('store/tables.ts', 'pipeline/stage.ts')).toBe(false);
  expect(mayImport('text/words.ts', 'store/tables.ts')).toBe(false);
  expect(mayImport('pipeline/run.ts', 'cli/output.ts')).toBe(false);
  expect(mayImport('llm/endpoint.ts', 'pipeline/stage.ts')).toBe(false);
  expect(importsOf('pipeline/run.ts')).toContain('pipeline/plan.ts');
});

test('only the command line prints, colours or sets an exit code', () => {
  const wrong = sources
    .filter((file) => !file.startsWith('cli/'))
    .filter((file) =>
      /console\.|process\.(stdout|stderr|exitCode|exit\()|styleText/.test(
        readFileSync(join(root, 'src', file), 'utf8'),
      ),
    );
  expect(wrong).toEqual([]);
});

/** Ages of a cache's own locks and the waits between two tries are no part of any result. */
const mayAskTheClock = ['compute/vector-cache.ts', 'ingest/hub/client.ts', 'llm/endpoint.ts'];

test('nothing outside the command line asks a clock or an unseeded chance for something it writes', () => {
  const wrong = sources
    .filter((file) => !file.startsWith('cli/') && !mayAskTheClock.includes(file))
    .filter((file) => /Math\.random\(|new Date\(\)|Date\.now\(/.test(readFileSync(join(root, 'src', file), 'utf8')));
  expect(wrong).toEqual([]);
});

test('every dependency has one exact version', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const versions = Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))).toEqual([]);
});

test('the README names the two lines that set everything up', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  expect(readme).toContain('npm ci && npm run quickstart');
  expect(readme).toContain('npm test');
});
