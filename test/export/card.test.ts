import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hubLicenses } from '../../src/export/hub-license.js';
import { preparePython, pythonIsMissing, runPython } from '../python/venv.js';
import { fullRun, hostile } from './full-run.js';
import { removeRuns, type SmallRun } from './small-run.js';

let small: SmallRun;
let card = '';

beforeAll(async () => {
  await preparePython();
  small = await fullRun();
  await small.export({ rows_per_file: 5 });
  card = readFileSync(small.run.file('dataset', 'README.md'), 'utf8');
});
afterAll(removeRuns);

const metadata = () => parse(card.split('---\n')[1] ?? '') as Record<string, unknown>;

describe('the card', () => {
  it('has the hub’s metadata, of the rows that were kept', async () => {
    const languages = (await small.dataset('DISTINCT language')).map((row) => String(row.language));
    expect(metadata()).toEqual({
      pretty_name: 'full_run',
      license: ['apache-2.0', 'cc-by-nc-sa-4.0', 'unknown'],
      language: ['en', 'zh'].filter((code) => languages.includes(code)),
      task_categories: ['text-generation', 'question-answering'],
      tags: ['reasoning', 'chain-of-thought', 'medical', 'biology'],
      size_categories: ['n<1K'],
      configs: [{ config_name: 'default', data_files: [{ split: 'train', path: 'train-*.parquet' }] }],
    });
  });

  it('says what was not checked, who labelled, and that templates may cut the reasoning', () => {
    expect(card).toContain('| lancet | – | **not checked** |');
    expect(card).toContain('embedded labeler');
    expect(card).toContain('cut everything before `</think>`');
    // In code nothing is decoded: what is copied from there must be the key of dataset_info.json.
    expect(card).toContain('`dataset: full_run`');
    expect(card).toContain('1,753 | under 10 words');
  });

  it('keeps hostile names inert', () => {
    const text = card.replaceAll('`', '').replaceAll('</think>', '').replaceAll('<think>', '');
    expect(text.match(/<(script|img|a|style|svg)\b/gi)).toBeNull();
    expect(text.match(/\]\((?!https:\/\/www\.npmjs\.com)/g)).toBeNull();
    expect(text.match(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069\u200b]/g)).toBeNull();
    for (const line of card.split('\n').filter((each) => each.startsWith('|'))) {
      expect(line.replaceAll('\\|', '').split('|').length, line).toBeLessThan(8);
    }
    expect(hostile.length).toBeGreaterThan(5);
  });

  it.skipIf(pythonIsMissing)('is what huggingface_hub takes for a card, field by field', async () => {
    const code = `
import json, sys
from huggingface_hub import DatasetCard
card = DatasetCard.load(sys.argv[1])
data = card.data.to_dict()
print(json.dumps({k: data.get(k) for k in ["license", "language", "size_categories", "pretty_name", "configs", "task_categories"]}))
`;
    const seen = JSON.parse(await runPython(code, [small.run.file('dataset', 'README.md')]));
    const { tags: _, ...expected } = metadata();
    expect(seen).toEqual(expected);
  });
});

describe('the dataset in Python', () => {
  it.skipIf(pythonIsMissing)('loads with `datasets`, by its files and by its card, row for row', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'curate-datasets-'));
    const code = `
import json, sys
from datasets import load_dataset
folder, cache = sys.argv[1:]
files = load_dataset("parquet", data_files=folder + "/*.parquet", split="train", cache_dir=cache)
card = load_dataset(folder, split="train", cache_dir=cache)
assert files.column_names == card.column_names and len(files) == len(card)
assert all(a == b for a, b in zip(files, card))
print(json.dumps({"ids": files["id"][:], "features": {k: str(v) for k, v in files.features.items()}, "messages": [[m["role"] for m in row] for row in files["messages"]],
  "thinks": [row[-1]["content"].startswith("<think>\\n") and "\\n</think>\\n\\n" in row[-1]["content"] for row in files["messages"]]}))
`;
    const seen = JSON.parse(await runPython(code, [small.run.table('dataset'), cache]));
    rmSync(cache, { recursive: true });
    const ours = await small.dataset('id');
    expect(seen.ids).toEqual(ours.map((row) => row.id));
    expect(new Set(seen.thinks)).toEqual(new Set([true]));
    expect(seen.messages[0]).toEqual(['user', 'assistant']);
    expect(seen.features.messages).toContain('role');
  });
});

describe('a licence as the hub writes it', () => {
  it.each([
    [['MIT'], ['mit']],
    [['Apache-2.0', 'apache 2.0'], ['apache-2.0']],
    [
      ['BSD-3-Clause', 'MIT'],
      ['bsd-3-clause', 'mit'],
    ],
    [['CC-BY-NC-SA-4.0'], ['cc-by-nc-sa-4.0']],
    [['CC BY 4.0'], ['cc-by-4.0']],
    [['GPL-3.0-only'], ['gpl-3.0']],
    [['CC-BY-NC-SA'], ['other']],
    [['my own'], ['other']],
    [[''], ['unknown']],
    [[], ['unknown']],
  ])('%j is %j', (written, ids) => {
    expect(hubLicenses(written)).toEqual(ids);
  });
});
