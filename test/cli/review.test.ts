import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'curate-review-'));
const pipeline = join(folder, 'pipeline.yaml');
const run = join(folder, 'run');
const question = 'A 45-year-old man has crushing chest pain radiating to the left arm and sweating. What is it?';
const prompts = [
  `😀 Answer this.\n${question}`,
  `Yesterday in class: ${question} Nobody knew.`,
  'Name three symptoms of acute pancreatitis and how they are treated.',
  'Which drugs lower the blood pressure of pregnant women?',
  'Solve x + 3 = 7 for x and show every step of the algebra.',
  'Prove that the square root of two is irrational.',
];

/** The command with lines typed to it, as a person would. */
function curate(args: readonly string[], typed: readonly string[] = []) {
  const ran = spawnSync(process.execPath, [command, ...args], {
    encoding: 'utf8',
    input: typed.map((line) => `${line}\n`).join(''),
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' },
  });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

function yaml(name: string): unknown {
  return parse(readFileSync(join(folder, name), 'utf8'));
}

beforeAll(() => {
  const rows = prompts.map((prompt, id) => ({ id: String(id), prompt, reasoning: 'Thinking.', answer: 'Done.' }));
  writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(
    join(folder, 'own.json'),
    JSON.stringify([{ item: 'q1', question, options: ['Infarction', 'Angina'] }]),
  );
  writeFileSync(
    pipeline,
    `name: review
sources: [{ path: ./rows.jsonl, adapter: columns, group: mine, name: mine }]
embed: { groups: [mine] }
cluster: { k: 2 }
classify: { labeler: embedded, labels: medical-domains, overrides: ./overrides.yaml }
filter: { complete: true }
decontam: { benchmarks: [./own.json], presets: [strict], allow: ./allow.yaml }
export: {}
`,
  );
  expect(curate(['run', pipeline, '--out', run, '--workers', '1', '--quiet'])).toMatchObject({ status: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('curate review RUN hits', () => {
  it('shows both texts, asks again after nonsense, writes what is none at once and leaves the rest', () => {
    const { status, stdout, stderr } = curate(['review', run, 'hits'], ['what?', 'n', 'l']);
    expect(status).toBe(0);
    expect(stderr).toContain('no answer "what?"');
    expect(stdout).toContain('1 of 2 · own q1 · strict 100.0');
    expect(stdout.match(/^item +A 45-year-old man has crushing chest pain/gm)).toHaveLength(2);
    expect(stdout).toContain('· Infarction');
    expect(stdout).toContain('1 hit allowed of 2 shown · curate run takes them over');
    expect(yaml('allow.yaml')).toEqual([
      { prompt_key: expect.stringMatching(/^[0-9a-f]{32}$/), benchmark: 'own', item: 'q1', method: 'strict' },
    ]);
  });

  it('does not ask again about what was allowed', () => {
    const again = curate(['review', run, 'hits'], ['q']);
    expect(again.stdout).toContain('1 of 1 · own q1');
    expect(again.stdout).toContain('0 hits allowed of 1 shown');
  });
});

describe('curate review RUN clusters', () => {
  it('takes a label by name or number, asks again after an unknown one, skips and writes at once', () => {
    expect(existsSync(join(folder, 'overrides.yaml'))).toBe(false);
    const { status, stdout, stderr } = curate(['review', run, 'clusters'], ['Medcal', 'mathematics', 's']);
    expect(status).toBe(0);
    expect(stderr).toContain('no label "Medcal"; did you mean Medical?');
    expect(stdout).toMatch(/cluster \d · 1 of 2/);
    expect(stdout).toContain('1 verdict on 2 clusters · curate run takes them over');
    expect(yaml('overrides.yaml')).toMatchObject({ overrides: [{ label: 'Mathematics' }] });
  });

  it('stops where the answers end and keeps what was said before; a run takes all verdicts over', () => {
    const { status, stdout } = curate(['review', run, 'clusters'], []);
    expect(status).toBe(0);
    expect(stdout).toContain('0 verdicts on 1 cluster');
    expect(yaml('overrides.yaml')).toMatchObject({ overrides: [{ label: 'Mathematics' }] });
    const ran = curate(['run', pipeline, '--out', run, '--workers', '1']);
    expect(ran).toMatchObject({ status: 0 });
    expect(ran.stdout).toMatch(/kept 5 of 6 rows · .*1 decontam/);
    expect(curate(['clusters', run]).stdout).toContain('Mathematics');
  });
});
