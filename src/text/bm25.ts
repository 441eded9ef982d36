/** BM25's usual settings: how soon a repeated term stops counting, and how much long documents are discounted. */
const saturation = 1.2;
const lengthDiscount = 0.75;

export interface Bm25Found {
  /** Documents by falling score; of equal scores the lowest number first. */
  documents: Int32Array;
  scores: Float64Array;
}

/**
 * BM25 (Robertson et al. 1994) of short texts over fixed documents, as an inverted index of the weights that each term
 * gives each document. A query's term counts once however often it stands there, so that a long query is not ruled by
 * what it repeats; a term that more than `commonShare` of the documents hold is not looked at.
 */
export class Bm25 {
  readonly documentCount: number;
  private readonly places = new Map<string, number>();
  /** Term by term: its documents and the weights that it gives them, from `starts[term]` to `starts[term + 1]`. */
  private readonly starts: Int32Array;
  private readonly documents: Int32Array;
  private readonly weights: Float64Array;
  private readonly rarity: Float64Array;
  private readonly common: Uint8Array;
  private readonly scores: Float64Array;
  private readonly seen: Int32Array;
  private round = 0;

  constructor(documents: readonly (readonly string[])[], commonShare = 0.1) {
    this.documentCount = documents.length;
    const lengths = documents.map((terms) => terms.length);
    const mean = Math.max(1, lengths.reduce((sum, each) => sum + each, 0) / Math.max(1, documents.length));
    const postings: { document: number; count: number }[][] = [];
    documents.forEach((terms, document) => {
      for (const term of terms) {
        let place = this.places.get(term);
        if (place === undefined) {
          place = postings.length;
          this.places.set(term, place);
          postings.push([]);
        }
        const list = postings[place] as { document: number; count: number }[];
        const last = list.at(-1);
        if (last?.document === document) last.count += 1;
        else list.push({ document, count: 1 });
      }
    });
    this.starts = new Int32Array(postings.length + 1);
    this.rarity = new Float64Array(postings.length);
    this.common = new Uint8Array(postings.length);
    postings.forEach((list, place) => {
      this.starts[place + 1] = (this.starts[place] as number) + list.length;
      this.rarity[place] = Math.log(1 + (documents.length - list.length + 0.5) / (list.length + 0.5));
      this.common[place] = list.length > Math.max(20, commonShare * documents.length) ? 1 : 0;
    });
    const total = this.starts[postings.length] as number;
    this.documents = new Int32Array(total);
    this.weights = new Float64Array(total);
    postings.forEach((list, place) => {
      list.forEach(({ document, count }, index) => {
        const at = (this.starts[place] as number) + index;
        const length = (lengths[document] as number) / mean;
        this.documents[at] = document;
        this.weights[at] =
          ((this.rarity[place] as number) * count * (saturation + 1)) /
          (count + saturation * (1 - lengthDiscount + lengthDiscount * length));
      });
    });
    this.scores = new Float64Array(documents.length);
    this.seen = new Int32Array(postings.length);
  }

  /** The `count` best documents of a text's terms; fewer where fewer share a term with it. */
  find(terms: readonly string[], count: number): Bm25Found {
    const { scores, starts, documents, weights } = this;
    scores.fill(0);
    for (const place of this.lookedAt(terms)) {
      const end = starts[place + 1] as number;
      for (let at = starts[place] as number; at < end; at += 1) {
        const document = documents[at] as number;
        scores[document] = (scores[document] as number) + (weights[at] as number);
      }
    }
    return best(scores, count);
  }

  /** The score of one document. */
  scoreOf(terms: readonly string[], document: number): number {
    const { starts, documents, weights } = this;
    let score = 0;
    for (const place of this.lookedAt(terms)) {
      const end = starts[place + 1] as number;
      // Documents of a term are in rising order.
      let from = starts[place] as number;
      let to = end;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if ((documents[middle] as number) < document) from = middle + 1;
        else to = middle;
      }
      if (from < end && documents[from] === document) score += weights[from] as number;
    }
    return score;
  }

  /** The natural logarithm that says how rare a term is among the documents; a term of none is as rare as can be. */
  rarityOf(term: string): number {
    const place = this.places.get(term);
    return place === undefined ? Math.log(1 + (this.documentCount + 0.5) / 0.5) : (this.rarity[place] as number);
  }

  /** The distinct terms that count, each once, in the order in which they stand. */
  private *lookedAt(terms: readonly string[]): Generator<number> {
    this.round += 1;
    for (const term of terms) {
      const place = this.places.get(term);
      if (place === undefined || this.common[place] === 1 || this.seen[place] === this.round) continue;
      this.seen[place] = this.round;
      yield place;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** The places of the largest positive scores, largest first; of equals the lowest place. */
function best(scores: Float64Array, count: number): Bm25Found {
  const places: number[] = [];
  let least = 0;
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] as number;
    if (score <= least) continue;
    let at = places.length;
    while (at > 0 && (scores[places[at - 1] as number] as number) < score) at -= 1;
    places.splice(at, 0, place);
    if (places.length > count) places.pop();
    if (places.length === count) least = scores[places[count - 1] as number] as number;
  }
  return { documents: Int32Array.from(places), scores: Float64Array.from(places, (place) => scores[place] as number) };
}
