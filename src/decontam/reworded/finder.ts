import type { Compute } from '../../compute/session.js';
import { openTopProducts, type TopProducts } from '../../compute/top-products.js';
import type { Item } from '../items.js';
import { rankingDepth } from './candidates.js';
import { type Cosines, ItemWords, type Measured } from './features.js';
import { type Model, scoreOf } from './score.js';
import { type Sentences, windowsOf } from './sentences.js';

/** A candidate with its score: 0 to 100, the probability by the fitted model. */
export interface Scored extends Measured {
  score: number;
}

/** The texts of an item that are embedded: with and without options, and without what stands before the question. */
export function embeddedTexts(item: Item): string[] {
  const texts = [item.question, [item.question, ...item.options].join('\n'), item.stem];
  const lines = item.question.trim().split('\n');
  // A long passage before the question: rewordings often come without it.
  if (item.question.length > passageCharacters && lines.length > 1) texts.push(lines.at(-1) as string);
  return [...new Set(texts.filter((text) => text.trim() !== ''))];
}

/** Finds the items that a text may be another wording of. */
export class Finder {
  readonly items: readonly Item[];
  readonly words: ItemWords;
  private readonly sentences: Sentences;
  private readonly products: TopProducts;
  private readonly itemOf: readonly number[];
  /** The vectors of the items' texts, and by item where its own begin: they lie together. */
  private readonly table: Float32Array;
  private readonly rows: Int32Array;
  private readonly model: Model;

  private constructor(
    items: readonly Item[],
    sentences: Sentences,
    products: TopProducts,
    table: Float32Array,
    itemOf: readonly number[],
    model: Model,
  ) {
    this.items = items;
    this.words = new ItemWords(items);
    this.sentences = sentences;
    this.products = products;
    this.table = table;
    this.itemOf = itemOf;
    this.rows = new Int32Array(items.length + 1);
    for (const item of itemOf) this.rows[item + 1] = (this.rows[item + 1] as number) + 1;
    for (let item = 0; item < items.length; item += 1)
      this.rows[item + 1] = (this.rows[item + 1] as number) + (this.rows[item] as number);
    this.model = model;
  }

  static async open(
    items: readonly Item[],
    sentences: Sentences,
    compute: Compute,
    model: Model,
    signal?: AbortSignal,
  ): Promise<Finder> {
    const texts = items.flatMap((item, index) => embeddedTexts(item).map((text) => ({ index, text })));
    const table = await sentences.vectorsOf(
      texts.map((each) => each.text),
      () => {},
      signal,
    );
    const products = await openTopProducts(table, sentences.dimensions, productDepth, compute);
    return new Finder(
      items,
      sentences,
      products,
      table,
      texts.map((each) => each.index),
      model,
    );
  }

  /** The candidates of each text, the best of the fused ranking first. `own`: by text, the item that it is. */
  async find(
    texts: readonly string[],
    options: { own?: readonly number[]; progress?: (done: number) => void; signal?: AbortSignal } = {},
  ): Promise<Scored[][]> {
    const windows = texts.map(windowsOf);
    const vectors = await this.sentences.vectorsOf(windows.flat(), options.progress, options.signal);
    const { at, score } = await this.products.find(vectors);
    const { count } = this.products;
    let row = 0;
    return texts.map((text, index) => {
      const first = row;
      const best = new Map<number, number>();
      for (let end = row + (windows[index]?.length ?? 0); row < end; row += 1)
        for (let place = row * count; place < (row + 1) * count; place += 1) {
          const item = this.itemOf[at[place] as number] as number;
          best.set(item, Math.max(best.get(item) ?? Number.NEGATIVE_INFINITY, score[place] as number));
        }
      const ranked = [...best].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const ranking = { items: ranked.map(([item]) => item), scores: ranked.map(([, each]) => each) };
      const cosinesOf = (item: number) => this.cosinesOf(vectors, first, row, item);
      return this.words
        .measure(text, ranking, cosinesOf, options.own?.[index] ?? null)
        .map((found) => ({ ...found, score: scoreOf(this.model, found.values) }));
    });
  }

  close(): Promise<void> {
    return this.products.close();
  }

  // -- private

  /** The largest products of an item's vectors with those from one place to another, exclusive. */
  private cosinesOf(vectors: Float32Array, from: number, to: number, item: number): Cosines {
    const begin = this.rows[item] as number;
    const count = (this.rows[item + 1] as number) - begin;
    const products = Array.from({ length: count }, (_, row) => {
      let most = -1;
      for (let window = from; window < to; window += 1)
        most = Math.max(most, this.product(vectors, window, begin + row));
      return most;
    });
    // The question comes first, then the question with its options.
    const question = products[0] ?? -1;
    const hasOptions = (this.items[item]?.options.length ?? 0) > 0;
    return {
      most: Math.max(-1, ...products),
      question,
      options: hasOptions ? (products[1] ?? question) : question,
    };
  }

  private product(vectors: Float32Array, window: number, own: number): number {
    const { dimensions } = this.sentences;
    let sum = 0;
    for (let place = 0; place < dimensions; place += 1)
      sum += (vectors[window * dimensions + place] as number) * (this.table[own * dimensions + place] as number);
    return sum;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const passageCharacters = 1_000;
/** Rows of the product's table that are taken per text: an item has up to four. */
const productDepth = 2 * rankingDepth;
