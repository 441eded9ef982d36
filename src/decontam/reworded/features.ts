import { Bm25 } from '../../text/bm25.js';
import { candidateCount, fuse, type Ranking, rankingDepth, without } from './candidates.js';
import { negates } from './negation.js';
import { isNumber, termsOf } from './terms.js';

/** What is measured of a text and a candidate, in the order of `values`; docs/decontam.md says what each one means. */
export const featureNames = [
  'cosine',
  'cosine_margin',
  'cosine_lead',
  'gap_next',
  'gap_mean',
  'cosine_question',
  'cosine_options',
  'item_share',
  'text_share',
  'item_held',
  'text_held',
  'term_cosine',
  'option_share',
  'number_share',
  'text_number_share',
  'number_missing',
  'bm25_share',
  'bm25_margin',
  'rare_nats',
  'length_ratio',
  'negation_lost',
  'negation_added',
  'item_nats',
] as const;

/** A candidate of a text, with what was measured. */
export interface Measured {
  item: number;
  /** From 1, in the fused ranking. */
  rank: number;
  values: number[];
}

/** Of a text with one item: the largest of all, and those of the question alone and of the question with its options. */
export interface Cosines {
  most: number;
  question: number;
  options: number;
}

/** An item as words. */
export interface ItemText {
  question: string;
  options: readonly string[];
}

/** From how many nats on a shared term is rare: one in some hundred and fifty items. */
const rareNats = 5;
/** Cosines of further items that a candidate's is compared with. */
const leadDepth = 10;
/** Nats that a share needs behind it: of a question of three words two say little. */
const heldNats = 12;
/** Added to a distance by cosine before distances are compared, so that a copy is not endlessly near. */
const leastDistance = 0.02;
/** From this cosine of terms on two items are one question written twice. */
const twinCosine = 0.8;

/** The words of all items: the BM25 ranking, and everything that is measured by words. */
export class ItemWords {
  /** By item: the first of those that are the same question. */
  readonly twins: Int32Array;
  private readonly bm25: Bm25;
  private readonly numbers = new Map<string, number>();
  private readonly rarity: number[] = [];
  private readonly numeric: boolean[] = [];
  private readonly items: ItemTerms[];
  /** By term: the number of the text that held it last. */
  private readonly stamps: Int32Array;
  private text = 0;

  constructor(items: readonly ItemText[]) {
    const questions = items.map((item) => termsOf(item.question));
    const options = items.map((item) => termsOf(item.options.join('\n')));
    this.bm25 = new Bm25(questions.map((terms, item) => [...terms, ...(options[item] as string[])]));
    this.items = questions.map((terms, item) =>
      this.itemTerms(terms, options[item] as string[], item, negates(items[item]?.question ?? '')),
    );
    this.stamps = new Int32Array(this.rarity.length);
    this.twins = this.findTwins(questions);
  }

  /**
   * The candidates of a text. `byCosine`: items by falling cosine, each once; `cosinesOf` gives those of a
   * candidate. `own`: the item that the text is; neither it nor its twins are then candidates.
   */
  measure(
    text: string,
    byCosine: Ranking,
    cosinesOf: (item: number) => Cosines,
    own: number | null = null,
  ): Measured[] {
    const terms = termsOf(text);
    const prompt = { ...this.textTerms(terms), negated: negates(text) };
    const ownTwin = own === null ? -1 : (this.twins[own] as number);
    const isOwn = (item: number) => this.twins[item] === ownTwin;
    const cosines = without(byCosine, isOwn, rankingDepth);
    const found = this.bm25.find(terms, own === null ? rankingDepth : 2 * rankingDepth);
    const words = without({ items: found.documents, scores: found.scores }, isOwn, rankingDepth);
    return fuse(cosines, words, candidateCount).map((candidate, index) => {
      const twin = this.twins[candidate.item];
      const isTwin = (item: number) => this.twins[item] === twin;
      const others = without(cosines, isTwin, leadDepth).scores;
      const [nextBm25 = 0] = without(words, isTwin, 1).scores;
      return {
        item: candidate.item,
        rank: index + 1,
        values: this.values(prompt, candidate, cosinesOf(candidate.item), others, nextBm25),
      };
    });
  }

  // -- private

