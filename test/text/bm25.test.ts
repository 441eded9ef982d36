import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bm25 } from '../../src/text/bm25.js';

const term = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const text = fc.array(term, { maxLength: 12 });
const texts = fc.array(text, { maxLength: 40 });

describe('BM25', () => {
  it('gives what the formula gives, document by document', () => {
    fc.assert(
      fc.property(texts, text, fc.integer({ min: 1, max: 6 }), (documents, query, count) => {
        const index = new Bm25(documents);
        const found = index.find(query, count);
        const expected = naive(documents, query).slice(0, count);
        expect([...found.documents]).toEqual(expected.map((each) => each.document));
        found.scores.forEach((score, place) => {
          expect(score).toBeCloseTo(expected[place]?.score ?? Number.NaN, 10);
          expect(index.scoreOf(query, found.documents[place] as number)).toBe(score);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('puts equal documents in their order', () => {
    const found = new Bm25([['x'], ['a', 'b'], ['x'], ['a', 'b'], ['a', 'b']], 1).find(['b', 'a'], 3);
    expect([...found.documents]).toEqual([1, 3, 4]);
  });

  it('does not look at a term that most documents hold, and answers a text of such terms with nothing', () => {
    const documents = Array.from({ length: 40 }, (_, index) => ['the', `word${index}`]);
    expect([...new Bm25(documents).find(['the'], 5).documents]).toEqual([]);
    expect([...new Bm25(documents).find(['the', 'word7'], 5).documents]).toEqual([7]);
  });

  it('is the same for the second text as for the first', () => {
    const index = new Bm25([['a'], ['b'], ['a', 'b']]);
    const first = index.find(['a'], 3);
    index.find(['b', 'b'], 3);
    expect(index.find(['a'], 3)).toEqual(first);
  });
});

/** The formula over each document in turn; scores are summed in the order of the query, as the index does. */
function naive(documents: readonly string[][], query: readonly string[]): { document: number; score: number }[] {
  const mean = Math.max(1, documents.reduce((sum, each) => sum + each.length, 0) / Math.max(1, documents.length));
  const holding = (each: string) => documents.filter((document) => document.includes(each)).length;
  const terms = [...new Set(query)].filter((each) => holding(each) <= Math.max(20, 0.1 * documents.length));
  return documents
    .map((document, index) => ({
      document: index,
      score: terms.reduce((sum, each) => {
        const count = document.filter((other) => other === each).length;
        const rarity = Math.log(1 + (documents.length - holding(each) + 0.5) / (holding(each) + 0.5));
        const weight = (rarity * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * document.length) / mean));
        return sum + (count === 0 ? 0 : weight);
      }, 0),
    }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score || a.document - b.document);
}
