import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/llm/ledger.js';
import { emptyFolder } from '../classify/small-run.js';

describe('the ledger', () => {
  it('keeps votes by model, question and prompt', async () => {
    const path = join(emptyFolder(), 'votes', 'votes.jsonl');
    const ledger = await Ledger.open(path, 'm', 'q');
    ledger.add('p1', { label: 'Medical', tokens: [10, 2] });
    ledger.add('p2', { label: null, invalid: 'Astrology' });
    ledger.close();
    const again = await Ledger.open(path, 'm', 'q');
    expect([again.get('p1'), again.get('p2'), again.get('p3')]).toEqual(['Medical', null, undefined]);
    again.close();
    for (const [model, question] of [
      ['m', 'q2'],
      ['m2', 'q'],
    ]) {
      const other = await Ledger.open(path, model ?? '', question ?? '');
      expect(other.get('p1')).toBeUndefined();
      other.close();
    }
  });

  it('repairs a torn last line and loses nothing else', async () => {
    const path = join(emptyFolder(), 'votes.jsonl');
    const first = await Ledger.open(path, 'm', 'q');
    first.add('p1', { label: 'Medical' });
    first.close();
    appendFileSync(
      path,
      Buffer.from('{"model":"m","question":"q","prompt":"p2","label":"Medizin für Är').subarray(0, -1),
    );
    const second = await Ledger.open(path, 'm', 'q');
    expect([second.get('p1'), second.get('p2'), second.tornLines]).toEqual(['Medical', undefined, 1]);
    second.add('p2', { label: 'Law' });
    second.close();
    const third = await Ledger.open(path, 'm', 'q');
    expect([third.get('p1'), third.get('p2'), third.size]).toEqual(['Medical', 'Law', 2]);
    third.close();
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
  });

  it('takes the votes of two runs at a time', async () => {
    const path = join(emptyFolder(), 'votes.jsonl');
    const [one, two] = [await Ledger.open(path, 'm', 'q'), await Ledger.open(path, 'm', 'q')];
    for (let vote = 0; vote < 200; vote += 1) (vote % 2 === 0 ? one : two).add(`p${vote}`, { label: 'Law' });
    one.close();
    two.close();
    const both = await Ledger.open(path, 'm', 'q');
    expect(both.size).toBe(200);
    both.close();
  });
});
