import { Tokenizer } from '@huggingface/tokenizers';
import { maximumTokens } from './graph.js';

const startToken = 101;
const endToken = 102;
/** What is left between the two special tokens. */
const textTokens = maximumTokens - 2;

/** Token ids of a text as sentence-transformers makes them: cut first, then `[CLS]` and `[SEP]` put around. */
export type Tokenize = (text: string) => Int32Array;

export function makeTokenizer(tokenizerJson: Uint8Array, configJson: Uint8Array): Tokenize {
  const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as object;
  const tokenizer = new Tokenizer(parse(tokenizerJson), parse(configJson));
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  return (text) => {
    const ids = firstTokens(text, encode);
    const result = new Int32Array(ids.length + 2);
    result[0] = startToken;
    result.set(ids, 1);
    result[ids.length + 1] = endToken;
    return result;
  };
}

// -- private

/**
 * The first 254 tokens. Long texts are cut at a space before they are tokenized, since a word's tokens do not depend on
 * the words after it: a prompt of a megabyte would otherwise take longer to tokenize than to embed.
 */
function firstTokens(text: string, encode: (text: string) => number[]): number[] {
  for (let length = 4096; length < text.length; length *= 2) {
    const end = text.lastIndexOf(' ', length);
    if (end <= 0) continue;
    const ids = encode(text.slice(0, end));
    if (ids.length >= textTokens) return ids.slice(0, textTokens);
  }
  return encode(text).slice(0, textTokens);
}
