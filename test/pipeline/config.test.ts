import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readPipeline, resolvePipeline } from '../../src/pipeline/config.js';
import { Problem } from '../../src/problem.js';

const minimal = 'name: small\nsources:\n  - path: ./rows.jsonl\n    adapter: messages\n    group: mine\n';

function resolve(text: string, set: string[] = []) {
  return resolvePipeline(text, '/somewhere/pipeline.yaml', 'pipeline.yaml', set);
}

function itemsOf(text: string, set: string[] = []): string[] {
  try {
    resolve(text, set);
  } catch (error) {
    if (error instanceof Problem) return error.parts.items ?? [`${error.parts.where}  ${error.message}`];
    throw error;
  }
  throw new Error('no problem was found');
}

afterEach(() => {
  delete process.env.CURATE_TEST_SECRET;
});

describe('a pipeline file', () => {
  test('gets every default and runs only the stages whose keys it has', () => {
    const pipeline = resolve(`${minimal}filter: { complete: true }\nexport: {}\n`);
    expect(pipeline).toMatchObject({ name: 'small', seed: 42, compute: 'native', folder: '/somewhere' });
    expect(Object.keys(pipeline.stages)).toEqual(['ingest', 'filter', 'export']);
    expect(pipeline.stages.export).toMatchObject({ rows_per_file: 50000, compression: 'zstd' });
  });

  test('says all that is wrong at once, each with file, line and column', () => {
    const items = itemsOf(
      `${minimal}sede: 7\nfilter:\n  trace_word: { less_than: 7143 }\n  wait_count: { at_most: many }\nexport: { rows_per_file: 0 }\n`,
    );
    expect(items).toHaveLength(4);
    expect(items[0]).toMatch(/^pipeline\.yaml:6:1 {2}sede {2}unknown key; did you mean seed\?/);
    expect(items[1]).toMatch(/^pipeline\.yaml:8:3 {2}filter\.trace_word {2}unknown key; did you mean trace_words\?/);
    expect(items[2]).toMatch(/^pipeline\.yaml:9:\d+ {2}filter\.wait_count/);
    expect(items[3]).toMatch(/^pipeline\.yaml:10:\d+ {2}export\.rows_per_file/);
  });

  test('that is no YAML is refused with the line', () => {
    expect(itemsOf('name: x\nsources: [\n')[0]).toMatch(/^pipeline\.yaml:[23]:\d+ /);
  });

  test('refuses a value that is none of the possible ones and names the nearest', () => {
    expect(itemsOf(`${minimal}compute: nativ\n`)[0]).toContain('did you mean native?');
  });

  test('refuses a stage without the stage it needs', () => {
    expect(itemsOf(`${minimal}cluster: { k: 5 }\n`)[0]).toContain('needs the stage embed');
  });

  test('keeps environment values out of the resolved config', () => {
    process.env.CURATE_TEST_SECRET = 'hush-hush';
    const pipeline = resolve(minimal.replace('./rows.jsonl', '${CURATE_TEST_SECRET}/rows.jsonl'));
    expect(JSON.stringify(pipeline)).not.toContain('hush-hush');
    expect(JSON.stringify(pipeline)).toContain('${CURATE_TEST_SECRET}');
  });

  test('names an environment variable that is not set', () => {
    expect(itemsOf(minimal.replace('./rows.jsonl', '${CURATE_TEST_SECRET}/rows.jsonl'))[0]).toBe(
      'pipeline.yaml:3:11  sources[0].path  environment variable CURATE_TEST_SECRET is not set',
    );
  });

  test('takes other values from --set and says so where they are wrong', () => {
    expect(
      resolve(`${minimal}filter: { wait_count: { at_most: 47 } }\n`, ['filter.wait_count.at_most=30']).stages.filter,
    ).toMatchObject({
      wait_count: { at_most: 30 },
    });
    expect(itemsOf(minimal, ['filter.wait_cont.at_most=30'])[0]).toMatch(
      /^--set filter\.wait_cont\.at_most {2}filter\.wait_cont {2}unknown key; did you mean wait_count\?/,
    );
  });
});

test('the recipe of the card names every source and number of it', () => {
  const recipe = join(import.meta.dirname, '..', '..', 'data', 'pipelines', 'ii-medical.yaml');
  const { stages } = readPipeline(recipe, [], 'may be missing');
  const { sources } = stages.ingest as unknown as {
    sources: { use: string; group: string; limit?: number; split?: string }[];
  };
  const limits = (group: string) =>
    sources.filter((source) => source.group === group).map((source) => source.limit ?? 0);
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);
  expect(sum(limits('medical'))).toBe(103_031);
  expect(sum(limits('synthetic'))).toBe(225_700);
  expect(sum(limits('math'))).toBe(15_000);
  expect(sources.filter((source) => source.group === 'r1-traces').map((source) => source.use)).toEqual([
    'synthetic-1',
    'general-thought',
    'am-r1-distilled',
    'openthoughts2',
    'nemotron-science',
    'dolphin-r1',
    'r1-distill-sft',
  ]);
  expect(sources.find((source) => source.use === 'medmcqa')?.split).toBe('train');
  expect(stages.cluster).toMatchObject({ k: 50_000, algorithm: 'mini-batch' });
  expect(stages.classify).toMatchObject({ labeler: 'llm', model: 'Qwen/Qwen2.5-32B-Instruct', nearest: 10 });
  expect(stages.filter).toMatchObject({
    domain: { keep: ['Medical', 'Biology'] },
    complete: true,
    prompt_words: { more_than: 3 },
    trace_words: { less_than: 7143 },
    wait_count: { at_most: 47 },
  });
  expect(stages.decontam).toMatchObject({ presets: ['ii-medical'] });
});