  private values(
    text: TextTerms & { negated: boolean },
    candidate: Candidate,
    cosines: Cosines,
    others: readonly number[],
    nextBm25: number,
  ): number[] {
    const item = this.items[candidate.item] as ItemTerms;
    const shared = this.shared(text, item);
    const cosine = candidate.cosine ?? cosines.most;
    const mean = others.reduce((sum, each) => sum + each, 0) / Math.max(1, others.length);
    const gap = (other: number) => Math.log((1 + leastDistance - other) / (1 + leastDistance - cosine));
    return [
      cosine,
      cosine - (others[0] ?? 0),
      cosine - mean,
      gap(others[0] ?? 0),
      gap(mean),
      cosines.question,
      cosines.options,
      share(shared.nats, item.nats, 0),
      share(shared.nats, text.nats, 0),
      shared.nats / (item.nats + heldNats),
      shared.nats / (text.nats + heldNats),
      share(shared.squares, Math.sqrt(text.squares * item.squares), 0),
      share(shared.optionNats, item.optionNats, 0),
      share(shared.numbers, item.numbers, 0.5),
      share(shared.numbers, text.numbers, 0.5),
      Math.log1p(item.numbers - shared.numbers) + Math.log1p(text.numbers - shared.numbers),
      candidate.bm25 / item.selfScore,
      candidate.bm25 === 0 ? -1 : 1 - nextBm25 / candidate.bm25,
      shared.rareNats,
      Math.log((item.nats + 1) / (text.nats + 1)),
      item.negated && !text.negated ? 1 : 0,
      text.negated && !item.negated ? 1 : 0,
      item.nats,
    ];
  }

  private shared(text: TextTerms, item: ItemTerms): Shared {
    const found: Shared = { nats: 0, squares: 0, rareNats: 0, numbers: 0, optionNats: 0 };
    for (const term of item.question) {
      if (this.stamps[term] !== text.number) continue;
      const rarity = this.rarity[term] as number;
      found.nats += rarity;
      found.squares += rarity * rarity;
      if (this.numeric[term] === true) found.numbers += 1;
      else if (rarity > rareNats) found.rareNats += rarity;
    }
    for (const term of item.options)
      if (this.stamps[term] === text.number) found.optionNats += this.rarity[term] as number;
    return found;
  }

  /** The terms of a text; they stay marked until the next text's. */
  private textTerms(terms: readonly string[]): TextTerms {
    this.text += 1;
    const found: TextTerms = { number: this.text, nats: 0, squares: 0, numbers: 0 };
    const unknown = new Set<string>();
    for (const term of terms) {
      const number = this.numbers.get(term) ?? -1;
      if (number === -1 ? unknown.has(term) : this.stamps[number] === this.text) continue;
      if (number === -1) unknown.add(term);
      else this.stamps[number] = this.text;
      const rarity = number === -1 ? this.bm25.rarityOf(term) : (this.rarity[number] as number);
      found.nats += rarity;
      found.squares += rarity * rarity;
      if (isNumber(term)) found.numbers += 1;
    }
    return found;
  }

  private itemTerms(
    question: readonly string[],
    options: readonly string[],
    item: number,
    negated: boolean,
  ): ItemTerms {
    const numbered = question.map((term) => this.number(term));
    const distinct = new Set(numbered);
    const further = new Set(options.map((term) => this.number(term)).filter((term) => !distinct.has(term)));
    const nats = (terms: Iterable<number>, power: number) => {
      let sum = 0;
      for (const term of terms) sum += (this.rarity[term] as number) ** power;
      return sum;
    };
    return {
      question: Int32Array.from(distinct),
      options: Int32Array.from(further),
      nats: nats(distinct, 1),
      squares: nats(distinct, 2),
      optionNats: nats(further, 1),
      numbers: [...distinct].filter((term) => this.numeric[term] === true).length,
      selfScore: Math.max(1, this.bm25.scoreOf(question, item)),
      negated,
    };
  }

  private number(term: string): number {
    let number = this.numbers.get(term);
    if (number === undefined) {
      number = this.rarity.length;
      this.numbers.set(term, number);
      this.rarity.push(this.bm25.rarityOf(term));
      this.numeric.push(isNumber(term));
    }
    return number;
  }

  /** Items are twins where their terms agree: a vignette that asks two things, a question that stands in two benchmarks. */
  private findTwins(questions: readonly string[][]): Int32Array {
    const twins = Int32Array.from(questions.keys());
    questions.forEach((terms, item) => {
      const text = this.textTerms(terms);
      for (const other of this.bm25.find(terms, 4).documents) {
        if (other >= item) continue;
        const known = this.items[other] as ItemTerms;
        const { squares } = this.shared(text, known);
        if (share(squares, Math.sqrt(text.squares * known.squares), 0) < twinCosine) continue;
        twins[item] = twins[other] as number;
        break;
      }
    });
    return twins;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

type Candidate = ReturnType<typeof fuse>[number];

interface ItemTerms {
  /** Distinct terms of the question, and those of the options that it does not have. */
  question: Int32Array;
  options: Int32Array;
  /** Rarities of the question's terms summed, and their squares. */
  nats: number;
  squares: number;
  optionNats: number;
  numbers: number;
  /** What BM25 gives the question for itself. */
  selfScore: number;
  negated: boolean;
}

interface TextTerms {
  number: number;
  nats: number;
  squares: number;
  numbers: number;
}

interface Shared {
  nats: number;
  squares: number;
  rareNats: number;
  numbers: number;
  optionNats: number;
}

function share(part: number, whole: number, ofNothing: number): number {
  return whole <= 0 ? ofNothing : part / whole;
}
